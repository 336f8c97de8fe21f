"""``vidfit plan``: what to train, how it fits, how long it takes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vidfit.cli.options import (
    Ahead,
    AllowUrl,
    Clips,
    CpuSeconds,
    Groups,
    Like,
    OnlyBelow,
    Scale,
    Seen,
    Side,
    output_of,
)
from vidfit.cli.own_jobs import OWN_PLANS, check_not_theirs, run_own
from vidfit.cli.quantities import memory_bytes
from vidfit.cli.say import say, say_lines
from vidfit.errors import not_known
from vidfit.plans import Regime


def plan(  # noqa: PLR0913  (the options of a command)
    ctx: typer.Context,
    clips: Clips,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Folder for plan.json and plan.svg. [default: runs/NAME of CLIPS]",
        ),
    ] = None,
    backbone: Annotated[
        str | None,
        typer.Option(
            help="Encoder to train over; empty for a network that sees frames. Of restore: a "
            "network to measure beside. [default: efficientnet-lite0; none of restore]"
        ),
    ] = None,
    network: Annotated[str, typer.Option(help="Network to train, such as lstm or mean.")] = "lstm",
    regime: Annotated[
        Regime | None, typer.Option(help="Which weights learn. [default: by the labels]")
    ] = None,
    gpu: Annotated[
        str | None, typer.Option(help="Plan for these: 24GiB x 4, H100 x 8. [default: this CPU]")
    ] = None,
    memory: Annotated[
        str | None, typer.Option(help="Memory that training may use here, such as 8GiB.")
    ] = None,
    cores: Annotated[int | None, typer.Option(min=1, help="Cores that training may use.")] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Passes over the clips.")] = None,
    batch: Annotated[int | None, typer.Option(min=1, help="Clips of an optimizer step.")] = None,
    minutes: Annotated[
        float | None, typer.Option(min=0.0, help="Longest training; epochs are cut to fit.")
    ] = None,
    groups: Groups = None,
    task: Annotated[
        str | None,
        typer.Option(
            help="Plan a fit of restore, forecast or generate. [default: a network that classifies]"
        ),
    ] = None,
    scale: Scale = None,
    like: Like = None,
    seen: Seen = None,
    ahead: Ahead = None,
    side: Side = None,
    cpu_seconds: CpuSeconds = None,
    unlabelled: Annotated[
        str | None,
        typer.Option(help="More clips, labels not needed, to learn from by a teacher."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the plan as JSON.")] = False,
    allow_url: AllowUrl = None,
    only_below: OnlyBelow = None,
) -> None:
    """Plan a training run: what learns, what fits the memory, how long it takes, and why."""
    if task is not None:
        if task not in OWN_PLANS:
            raise typer.BadParameter(not_known("task with a plan of its own", task, [*OWN_PLANS]))
        run_own(ctx, task, OWN_PLANS)
        return
    check_not_theirs(ctx, OWN_PLANS)
    from vidfit.backbones.notation import runs_a_file
    from vidfit.cli.progress import Bars
    from vidfit.files import claimed
    from vidfit.jobs.plan.options import PlanOptions
    from vidfit.jobs.plan.run import run_plan
    from vidfit.jobs.plan.write import plan_markdown

    backbone = PlanOptions.backbone if backbone is None else backbone
    options = PlanOptions(
        backbone, network, regime, gpu, memory_bytes(memory), cores, epochs, batch, minutes, groups,
        unlabelled,
    )  # fmt: skip
    folder = output or output_of(clips)
    with claimed(folder), Bars() as bars:
        found = run_plan(clips, folder, options, bars)
    if as_json:
        say_lines((folder / "plan.json").read_text(encoding="utf-8").rstrip())
        return
    say_lines(plan_markdown(found))
    say_lines(f"\nPlan     {folder / 'plan.json'}")
    say(f"Picture  {folder / 'plan.svg'}")
    own = f" --backbone {backbone}" if runs_a_file(backbone) else ""
    own += f" --unlabelled {unlabelled}" if unlabelled else ""
    say(f"Train    vidfit train {clips} --plan {folder / 'plan.json'}{own} -o {folder}")

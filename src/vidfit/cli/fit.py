"""``vidfit fit``: which model, and how well it does on recordings that it has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vidfit.cli.options import (
    Ahead,
    AllowUrl,
    Backbones,
    Clips,
    Commercial,
    Consent,
    CpuSeconds,
    Download,
    GiveUp,
    Groups,
    KeepUntested,
    LabelKind,
    Latency,
    Like,
    Memory,
    Metrics,
    Minutes,
    NetworkOnly,
    On,
    OnlyBelow,
    Output,
    Prefer,
    Scale,
    Seen,
    Side,
    TaskName,
    Variants,
    Weights,
    Workers,
    output_of,
)
from vidfit.cli.own_jobs import OWN_JOBS, check_not_theirs, run_own
from vidfit.cli.quantities import memory_bytes, time_seconds
from vidfit.cli.say import say, say_lines
from vidfit.cli.use import say_use
from vidfit.files import claimed

if TYPE_CHECKING:
    from vidfit.reported import Report


def fit(  # noqa: PLR0913  (the options of a command)
    ctx: typer.Context,
    clips: Clips,
    output: Output = None,
    backbone: Backbones = None,
    groups: Groups = None,
    minutes: Minutes = None,
    memory: Memory = None,
    latency: Latency = None,
    commercial: Commercial = False,
    network_only: NetworkOnly = False,
    variants: Variants = False,
    task: TaskName = None,
    labels: LabelKind = None,
    consent: Consent = None,
    metric: Metrics = None,
    class_weights: Weights = None,
    prefer: Prefer = "cheapest",
    give_up: GiveUp = 2.0,
    holdout: Annotated[
        float,
        typer.Option(min=0.0, max=0.9, help="Share of recordings put aside as test set."),
    ] = 0.0,
    workers: Workers = None,
    on: On = "here",
    download: Download = False,
    merge_duplicates: Annotated[
        bool,
        typer.Option("--merge-duplicates", help="Recordings that share a look count as one."),
    ] = False,
    keep_untested: KeepUntested = False,
    train: Annotated[
        bool | None,
        typer.Option(
            "--train/--no-train",
            help="Train a network on top, or a detector's head, too. [default: if --minutes leaves "
            "time]",
        ),
    ] = None,
    scale: Scale = None,
    like: Like = None,
    seen: Seen = None,
    ahead: Ahead = None,
    side: Side = None,
    cpu_seconds: CpuSeconds = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print report.json, and nothing else.")
    ] = False,
    allow_url: AllowUrl = None,
    only_below: OnlyBelow = None,
) -> None:
    """Compare pretrained models on your clips and fit the best one."""
    if task in OWN_JOBS:
        run_own(ctx, task)
        return
    check_not_theirs(ctx)
    from vidfit.cli.progress import Bars
    from vidfit.jobs.fit.options import FitOptions
    from vidfit.jobs.fit.run import run_fit

    options = FitOptions(
        backbones=tuple(backbone or ()),
        groups=groups,
        minutes=minutes,
        memory_bytes=memory_bytes(memory),
        latency_seconds=time_seconds(latency),
        commercial=commercial,
        network_only=network_only,
        variants=variants,
        task=task,
        labels=labels,
        consent=consent,
        metric=metric,
        class_weights=class_weights,
        prefer=prefer,
        give_up=give_up,
        workers=workers,
        on=on,
        download=download,
        holdout=holdout,
        merge_duplicates=merge_duplicates,
        keep_untested=keep_untested,
        train=train,
    )
    folder = output or output_of(clips)
    with claimed(folder), Bars() as bars:
        report = run_fit(clips, folder, options, bars)
    if as_json:
        say_lines((folder / "report.json").read_text(encoding="utf-8").rstrip())
        return
    show_report(report, folder, options.backbones, consent=consent is not None)


def show_report(
    report: Report, output: Path, asked: Sequence[str] = (), *, consent: bool = False
) -> None:
    """Print the summary and where everything lies."""
    from vidfit.jobs.fit.terminal import report_markdown, without_network

    say_lines(report_markdown(report))
    say(f"Report   {output / 'report.html'}")
    say(f"Model    {output / 'model'}")
    if without := without_network(report):
        say(f"Note     {without}")
    if report.beats_majority:
        say_use(output / "model", asked, consent=consent)

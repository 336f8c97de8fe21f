"""``vidfit fuse``: whether models are better together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vidfit.cli.options import (
    AllowUrl,
    Backbones,
    Commercial,
    Download,
    GiveUp,
    Groups,
    KeepUntested,
    LabelKind,
    Latency,
    Memory,
    Metrics,
    Minutes,
    NetworkOnly,
    On,
    OnlyBelow,
    Output,
    Prefer,
    TaskName,
    Variants,
    Weights,
    Workers,
    output_of,
)
from vidfit.cli.own_jobs import OWN_FUSIONS, run_own
from vidfit.cli.quantities import memory_bytes, time_seconds
from vidfit.cli.say import say, say_lines
from vidfit.cli.use import say_use
from vidfit.files import claimed

if TYPE_CHECKING:
    from vidfit.jobs.fuse.value import Combination


def fuse(  # noqa: PLR0913  (the options of a command)
    ctx: typer.Context,
    clips: Annotated[
        list[str],
        typer.Argument(
            metavar="CLIPS",
            help="Folder CLASS/*.mp4, CSV, Parquet or list of labelled clips; of generate the "
            "folders of two models or more.",
        ),
    ],
    output: Output = None,
    backbone: Backbones = None,
    method: Annotated[
        list[str] | None,
        typer.Option(help="Way to combine, such as stack; may be repeated. [default: all]"),
    ] = None,
    student: Annotated[
        bool, typer.Option("--student", help="Distil the fusion into one backbone, too.")
    ] = False,
    groups: Groups = None,
    minutes: Minutes = None,
    memory: Memory = None,
    latency: Latency = None,
    commercial: Commercial = False,
    network_only: NetworkOnly = False,
    variants: Variants = False,
    task: TaskName = None,
    labels: LabelKind = None,
    metric: Metrics = None,
    class_weights: Weights = None,
    prefer: Prefer = "cheapest",
    give_up: GiveUp = 2.0,
    workers: Workers = None,
    on: On = "here",
    download: Download = False,
    keep_untested: KeepUntested = False,
    allow_url: AllowUrl = None,
    only_below: OnlyBelow = None,
    beside: Annotated[
        str | None,
        typer.Option(
            "--clips",
            metavar="CLIPS",
            help="Of generate: folder or list of real clips, which choose and judge.",
        ),
    ] = None,
) -> None:
    """Combine pretrained models; keep what is proven better than the best of them."""
    if task in OWN_FUSIONS:
        run_own(ctx, task, OWN_FUSIONS)
        return
    if beside is not None:
        raise typer.BadParameter("--clips is for --task generate; leave it away")
    if len(clips) > 1:
        raise typer.BadParameter(f"{len(clips)} lists of clips; give one folder or list")
    (source,) = clips
    from vidfit.cli.progress import Bars
    from vidfit.jobs.fuse.options import FuseOptions
    from vidfit.jobs.fuse.run import run_fuse

    options = FuseOptions(
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
        metric=metric,
        class_weights=class_weights,
        prefer=prefer,
        give_up=give_up,
        workers=workers,
        on=on,
        download=download,
        methods=tuple(method or ()),
        student=student,
        keep_untested=keep_untested,
    )
    folder = output or output_of(source)
    with claimed(folder), Bars() as bars:
        combination = run_fuse(source, folder, options, bars)
    show_combination(combination, folder, options.backbones)


def show_combination(combination: Combination, folder: Path, asked: Sequence[str] = ()) -> None:
    """Print the verdict, what matters of the options, and where everything lies."""
    from vidfit.jobs.fuse.terminal import combination_markdown

    say_lines(combination_markdown(combination))
    say(f"Fusion   {folder / 'fusion.html'}")
    say(f"Model    {folder / 'model'}")
    if combination.offers_student:
        say(f"Student  {folder / 'student'}")
    if combination.beats_majority:
        say_use(folder / "model", asked)

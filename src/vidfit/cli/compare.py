"""``vidfit compare``: architectures on one data set."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vidfit.cli.options import AllowUrl, Backbones, Clips, Groups, OnlyBelow, Workers, output_of
from vidfit.cli.say import say, say_lines
from vidfit.files import claimed

if TYPE_CHECKING:
    from vidfit.jobs.compare.value import ArchitectureTable


def compare(  # noqa: PLR0913  (the options of a command)
    clips: Clips,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Folder for page, rows and features. [default: runs/NAME of CLIPS]",
        ),
    ] = None,
    architectures: Annotated[
        str | None,
        typer.Option(
            metavar="NAME,NAME", help="cnn, cnn-lstm, video-transformer, gpt. [default: all]"
        ),
    ] = None,
    backbone: Backbones = None,
    groups: Groups = None,
    cpu_seconds: Annotated[
        float,
        typer.Option(min=0.1, help="Of the processor, for a row to learn, all folds together."),
    ] = 60.0,
    from_: Annotated[
        Path | None,
        typer.Option("--from", help="Weights of vidfit pretrain. [default: learned in each fold]"),
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option(
            metavar="METRIC", help="Figure that rows are compared by: accuracy, balanced."
        ),
    ] = None,
    side: Annotated[
        int, typer.Option(min=32, max=512, help="Pixels of a side of frames that networks see.")
    ] = 64,
    workers: Workers = None,
    allow_url: AllowUrl = None,
    only_below: OnlyBelow = None,
) -> None:
    """Compare architectures on your clips: frozen and trained, the same folds and budget."""
    from vidfit.cli.progress import Bars
    from vidfit.jobs.compare.options import CompareOptions
    from vidfit.jobs.compare.run import run_compare

    usual = CompareOptions()
    names = tuple(map(str.strip, architectures.split(","))) if architectures is not None else None
    options = CompareOptions(
        architectures=usual.architectures if names is None else names,
        backbones=tuple(backbone or usual.backbones),
        groups=groups,
        cpu_seconds=cpu_seconds,
        pretrained=from_,
        metric=metric,
        side_pixels=side,
        workers=workers,
    )
    folder = output or output_of(clips)
    with claimed(folder), Bars() as bars:
        table = run_compare(clips, folder, options, bars)
    show_architectures(table, folder)


def show_architectures(table: ArchitectureTable, output: Path) -> None:
    """Print the answer and the table, and where the page lies."""
    from vidfit.jobs.compare.terminal import architectures_markdown

    say_lines(architectures_markdown(table))
    say(f"Page     {output / 'architectures.html'}")

"""``vidfit compress``: a smaller or faster model, and what it loses."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vidfit.cli.options import AllowUrl, Groups, OnlyBelow, TaskName, Workers, output_of
from vidfit.cli.say import say, say_lines
from vidfit.cli.use import OwnInModel, say_use
from vidfit.jobs.compress.value import Target

if TYPE_CHECKING:
    from vidfit.jobs.compress.value import Compression


def compress(  # noqa: PLR0913  (the options of a command)
    model: Annotated[Path, typer.Argument(help="Model directory that fit, fuse or train wrote.")],
    clips: Annotated[str, typer.Argument(help="The labelled clips that it was fitted on.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Folder for model, report, artefacts. [default: runs/NAME-small of CLIPS]",
        ),
    ] = None,
    max_loss: Annotated[
        float,
        typer.Option(
            min=0.0, help="Most points of accuracy to lose; proven by half as much in probability."
        ),
    ] = 0.5,
    target: Annotated[Target, typer.Option(help="What is to become small.")] = "latency",
    technique: Annotated[
        list[str] | None,
        typer.Option(help="Such as int8-static; may be repeated. [default: all that suit]"),
    ] = None,
    distil_steps: Annotated[
        int, typer.Option(min=0, help="Updates that teach a pruned network; 0 prunes nothing.")
    ] = 200,
    groups: Groups = None,
    task: TaskName = None,
    unlabelled: Annotated[
        str | None,
        typer.Option(
            help="More clips, labels not needed, to compare answers on with the original's."
        ),
    ] = None,
    backbone: OwnInModel = None,
    workers: Workers = None,
    allow_url: AllowUrl = None,
    only_below: OnlyBelow = None,
) -> None:
    """Make a model smaller or faster; keep what is proven to lose no more than you allow."""
    from vidfit.cli.progress import Bars
    from vidfit.files import claimed
    from vidfit.jobs.compress.options import CompressOptions
    from vidfit.jobs.compress.run import run_compress

    options = CompressOptions(
        max_loss,
        target,
        tuple(technique or ()),
        distil_steps,
        groups,
        workers,
        unlabelled,
        own=tuple(backbone or ()),
        task=task,
    )
    folder = output or output_of(clips).with_name(f"{output_of(clips).name}-small")
    with claimed(folder), Bars() as bars:
        compression = run_compress(model, clips, folder, options, bars)
    show_compression(compression, folder, options.own)


def show_compression(compression: Compression, folder: Path, asked: Sequence[str] = ()) -> None:
    """Print what is kept and what it loses, and where everything lies."""
    from vidfit.jobs.compress.terminal import compression_markdown

    model = folder / "model" if compression.chosen else Path(compression.model)
    say_lines(compression_markdown(compression))
    say(f"Report   {folder / 'compression.html'}")
    say(f"Model    {model}" + ("" if compression.chosen else "  (the original)"))
    say_use(model, asked)

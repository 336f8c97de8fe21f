"""``vidfit train``: carry out a plan."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vidfit.cli.options import AllowUrl, Clips, Groups, On, OnlyBelow, Own, Workers, output_of
from vidfit.cli.say import say, say_lines
from vidfit.cli.use import say_use
from vidfit.files import claimed

if TYPE_CHECKING:
    from vidfit.jobs.train.options import TrainOptions
    from vidfit.jobs.train.value import TrainingReport


def train(  # noqa: PLR0913  (the options of a command)
    clips: Clips,
    plan: Annotated[
        Path | None,
        typer.Option(help="plan.json, as vidfit plan wrote it or edited. [default: plan first]"),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Folder for model, report, checkpoints. [default: runs/NAME of CLIPS]",
        ),
    ] = None,
    groups: Groups = None,
    holdout: Annotated[
        float, typer.Option(min=0.0, max=0.9, help="Share of recordings put aside to test on.")
    ] = 0.2,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Write event files, too (vidfit[log]).")
    ] = False,
    from_: Annotated[
        Path | None, typer.Option("--from", help="Weights of vidfit pretrain to start from.")
    ] = None,
    unlabelled: Annotated[
        str | None,
        typer.Option(
            help="More clips, labels not needed, that a teacher labels as it learns; folder, list."
        ),
    ] = None,
    check_accumulation: Annotated[
        bool,
        typer.Option(
            "--check-accumulation",
            help="Train nothing: compare gradients of 1, 2, 4 and 8 micro-batches.",
        ),
    ] = False,
    backbone: Own = None,
    workers: Workers = None,
    on: On = "here",
    allow_url: AllowUrl = None,
    only_below: OnlyBelow = None,
) -> None:
    """Train the network of a plan on your clips, and test it on unseen recordings."""
    from vidfit.cli.progress import Bars
    from vidfit.jobs.train.options import TrainOptions
    from vidfit.jobs.train.run import run_train

    options = TrainOptions(
        plan, groups, holdout, workers, tensorboard, on, own=tuple(backbone or ()),
        pretrained=from_, unlabelled=unlabelled,
    )  # fmt: skip
    folder = output or output_of(clips)
    if check_accumulation:
        _check(clips, folder, options)
        return
    with claimed(folder), Bars() as bars:
        report = run_train(clips, folder, options, bars)
    show_training(report, folder, options.own)


def _check(clips: str, folder: Path, options: TrainOptions) -> None:
    from vidfit.cli.progress import Bars
    from vidfit.jobs.train.accumulation import run_check

    with claimed(folder), Bars() as bars:
        found = run_check(clips, folder, options, bars)
    say_lines(str(found))
    if not found.agrees:
        raise typer.Exit(1)


def show_training(report: TrainingReport, output: Path, asked: Sequence[str] = ()) -> None:
    """Print the answer, what was trained and how it fits, and where everything lies."""
    from vidfit.jobs.train.terminal import training_markdown

    say_lines(training_markdown(report))
    say(f"Training {output / 'training.html'}")
    say(f"Model    {output / 'model'}")
    say_use(output / "model", asked)

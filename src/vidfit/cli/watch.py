"""``vidfit watch``: answer the videos of a folder as they appear."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vidfit.cli.options import Declining, OnlyBelow, TaskName, Window, Workers
from vidfit.cli.say import say
from vidfit.cli.use import OwnInModel


def watch(  # noqa: PLR0913  (the options of a command)
    model: Annotated[Path, typer.Argument(help="Model directory that fit wrote.")],
    folder: Annotated[Path, typer.Argument(help="Folder in which videos appear.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Folder for answers.jsonl. [default: runs/watch-NAME of FOLDER]"
        ),
    ] = None,
    every: Annotated[float, typer.Option(min=0.05, help="Seconds between two looks.")] = 2.0,
    once: Annotated[bool, typer.Option("--once", help="End when what is there is answered.")] = (
        False
    ),
    task: TaskName = None,
    window: Window = None,
    unknown: Declining = None,
    backbone: OwnInModel = None,
    workers: Workers = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the answers as JSON, a line for each video.")
    ] = False,
    only_below: OnlyBelow = None,
) -> None:
    """Answer the videos of a folder, and each that appears in it, until interrupted."""
    from vidfit.answers import Timeline
    from vidfit.cli.answer import say_timeline
    from vidfit.cli.progress import Bars
    from vidfit.files import claimed
    from vidfit.jobs.watch.options import WatchOptions
    from vidfit.jobs.watch.run import run_watch

    out = output or Path("runs") / f"watch-{folder.resolve().name}"
    options = WatchOptions(every, once, window, unknown, tuple(backbone or ()), task, workers)
    failed = 0
    with claimed(out), Bars() as bars:
        for answer in run_watch(model, folder, out, options, bars):
            if isinstance(answer, Timeline):
                say_timeline(answer, as_json=as_json)
            else:
                say(f"{answer.name}: not answered: {answer.reason}", err=True)
                failed += 1
    if failed:
        raise typer.Exit(1)

"""``vidfit watch``: answer the videos of a folder as they appear."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vidfit.cli.options import OnlyBelow, TaskName, Workers
from vidfit.cli.say import say


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
    window: Annotated[
        float | None, typer.Option(min=0.04, help="Seconds of a window. [default: as trained]")
    ] = None,
    unknown: Annotated[
        str | None,
        typer.Option(
            metavar="off|strict|P",
            help="Always answer, decline earlier, or below this probability. [default: as fitted]",
        ),
    ] = None,
    backbone: Annotated[
        list[str] | None,
        typer.Option(help="FILE.py:NAME of an encoder of your own in the model."),
    ] = None,
    workers: Workers = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the answers as JSON, a line for each video.")
    ] = False,
    only_below: OnlyBelow = None,
) -> None:
    """Answer the videos of a folder, and each that appears in it, until interrupted."""
    from vidfit.cli.answer import say_timeline
    from vidfit.cli.progress import Bars
    from vidfit.contracts import Timeline
    from vidfit.files import claimed
    from vidfit.jobs.watch.options import WatchOptions
    from vidfit.jobs.watch.run import run_watch

    out = output or Path("runs") / f"watch-{folder.resolve().name}"
    options = WatchOptions(every, once, window, unknown, tuple(backbone or ()), task, workers)
    failed = 0
    with claimed(out), Bars() as bars:
        bars.note(f"Watching {folder}; answers go to {out / 'answers.jsonl'}")
        for answer in run_watch(model, folder, out, options, bars):
            if isinstance(answer, Timeline):
                say_timeline(answer, as_json=as_json)
            else:
                say(f"{answer.name}: not answered: {answer.reason}", err=True)
                failed += 1
    if failed:
        raise typer.Exit(1)

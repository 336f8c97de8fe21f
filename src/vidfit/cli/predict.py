"""``vidfit predict``: answers over time."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vidfit.cli.options import (
    AllowUrl,
    Consent,
    Declining,
    On,
    OnlyBelow,
    TaskName,
    Window,
    Workers,
)
from vidfit.cli.say import say
from vidfit.cli.use import OwnInModel


def predict(  # noqa: PLR0913  (the options of a command)
    model: Annotated[
        str,
        typer.Argument(
            help="Model directory that fit wrote, or the name of a detector or segmenter."
        ),
    ],
    videos: Annotated[
        list[str], typer.Argument(help="Videos; folders, lists or tables of videos; or URLs.")
    ],
    also: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="MODEL",
            help="Another model that answers, too, from the same decode; may be repeated.",
        ),
    ] = None,
    index: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Index for vidfit search --index: gets the shots, too, from the same decode.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Folder for the answers. [default: runs/answers with --format, else none]",
        ),
    ] = None,
    formats: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="Files to write: json, csv, vtt, png, mp4, parquet (for all); of objects json, "
            "csv, coco, mot, mp4; comma-separated. [default: json with --output, else none]",
        ),
    ] = None,
    task: TaskName = None,
    window: Window = None,
    smooth: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            metavar="SECONDS",
            help="How long a class lasts on average: windows are read with their neighbours. "
            "[default: each by itself]",
        ),
    ] = None,
    unknown: Declining = None,
    every: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Objects, masks, people: look at every Nth frame. [default: by the rate]",
        ),
    ] = None,
    score: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            max=1.0,
            metavar="P",
            help="Objects: score from which on a box is sure. [default: 0.5]",
        ),
    ] = None,
    smallest: Annotated[
        int | None,
        typer.Option(metavar="PIXELS", help="People: smallest face looked for. [default: 40]"),
    ] = None,
    consent: Consent = None,
    line: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[NAME:]X1,Y1,X2,Y2",
            help="Objects: count what crosses a line, in pixels; may be repeated.",
        ),
    ] = None,
    zone: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME:X,Y X,Y ...",
            help="Objects: count what is in a polygon, and for how long; may be repeated.",
        ),
    ] = None,
    backbone: OwnInModel = None,
    workers: Workers = None,
    on: On = "here",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the answers as JSON, a line for each video.")
    ] = False,
    allow_url: AllowUrl = None,
    only_below: OnlyBelow = None,
) -> None:
    """Answer clips as a whole, and longer videos window by window."""
    from vidfit.cli.answer import Wanted, answer_all, of_task
    from vidfit.cli.progress import Bars

    suffixes = tuple(word.strip() for word in (formats or "json").split(","))
    folder = output or (Path("runs") / "answers" if formats else None)
    own = tuple(backbone or ())
    wanted = Wanted(
        folder,
        suffixes,
        window,
        workers,
        own,
        on,
        unknown,
        as_json,
        task,
        smooth,
        tuple(also or ()),
        index,
        of_task(
            {
                "every": every,
                "score": score,
                "line": line,
                "zone": zone,
                "smallest": smallest,
                "i-have-consent": consent,
            }
        ),
    )
    with Bars() as bars:
        failed = answer_all(model, videos, wanted, bars)
    if folder and folder.is_dir():
        say(f"Answers  {folder}", err=as_json)
    if failed:
        raise typer.Exit(1)

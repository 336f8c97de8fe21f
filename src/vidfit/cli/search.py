"""``vidfit search``: where in a library is what looks, or moves, like this."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from vidfit.cli.options import AllowUrl, Download, OnlyBelow, Workers, output_of
from vidfit.cli.say import say, say_lines

if TYPE_CHECKING:
    from vidfit.jobs.search.options import Way


def search(  # noqa: PLR0913  (the options of a command)
    library: Annotated[str, typer.Argument(help="Folder or list of videos.")],
    query: Annotated[
        str,
        typer.Argument(help="Video, VIDEO#START-END in seconds, picture, or words in quotes."),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Folder for the page and the index. [default: runs/NAME]"
        ),
    ] = None,
    by: Annotated[
        str,
        typer.Option(metavar="look|motion", help="What looks alike, or what moves alike."),
    ] = "look",
    top: Annotated[int, typer.Option(min=1, help="Shots to name.")] = 12,
    backbone: Annotated[
        str, typer.Option(help="Who looks; hf:FOLDER of a SigLIP model knows words, too.")
    ] = "efficientnet-lite0",
    shot: Annotated[float, typer.Option(help="Most seconds of a shot.")] = 4.0,
    index: Annotated[
        Path | None, typer.Option(help="Folder of the index. [default: index in --output]")
    ] = None,
    workers: Workers = None,
    download: Download = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print what was found as JSON, and nothing else.")
    ] = False,
    allow_url: AllowUrl = None,
    only_below: OnlyBelow = None,
) -> None:
    """Find the shots of a library that look, or move, like a clip, a picture or words."""
    from vidfit.cli.progress import Bars
    from vidfit.files import claimed
    from vidfit.jobs.search.options import SearchOptions
    from vidfit.jobs.search.page import search_json, write_search
    from vidfit.jobs.search.run import run_search
    from vidfit.jobs.search.terminal import lines

    options = SearchOptions(cast("Way", by), top, backbone, shot, index, workers, download)
    folder = output or output_of(library)
    with claimed(folder), Bars() as bars:
        result = run_search(library, query, folder, options, bars)
        page = write_search(result, folder)
    if as_json:
        say_lines(search_json(result))
        return
    for line in lines(result):
        say(line)
    say(f"Page     {page}")

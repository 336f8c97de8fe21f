"""``vidfit ask``: the words that answer a question, and when they are said."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vidfit.cli.say import say, say_lines


def ask(
    texts: Annotated[
        list[str],
        typer.Argument(
            metavar="TEXTS... QUESTION",
            help="Videos with subtitles beside them, texts, folders of these; then the question.",
        ),
    ],
    reader: Annotated[
        Path | None,
        typer.Option(help="Model that fit --task read wrote; without one, whole sentences."),
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="Places to name.")] = 3,
    false_answers: Annotated[
        float,
        typer.Option(help="Share of questions without an answer that may get one, such as 0.1."),
    ] = 0.1,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print what was found as JSON, and nothing else.")
    ] = False,
) -> None:
    """Answer a question with words of texts, or of what is said in videos, and say when."""
    from vidfit.cli.progress import Bars
    from vidfit.jobs.ask.options import AskOptions
    from vidfit.jobs.ask.run import run_ask
    from vidfit.jobs.ask.terminal import asked_json, lines

    if len(texts) < 2:
        raise typer.BadParameter("give texts or videos, and then the question in quotes")
    *sources, question = texts
    with Bars() as bars:
        found = run_ask(sources, question, AskOptions(reader, top, false_answers), bars)
    if as_json:
        say_lines(asked_json(found))
        return
    for line in lines(found):
        say(line)

"""Say something on the terminal: no name steers it, and none of its kinds ends a run."""

from __future__ import annotations

from contextlib import suppress

import typer

from vidfit.shown import shown, shown_lines


def say(text: str, *, err: bool = False) -> None:
    """Print one line; hidden signs become escapes, and addresses lose their secrets."""
    typer.echo(shown(text), err=err)


def say_lines(text: str) -> None:
    """Print text of several lines, each as `say` does."""
    typer.echo(shown_lines(text))


def say_if_heard(text: str) -> None:
    """Print one line to standard error, as far as it can be written."""
    with suppress(OSError):
        say(text, err=True)

"""Say something on the terminal: no name steers it, and none of its kinds ends a run."""

from __future__ import annotations

from contextlib import suppress

import typer

from vidfit.errors import VidfitError
from vidfit.shown import shown, shown_lines


def say(text: str, *, err: bool = False) -> None:
    """Print one line; hidden signs become escapes, and addresses lose their secrets."""
    typer.echo(shown(text), err=err)


def say_lines(text: str) -> None:
    """Print text of several lines, each as `say` does."""
    typer.echo(shown_lines(text))


_FAULTS = 20
"""Most that are shown of what is wrong with a file."""


def say_error(error: VidfitError) -> None:
    """Print what is wrong to standard error, a line for each fault, as far as it can be written."""
    if not error.faults:
        say_if_heard(f"vidfit: {error}")
        return
    say_if_heard(f"vidfit: {error.said}:")
    for where, why in error.faults[:_FAULTS]:
        say_if_heard(f"  {where}: {why}")
    if (more := len(error.faults) - _FAULTS) > 0:
        say_if_heard(f"  and {more} more")


def say_if_heard(text: str) -> None:
    """Print one line to standard error, as far as it can be written."""
    with suppress(OSError):
        say(text, err=True)

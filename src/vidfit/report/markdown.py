"""Tables and lists in Markdown, for a terminal or a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vidfit.contracts import Failure
from vidfit.shown import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vidfit.contracts import Note

LISTED = 5


def as_rows(notes: Sequence[Note]) -> list[Failure]:
    """Return notes as rows of a list of names and reasons."""
    return [Failure(note.name, note.text) for note in notes]


def listed(failures: Sequence[Failure]) -> list[str]:
    """Return the first few with their reasons."""
    lines = [f"- {cell(f.name)}: {cell(f.reason)}" for f in failures[:LISTED]]
    more = len(failures) - LISTED
    return [*lines, f"- and {more} more, in the report"] if more > 0 else lines


def row(cells: Sequence[str]) -> str:
    """Return a row of a table."""
    return "| " + " | ".join(cell(text) for text in cells) + " |"


def cell(text: str) -> str:
    """Return text that stays in its cell and is not taken for HTML."""
    escaped = shown(" ".join(text.split())).replace("&", "&amp;").replace("<", "&lt;")
    return escaped.replace("|", "\\|")

"""A compression in a screenful of Markdown, for a terminal or a pull request."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

from vidfit.jobs.compress import words
from vidfit.report import wording
from vidfit.report.markdown import cell, listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vidfit.jobs.compress.value import Artefact, Compression

LETTERS, ROWS, NAME_LETTERS = 100, 11, 20
COLUMNS = ("artefact", "size", "time", "memory", "points lost", "verdict")


def compression_markdown(compression: Compression) -> str:
    """Return the verdict, a row for each artefact, and warnings as Markdown.

    Sentences break, and the table ends, at 100 letters.
    """
    c = compression
    lines = [*_wrapped(f"**{words.headline(c)}**"), "", *_wrapped(c.verdict), ""]
    lines += [*_table(c), "", *_wrapped(words.judged_sentence(c)), *_wrapped(words.agreed(c))]
    lines += _failed(c)
    if c.failures:
        noun = "clip or network" if len(c.failures) == 1 else "clips or networks"
        lines += ["", f"{len(c.failures):,} {noun} could not be used:", *listed(c.failures)]
    for warning in c.warnings:
        lines += ["", *(f"> {line}" for line in _wrapped(warning, LETTERS - 2))]
    return "\n".join(lines) + "\n"


def _failed(compression: Compression) -> list[str]:
    """Return the first reason why an artefact could not be made: others often share it."""
    first = next((a for a in compression.artefacts if a.verdict == "failed"), None)
    return (
        _wrapped(f"{wording.cut(first.name, NAME_LETTERS)} failed: {first.reason}")[:3]
        if first
        else []
    )


def _wrapped(text: str, letters: int = LETTERS) -> list[str]:
    return wrap(cell(text), letters, break_long_words=False, break_on_hyphens=False)


def _table(compression: Compression) -> list[str]:
    shown = words.ordered(compression)
    rows = [COLUMNS, _original(compression)]
    rows += [_row(artefact, compression) for artefact in shown[:ROWS]]
    cells = [[cell(text) for text in row] for row in rows]
    widths = [max(3, *map(len, column)) for column in zip(*cells, strict=True)]
    lines = [_line(row, widths) for row in cells]
    lines.insert(1, _line(["-" * width for width in widths], widths))
    more = len(shown) - ROWS
    return [*lines, "", f"{more} more in the report."] if more > 0 else lines


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [text.ljust(width) for text, width in zip(cells, widths, strict=True)]
    return f"| {' | '.join(padded)} |"


def _original(compression: Compression) -> tuple[str, ...]:
    of = compression.original.footprint
    taken = (words.size(of.size_bytes), words.time(of), words.size(of.memory_bytes)) if of else ()
    return ("original", *(taken or (wording.DASH,) * 3), wording.DASH, wording.DASH)


def _row(artefact: Artefact, compression: Compression) -> tuple[str, ...]:
    of, was, loss = artefact.footprint, compression.original.footprint, artefact.loss
    lost = wording.DASH if loss is None else words.points(loss.value)
    if loss is not None and words.measured(loss):
        lost += f" {words.interval(loss)}"
    said = (words.smaller(of, was), words.faster(of), words.lighter(of, was), lost)
    short = (wording.DASH if text == wording.NOT_MEASURED else text for text in said)
    return wording.cut(artefact.name, NAME_LETTERS), *short, words.VERDICTS[artefact.verdict][0]

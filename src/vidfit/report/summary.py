"""A report in a screenful of Markdown, for a terminal or a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vidfit.contracts import Failure
from vidfit.report import wording
from vidfit.report.declining import declines_text
from vidfit.report.leaderboard import by_accuracy, headline, leakage_sentence
from vidfit.shown import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vidfit.contracts import Note
    from vidfit.reported import Candidate, Report

ROWS = 12
LISTED = 5
COLUMNS = ("", "candidate", "accuracy [95 %]", "per clip", "parameters", "GMACs", "licence")


def report_markdown(report: Report) -> str:
    """Return the headline, the leaders and the warnings as Markdown."""
    ranked = by_accuracy(report.candidates)
    shown = [c for place, c in enumerate(ranked) if place < ROWS or c.chosen]
    lines = [
        f"**{cell(headline(report))}**",
        "",
        cell(report.verdict),
        "",
        row(COLUMNS),
        row(("---",) * len(COLUMNS)),
        *(row(_candidate(candidate)) for candidate in shown),
    ]
    if len(shown) < len(ranked):
        lines += ["", f"{len(ranked) - len(shown)} more candidates are in the report."]
    lines += ["", cell(leakage_sentence(report))]
    if report.declines:
        lines += ["", cell(declines_text(report.declines))]
    if report.failures:
        lines += ["", wording.counted(len(report.failures), "clip") + " could not be used:"]
        lines += listed(report.failures)
    if report.notes:
        lines += ["", wording.counted(len(report.notes), "clip") + " used with a note:"]
        lines += listed(as_rows(report.notes))
    if report.dropped:
        lines += ["", wording.counted(len(report.dropped), "candidate") + " dropped:"]
        lines += listed(report.dropped)
    lines += [f"\n> {cell(warning)}" for warning in report.warnings]
    return "\n".join(lines) + "\n"


def as_rows(notes: Sequence[Note]) -> list[Failure]:
    """Return notes as rows of a list of names and reasons."""
    return [Failure(note.name, note.text) for note in notes]


def listed(failures: Sequence[Failure]) -> list[str]:
    """Return the first few with their reasons."""
    lines = [f"- {cell(f.name)}: {cell(f.reason)}" for f in failures[:LISTED]]
    more = len(failures) - LISTED
    return [*lines, f"- and {more} more, in the report"] if more > 0 else lines


def _candidate(candidate: Candidate) -> tuple[str, ...]:
    return (
        "→" if candidate.chosen else "",
        candidate.name,
        wording.figure(candidate.score),
        wording.milliseconds(candidate.seconds_per_clip),
        wording.large(candidate.parameters),
        wording.gmacs(candidate.gmacs_per_clip),
        candidate.licence,
    )


def row(cells: Sequence[str]) -> str:
    """Return a row of a table."""
    return "| " + " | ".join(cell(text) for text in cells) + " |"


def cell(text: str) -> str:
    """Return text that stays in its cell and is not taken for HTML."""
    escaped = shown(" ".join(text.split())).replace("&", "&amp;").replace("<", "&lt;")
    return escaped.replace("|", "\\|")

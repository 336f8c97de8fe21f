"""A report in a screenful of Markdown, for a terminal or a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vidfit.jobs.fit.figures import kinds_markdown
from vidfit.report import wording
from vidfit.report.declining import declines_text
from vidfit.report.leaderboard import best_first, headline, leakage_sentence
from vidfit.report.markdown import as_rows, cell, listed, row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vidfit.report.wording import Metric
    from vidfit.reported import Candidate, Report

BEST = 3
"""Single models that are shown; the answer, the best fusion and the baseline come beside."""


def report_markdown(report: Report) -> str:
    """Return the headline, the leaders and the warnings as Markdown."""
    metric = wording.metric_of(report)
    ranked = best_first(report.candidates, metric)
    score = f"{metric.name} [95 %]"
    columns = ("", "candidate", score, f"per {report.row}", "parameters", "GMACs", "licence")
    shown = leading(ranked)
    lines = [
        f"**{cell(headline(report))}**",
        "",
        cell(report.verdict),
        "",
        row(columns),
        row(("---",) * len(columns)),
        *(row(_candidate(candidate, metric)) for candidate in shown),
    ]
    if len(shown) < len(ranked):
        more = wording.counted(len(ranked) - len(shown), "more candidate")
        lines += ["", f"{more} in the report."]
    lines += [cell(line) for line in kinds_markdown(report)]
    lines += ["", cell(leakage_sentence(report))]
    if report.declines:
        lines += ["", cell(declines_text(report.declines))]
    if report.failures:
        lines += ["", wording.counted(len(report.failures), report.row) + " could not be used:"]
        lines += listed(report.failures)
    if report.notes:
        lines += ["", wording.counted(len(report.notes), report.row) + " used with a note:"]
        lines += listed(as_rows(report.notes))
    if report.dropped:
        lines += ["", wording.counted(len(report.dropped), "candidate") + " dropped:"]
        lines += listed(report.dropped)
    lines += [f"\n> {cell(warning)}" for warning in report.warnings]
    return "\n".join(lines) + "\n"


def without_network(report: Report) -> str:
    """Say that the model has no network, and what follows; nothing where it has one."""
    chosen = next((c for c in report.candidates if c.chosen), None)
    if chosen is None or chosen.parameters or chosen.gmacs_per_clip:
        return ""
    return (
        f"{chosen.name} has no network, so that compress and export have nothing to work on; "
        "fit with --network-only takes the best that has one"
    )


def leading(ranked: Sequence[Candidate]) -> list[Candidate]:
    """Return the answer, the best single models, the best fusion and the baseline, best first."""
    best: list[Candidate] = []
    for kind, count in (("backbone", BEST), ("fusion", 1), ("baseline", 1)):
        best += [candidate for candidate in ranked if candidate.kind == kind][:count]
    return [candidate for candidate in ranked if candidate.chosen or candidate in best]


def _candidate(candidate: Candidate, metric: Metric) -> tuple[str, ...]:
    return (
        "→" if candidate.chosen else "",
        candidate.name,
        metric.figure(candidate.score),
        wording.milliseconds(candidate.seconds_per_clip),
        wording.large(candidate.parameters),
        wording.gmacs(candidate.gmacs_per_clip),
        candidate.licence,
    )

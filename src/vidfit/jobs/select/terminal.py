"""A ranking in a screenful of Markdown, for a terminal or a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vidfit.jobs.select import words
from vidfit.report import wording
from vidfit.report.markdown import cell, listed, row

if TYPE_CHECKING:
    from vidfit.contracts import Failure
    from vidfit.jobs.select.value import Ranked, Ranking, Rung
    from vidfit.report.wording import Metric

ROWS = 20
NAMED = 4
SIGNS = {"recommended": "→", "tied": "="}


def ranking_markdown(ranking: Ranking) -> str:
    """Return the answer, all that ran, what else was tried and what it took, as Markdown."""
    lines = [f"**{cell(words.headline(ranking))}**", "", cell(ranking.why), ""]
    lines += _table(ranking)
    lines += ["", *_facts(ranking)]
    lines += ["", cell(words.ended_sentence(ranking)), *_race(ranking)]
    lines += ["", words.spent_sentence(ranking)]
    lines += _left_out("candidate", "never ran", ranking.dropped)
    lines += _left_out(ranking.row, "could not be used", ranking.failures)
    lines += [f"\n> {cell(warning)}" for warning in ranking.warnings]
    return "\n".join(lines) + "\n"


def _table(ranking: Ranking) -> list[str]:
    shown = [c for place, c in enumerate(ranking.candidates) if place < ROWS or c.standing in SIGNS]
    metric = wording.metric_of(ranking)
    columns = (
        "", "candidate", f"{metric.name} [95 %]", "behind best", f"{ranking.row}s",
        f"per {ranking.row}", "parameters", "GMACs", "licence", "standing",
    )  # fmt: skip
    lines = [row(columns), row(("---",) * len(columns))]
    lines += [row(_candidate(c, metric)) for c in shown]
    more = len(ranking.candidates) - len(shown)
    return [*lines, "", f"{more} more candidates are in the report."] if more else lines


def _candidate(candidate: Ranked, metric: Metric) -> tuple[str, ...]:
    return (
        SIGNS.get(candidate.standing, ""),
        candidate.name,
        metric.figure(candidate.score),
        words.behind(candidate.behind_best, metric),
        f"{candidate.clips:,}",
        wording.milliseconds(candidate.seconds_per_clip),
        wording.large(candidate.parameters),
        wording.gmacs(candidate.gmacs_per_clip),
        candidate.licence,
        candidate.standing,
    )


def _facts(ranking: Ranking) -> list[str]:
    """List what other rules would have picked, and what the clips ask for."""
    metric = wording.metric_of(ranking)
    lines = [
        f"- {b.rule} ({b.evidence}): {b.name}, {metric.figure(b.score)}; "
        f"{words.baseline_sentence(b, ranking)}."
        for b in ranking.baselines
    ]
    lines += [
        f"- {words.claim_sentence(ranking)}",
        f"- {ranking.baseline}: {metric.figure(ranking.majority)}.",
        f"- {words.temporal_sentence(ranking.temporal, metric)}",
        f"- {words.regime_sentence(ranking)}",
    ]
    return [cell(line) for line in lines]


def _race(ranking: Ranking) -> list[str]:
    return [
        cell(f"- {words.round_sentence(place, rung)}{_out(rung)}")
        for place, rung in enumerate(ranking.rungs, 1)
    ]


def _out(rung: Rung) -> str:
    """Name the first few that were dropped, with their reasons."""
    said = [f"{f.name} ({f.reason})" for f in rung.dropped[:NAMED]]
    more = len(rung.dropped) - len(said)
    said += [f"and {more} more"] if more > 0 else []
    return f" Dropped: {', '.join(said)}." if said else ""


def _left_out(noun: str, what: str, failures: tuple[Failure, ...]) -> list[str]:
    if not failures:
        return []
    return ["", f"{wording.counted(len(failures), noun)} {what}:", *listed(failures)]

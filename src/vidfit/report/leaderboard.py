"""What the candidates say together: order, front, headline and the price of a leak."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Protocol, TypeVar

from vidfit.report import wording

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vidfit.contracts import Estimate
    from vidfit.reported import Candidate, Report


class Costed(Protocol):
    """Whatever has a score and a measured cost per clip."""

    @property
    def score(self) -> Estimate:
        """Figure of the metric."""
        ...

    @property
    def seconds_per_clip(self) -> float:
        """Seconds of one thread."""
        ...


C = TypeVar("C", bound=Costed)


def by_accuracy(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return candidates from best to worst; at equal accuracy the cheaper first."""

    def order(candidate: Candidate) -> tuple[float, float, str]:
        score, cost = candidate.score.value, candidate.seconds_per_clip
        return (
            -score if isfinite(score) else 1.0,
            cost if isfinite(cost) else float("inf"),
            candidate.name,
        )

    return sorted(candidates, key=order)


def pareto_front(candidates: Sequence[C]) -> list[C]:
    """Return those that none beats in accuracy at equal or lower cost, cheapest first."""
    front: list[C] = []
    for candidate in sorted(
        (c for c in candidates if on_cost_axis(c)),
        key=lambda c: (c.seconds_per_clip, -c.score.value),
    ):
        if not front or candidate.score.value > front[-1].score.value:
            front.append(candidate)
    return front


def on_cost_axis(candidate: Costed) -> bool:
    """Tell whether a candidate has an accuracy and a cost that a log axis can show."""
    cost = candidate.seconds_per_clip
    return isfinite(candidate.score.value) and isfinite(cost) and cost > 0


def headline(report: Report) -> str:
    """Return the answer in a sentence, or in two where nothing is proven."""
    if not report.beats_majority:
        return (
            f"{wording.nothing_proven(report.majority_class, report.majority)} Best by estimate: "
            f"{report.chosen}, {wording.figure(report.score)} on recordings it never saw."
        )
    return (
        f"Use {report.chosen}: {wording.figure(report.score)} on recordings it never saw "
        f"(majority class {wording.percent(report.majority.value)})."
    )


def leakage_sentence(report: Report) -> str:
    """Say what a random split of the same clips would have claimed."""
    claimed, honest = report.random_split.value, report.grouped_split.value
    if not isfinite(claimed) or not isfinite(honest):
        return "What a random split would have claimed was not measured."
    if report.group_count == report.clip_count:
        return (
            f"Every clip counts as a recording of its own, so a random split "
            f"({wording.percent(claimed)}) is no easier by design."
        )
    gap = claimed - honest
    if gap < 0.0005:
        return (
            f"A random split would have claimed {wording.percent(claimed)}, no more than the "
            f"{wording.percent(honest)} of a split by recording: no sign that a leak flatters it."
        )
    return (
        f"A random split, with clips of one recording on both sides, would have claimed "
        f"{wording.percent(claimed)}: {wording.points(gap)} more than the same work under a "
        f"split by recording.{_overlap(report)}"
    )


def _overlap(report: Report) -> str:
    both = wording.has_interval(report.grouped_split) and wording.has_interval(report.random_split)
    if both and report.random_split.low <= report.grouped_split.high:
        return " The intervals overlap, so part of the gap may be chance."
    return ""

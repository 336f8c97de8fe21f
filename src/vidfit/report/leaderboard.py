"""What the candidates say together: order, front, headline and the price of a leak."""

from __future__ import annotations

from math import inf, isfinite
from typing import TYPE_CHECKING, Protocol, TypeVar

from vidfit.report import wording

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vidfit.contracts import Estimate
    from vidfit.report.wording import Metric
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


def best_first(candidates: Sequence[Candidate], metric: Metric) -> list[Candidate]:
    """Return candidates from best to worst; at equal scores the cheaper first."""

    def order(candidate: Candidate) -> tuple[float, float, str]:
        merit, cost = metric.merit(candidate.score.value), candidate.seconds_per_clip
        return (
            -merit if isfinite(merit) else inf,
            cost if isfinite(cost) else inf,
            candidate.name,
        )

    return sorted(candidates, key=order)


def pareto_front(candidates: Sequence[C], metric: Metric) -> list[C]:
    """Return those that none beats in score at equal or lower cost, cheapest first."""

    def merit(candidate: C) -> float:
        return metric.merit(candidate.score.value)

    front: list[C] = []
    for candidate in sorted(
        (c for c in candidates if on_cost_axis(c)), key=lambda c: (c.seconds_per_clip, -merit(c))
    ):
        if not front or merit(candidate) > merit(front[-1]):
            front.append(candidate)
    return front


def on_cost_axis(candidate: Costed) -> bool:
    """Tell whether a candidate has a score and a cost that a log axis can show."""
    cost = candidate.seconds_per_clip
    return isfinite(candidate.score.value) and isfinite(cost) and cost > 0


def headline(report: Report) -> str:
    """Return the answer in a sentence, or in two where nothing is proven."""
    metric = wording.metric_of(report)
    score = f"{metric.said(metric.figure(report.score))} on recordings it never saw"
    if not report.beats_majority:
        nothing = nothing_proven(report)
        return f"{nothing} Best by estimate: {report.chosen}, {score}."
    return (
        f"Use {report.chosen}: {score} ({report.baseline} {metric.value(report.majority.value)})."
    )


class HasBaseline(wording.HasMetric, Protocol):
    """What was measured beside what always answers the same, ``majority_class``."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Of the clips."""

    @property
    def majority_class(self) -> str:
        """What is always answered: a class, or other words."""

    @property
    def baseline(self) -> str:
        """What is called so."""

    @property
    def majority(self) -> Estimate:
        """Its figure."""


def nothing_proven(answer: HasBaseline) -> str:
    """Say that no model is proven better than one constant answer: a class, or what else it is."""
    words, value = answer.majority_class, answer.majority.value
    if not words:
        than = "always saying the most frequent class"
    elif words in answer.classes:
        than = f"always saying '{words}'"
    else:
        than = f"the baseline, {answer.baseline}{'' if words in answer.baseline else f': {words}'}"
    share = f" ({wording.metric_of(answer).value(value)})" if isfinite(value) else ""
    return f"Nothing here is proven better than {than}{share}."


def leakage_sentence(report: Report) -> str:
    """Say how much more a random split of the same clips would have claimed."""
    metric, leak = wording.metric_of(report), report.leak
    if not isfinite(leak.value):
        return "What a random split would have claimed was not measured."
    if report.group_count == report.clip_count:
        return (
            f"Every {report.row} counts as a recording of its own, so a random split "
            f"({metric.value(report.random_split.value)}) is no easier by design."
        )
    if leak.value < 0.0005:
        return (
            f"A random split would have claimed no more than a split by recording "
            f"({metric.gain(leak)}): no sign that a leak flatters it."
        )
    more = f"{metric.behind(leak)} {'more' if metric.higher_is_better else 'less'}"
    text = (
        f"A random split, with {report.row}s of one recording on both sides, would have claimed "
        f"{more} than the same work under a split by recording."
    )
    if wording.has_interval(leak) and leak.low > 0:
        return text
    return f"{text} The interval holds zero, so the difference may be chance."

"""Accuracy against the milliseconds of a clip, or of what else a task answers."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Protocol

from markupsafe import Markup

from vidfit.contracts import Estimate
from vidfit.report import wording
from vidfit.report.charts import EMPTY, score_axis
from vidfit.report.leaderboard import Costed, on_cost_axis, pareto_front
from vidfit.report.plane import FAR, LESSER, Level, Plane, Spot, plane_chart, span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vidfit.report.wording import Metric


class Named(Costed, Protocol):
    """What has a name beside its score and its cost."""

    @property
    def name(self) -> str:
        """The label."""
        ...


class Drawn(Named, Protocol):
    """What the chart can draw: ``kind`` is a key of `vidfit.report.charts.MARKS`."""

    @property
    def kind(self) -> str:
        """Shape and colour of the mark; a ``"baseline"`` without cost is a level line."""
        ...

    @property
    def chosen(self) -> bool:
        """Whether it is the one to use."""
        ...


def cost_chart(
    candidates: Sequence[Drawn],
    width: int,
    height: int,
    metric: Metric,
    *,
    front: Sequence[Drawn] | None = None,
) -> Markup:
    """Return the chart, or nothing when no candidate has a cost.

    ``front`` is the Pareto front where it is not that of all candidates.
    """
    front = pareto_front(candidates, metric) if front is None else front
    ahead = {c.name for c in front}
    spots = [
        cost_spot(c, metric, c.kind, 0 if c.chosen else 1 if c.name in ahead else FAR)
        for c in sorted(candidates, key=lambda c: -metric.merit(c.score.value))
        if on_cost_axis(c)
    ]
    floors = [
        Level(c.score.value, c.name, tip=f"{c.name}: {metric.figure(c.score)}")
        for c in candidates
        if is_floor(c)
    ]
    on_front = [spot for c in front for spot in spots if spot.name == c.name]
    return cost_plane(
        sorted(spots, key=lambda spot: spot.rank), on_front, metric, (width, height), lines=floors
    )


def cost_spot(candidate: Named, metric: Metric, kind: str, rank: int) -> Spot:
    """Return the mark of whatever has a name, a score and a cost."""
    tip = (
        f"{candidate.name}: {metric.figure(candidate.score)}, "
        f"{wording.milliseconds(candidate.seconds_per_clip)}"
    )
    cost = 1000 * candidate.seconds_per_clip
    return Spot(candidate.name, kind, cost, candidate.score, tip, rank)


def cost_plane(
    spots: Sequence[Spot],
    front: Sequence[Spot],
    metric: Metric,
    size: tuple[int, int],
    *,
    lines: Sequence[Level] = (),
    named: int = LESSER,
) -> Markup:
    """Return scores against milliseconds, as `plane_chart` does; nothing without a mark."""
    if not spots:
        return EMPTY
    ends = [Estimate(v, v, v) for v in (line.value for line in lines)]
    axis = score_axis((*(spot.figure for spot in spots), *ends), metric)
    first, last = span(spot.cost for spot in spots)
    plane = Plane(*size, first, last, axis, metric.title, "milliseconds")
    return plane_chart(plane, spots, front, lines, named)


def is_floor(candidate: Drawn) -> bool:
    """Tell whether a candidate is a baseline without a cost: a level line, not a mark."""
    measured = isfinite(candidate.score.value)
    return candidate.kind == "baseline" and measured and not on_cost_axis(candidate)

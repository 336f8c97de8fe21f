"""Accuracy against cost of many options: the important ones named, the others as pale marks."""

from __future__ import annotations

from dataclasses import replace
from math import nan
from typing import TYPE_CHECKING

from markupsafe import Markup

from vidfit.report import wording
from vidfit.report.cost_chart import cost_plane, cost_spot
from vidfit.report.leaderboard import on_cost_axis
from vidfit.report.plane import FAR, LESSER, Spot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vidfit.jobs.fuse.value import Combination

ALL_NAMED = 14
"""Up to this number of options each is named; of more only those that matter."""


def spots(combination: Combination) -> list[Spot]:
    """Return what can be drawn: each option and the student, what matters most first.

    Only those that matter keep their interval.
    """
    metric = wording.metric_of(combination)
    found = [
        cost_spot(option, metric, option.family, rank)
        for option, rank in zip(combination.options, _ranks(combination), strict=True)
        if on_cost_axis(option)
    ]
    student = combination.student
    if student is not None and on_cost_axis(student):
        named = replace(student, name=f"student on {student.name}")
        found.append(cost_spot(named, metric, "student", 2))
    found.sort(key=lambda spot: (spot.rank, -metric.merit(spot.figure.value)))
    return [spot if spot.rank < FAR else _bare(spot) for spot in found]


def _bare(spot: Spot) -> Spot:
    return replace(spot, figure=replace(spot.figure, low=nan, high=nan))


def _ranks(combination: Combination) -> Iterator[int]:
    """Rank the chosen, the best single, cascades and the front before all others."""
    options = combination.options
    best_fusion = next((o.name for o in options if o.family != "single"), None)
    for option in options:
        if option.name == combination.chosen:
            yield 0
        elif option.name == combination.best_single:
            yield 1
        elif option.calls or option.name == best_fusion:
            yield 2
        elif option.pareto:
            yield 3
        else:
            yield FAR if len(options) <= ALL_NAMED else LESSER


def cost_picture(
    combination: Combination, width: int, height: int, *, names: int = LESSER
) -> Markup:
    """Return the chart, or nothing when no option has a cost and a score.

    Marks of a rank below ``names`` are named where there is room.
    """
    shown = spots(combination)
    ahead = {option.name for option in combination.options if option.pareto}
    front = sorted((s for s in shown if s.name in ahead), key=lambda s: (s.cost, -s.rank))
    metric = wording.metric_of(combination)
    return cost_plane(shown, front, metric, (width, height), named=names)


def without_cost(combination: Combination) -> list[str]:
    """Return the names of options that the chart cannot show."""
    return [o.name for o in combination.options if not on_cost_axis(o)]

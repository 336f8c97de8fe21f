"""How well each class is told: rows of a table, and small charts of precision over recall."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from markupsafe import Markup

from vidfit.report import wording
from vidfit.report.charts import join

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vidfit.reported import ClassScores

SHOWN_CLASSES = 12
"""Of more classes than that the worst are shown first, and the others on demand."""

LEFT, TOP, SIDE = 30, 8, 150


def worst_first(by_class: Sequence[ClassScores]) -> list[ClassScores]:
    """Return classes by F1, the lowest first, and those without a figure last."""

    def order(one: ClassScores) -> tuple[bool, float, float]:
        value, area = one.f1.value, one.average_precision.value
        return not isfinite(value), value, area

    return sorted(by_class, key=order)


def precision_recall_chart(one: ClassScores, clip_count: int) -> Markup:
    """Return precision over recall as steps, above the share of the class as a level line.

    Between two points the precision is the higher of those that follow (as of a user who may
    choose where to stop), so that the line does not show the noise of single clips.
    """
    share = one.clips / clip_count if clip_count else 0.0
    tip = (
        f"{one.label}: average precision {wording.figure(one.average_precision)}; taken by "
        f"chance the precision is {wording.percent(share)}"
    )
    return Markup(
        '<svg class="plot curve" viewBox="0 0 190 180" role="img" aria-label="{0}">'
        "<title>{0}</title>{1}</svg>"
    ).format(tip, join([*_grid(), _level(share), *_steps(one.curve)]))


def curve_chart(points: Sequence[tuple[float, float]], tip: str) -> Markup:
    """Return precision over recall as steps, without a level line."""
    return Markup(
        '<svg class="plot curve" viewBox="0 0 190 180" role="img" aria-label="{0}">'
        "<title>{0}</title>{1}</svg>"
    ).format(tip, join([*_grid(), *_steps(points)]))


def _x(recall: float) -> float:
    return round(LEFT + SIDE * recall, 1)


def _y(precision: float) -> float:
    return round(TOP + SIDE * (1 - precision), 1)


def _grid() -> list[Markup]:
    sides = "".join(f"M{_x(f)} {_y(1)}V{_y(0)}M{_x(0)} {_y(f)}H{_x(1)}" for f in (0.0, 0.5, 1.0))
    letters = (
        Markup('<text x="{}" y="{}" text-anchor="end">{}</text>').format(x, y, text)
        for x, y, text in (
            (LEFT - 4, _y(1) + 5, "100"),
            (LEFT - 4, _y(0) + 4, "0"),
            (_x(1), _y(0) + 16, "recall 100"),
        )
    )
    return [Markup('<path class="grid" d="{}"/>').format(sides), *letters]


def _level(share: float) -> Markup:
    return Markup('<path class="floor" d="M{} {}H{}"/>').format(_x(0), _y(share), _x(1))


def _steps(curve: Sequence[tuple[float, float]]) -> list[Markup]:
    path, best = "", 0.0
    for place in reversed(range(len(curve))):
        recall, precision = curve[place]
        if precision > best:
            best = precision
            path += f"H{_x(recall)}V{_y(best)}" if path else f"M{_x(recall)} {_y(best)}"
    return [Markup('<path class="precision" d="{}H{}"/>').format(path, _x(0))] if path else []

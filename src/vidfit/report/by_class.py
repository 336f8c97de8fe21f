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
        '<svg class="plot curve" viewBox="0 0 190 192" role="img" aria-label="{0}">'
        "<title>{0}</title>{1}</svg>"
    ).format(tip, join([*_grid(), _level(share), *_steps(one.curve)]))


def _x(recall: float) -> float:
    return round(LEFT + SIDE * recall, 1)


def _y(precision: float) -> float:
    return round(TOP + SIDE * (1 - precision), 1)


def _grid() -> list[Markup]:
    lines = [
        Markup(
            '<line class="grid" x1="{x}" x2="{x}" y1="{top}" y2="{bottom}"/>'
            '<line class="grid" x1="{left}" x2="{right}" y1="{y}" y2="{y}"/>'
            '<text x="{x}" y="{below}" text-anchor="middle">{n:.0f}</text>'
            '<text x="{beside}" y="{base}" text-anchor="end">{n:.0f}</text>'
        ).format(
            x=_x(f), y=_y(f), top=_y(1), bottom=_y(0), left=_x(0), right=_x(1),
            below=_y(0) + 15, beside=LEFT - 5, base=_y(f) + 4, n=100 * f,
        )
        for f in (0.0, 0.5, 1.0)
    ]  # fmt: skip
    name = Markup('<text class="name" x="{}" y="{}" text-anchor="end">recall, %</text>')
    return [*lines, name.format(_x(1) + 6, _y(0) + 30)]


def _level(share: float) -> Markup:
    return Markup('<line class="floor" x1="{}" x2="{}" y1="{y}" y2="{y}"/>').format(
        _x(0), _x(1), y=_y(share)
    )


def _steps(curve: Sequence[tuple[float, float]]) -> list[Markup]:
    path, best = "", 0.0
    for recall, precision in reversed(curve):
        best = max(best, precision)
        path += f"V{_y(best)}" if path else f"M{_x(recall)} {_y(best)}"
        before = max((r for r, _ in curve if r < recall), default=0.0)
        path += f"H{_x(before)}"
    return [Markup('<path class="precision" d="{}"/>').format(path)] if path else []

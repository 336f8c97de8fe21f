"""Confusion of classes: a table while it can be read, a map of cells beyond that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from vidfit.report import wording
from vidfit.report.charts import EMPTY, join

if TYPE_CHECKING:
    from collections.abc import Sequence

    Matrix = Sequence[Sequence[float]]
    """Counts, or shares, of true classes (rows) by answers."""

LARGEST_TABLE, LARGEST_UPRIGHT = 10, 30
"""Classes that a table shows; one with names that stand upright, and shares, shows more."""

SHADES = 6
SMALLEST_CELL, LARGEST_CELL, MAP_PIXELS = 8, 16, 910
NAMED_CELLS = 60
LONGEST_NAME = 24


@dataclass(frozen=True, slots=True)
class Mistake:
    """Clips of one class that were answered as another."""

    label: str
    answer: str
    count: float
    share: float


def mistakes(classes: Sequence[str], matrix_KK: Matrix, most: int = 10) -> list[Mistake]:
    """Return the most frequent confusions; rows of the matrix are true classes."""
    found = [
        Mistake(label, classes[column], count, count / sum(row))
        for place, (label, row) in enumerate(zip(classes, matrix_KK, strict=True))
        for column, count in enumerate(row)
        if count and column != place
    ]
    return sorted(found, key=lambda m: (-m.count, -m.share, m.label))[:most]


def confusion_map(
    classes: Sequence[str], matrix_KK: Matrix, largest_table: int = LARGEST_TABLE
) -> Markup:
    """Return a matrix that is too large for a table as an SVG map.

    Cells are shaded by their share of the true class.

    Cells of one shade are one path: a hundred classes stay small enough for a page.
    """
    size = len(classes)
    if size <= largest_table:
        return EMPTY
    cell = max(SMALLEST_CELL, min(LARGEST_CELL, MAP_PIXELS // size))
    margin = 10 + 0.6 * _letter(cell) * min(LONGEST_NAME, max(map(len, classes)))
    side = round(margin + cell * size + 4)
    pieces = [
        _frame(margin, cell * size),
        *_shaded(matrix_KK, margin, cell),
        *_tooltips(classes, matrix_KK, margin, cell),
        *_names(classes, margin, cell),
    ]
    return Markup(
        '<svg class="map" width="{0}" height="{0}" viewBox="0 0 {0} {0}" role="img" '
        'style="font-size:{2}px" '
        'aria-label="Confusion matrix, rows true classes, columns answers">{1}</svg>'
    ).format(side, join(pieces), _letter(cell))


def _letter(cell: int) -> int:
    """Return the height of letters beside cells, in pixels."""
    return 11 if cell > 12 else cell - 1


def _frame(margin: float, side: float) -> Markup:
    return Markup('<rect class="frame" x="{0}" y="{0}" width="{1}" height="{1}"/>').format(
        margin, side
    )


def _shaded(matrix_KK: Matrix, margin: float, cell: int) -> list[Markup]:
    squares: dict[tuple[bool, int], list[str]] = {}
    for row_place, row in enumerate(matrix_KK):
        total = sum(row) or 1
        for column, count in enumerate(row):
            if count:
                shade = max(1, round(SHADES * count / total))
                square = f"M{column} {row_place}h1v1h-1z"
                squares.setdefault((column == row_place, shade), []).append(square)
    return [
        Markup('<path class="{}" opacity="{:.2f}" transform="translate({} {}) scale({})" d="{}"/>')
        .format("right" if right else "wrong", 0.12 + 0.88 * shade / SHADES, margin, margin,
                cell, "".join(found))
        for (right, shade), found in sorted(squares.items())
    ]  # fmt: skip


def _tooltips(classes: Sequence[str], matrix_KK: Matrix, margin: float, cell: int) -> list[Markup]:
    place = {label: i for i, label in enumerate(classes)}
    return [
        Markup(
            '<rect fill="transparent" x="{}" y="{}" width="{c}" height="{c}">'
            "<title>{} answered as {}: {}</title></rect>"
        ).format(
            margin + cell * place[m.answer], margin + cell * place[m.label],
            m.label, m.answer, wording.percent(m.share, 0), c=cell,
        )
        for m in mistakes(classes, matrix_KK, NAMED_CELLS)
    ]  # fmt: skip


def _names(classes: Sequence[str], margin: float, cell: int) -> list[Markup]:
    pieces = []
    for place, label in enumerate(classes):
        text = wording.cut(label, LONGEST_NAME)
        middle = margin + cell * (place + 0.5)
        pieces.append(
            Markup(
                '<text x="{x:.1f}" y="{y:.1f}" text-anchor="end">{t}</text>'
                '<text transform="translate({y:.1f} {x:.1f}) rotate(-90)">{t}</text>'
            ).format(x=margin - 5, y=middle + _letter(cell) * 0.35, t=text)
        )
    return pieces

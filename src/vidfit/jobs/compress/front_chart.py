"""What artefacts lose against what they take: one mark each, on logarithmic milliseconds or MiB.

Losses grow upwards. Above the plane is a strip for marks that lose far more than the others, and
for those whose answers were not measured.
"""

from __future__ import annotations

from dataclasses import replace
from math import isfinite
from typing import TYPE_CHECKING

from markupsafe import Markup

from vidfit.jobs.compress import words
from vidfit.jobs.compress.spots import front, measured, off_scale, spots, worth_drawing
from vidfit.report.charts import EMPTY, Axis, join, round_axis
from vidfit.report.plane import (
    LEFT,
    LETTER_PIXELS,
    TICK_PIXELS,
    TOP,
    Box,
    Level,
    Plane,
    Spot,
    label_text,
    overlap,
    plane_chart,
    point,
    span,
)
from vidfit.report.wording import ACCURACY, cut

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vidfit.jobs.compress.value import Compression, Target

UNITS: dict[Target, str] = {
    "latency": "milliseconds per clip",
    "size": "MiB on disk",
    "memory": "MiB of memory",
}
ROW_PIXELS, STRIP_HEAD = 20.0, 24.0


def front_picture(compression: Compression, width: int, height: int) -> Markup:
    """Return the chart; nothing when no artefact's answers were measured."""
    if not worth_drawing(compression):
        return EMPTY
    shown, far = spots(compression), off_scale(compression)
    judged = [spot for spot in shown if measured(spot.figure) and spot.name not in far]
    outside = [spot for spot in shown if spot not in judged]
    unit = UNITS[compression.target]
    axis = round_axis([0.0], 1, ACCURACY)
    plane = Plane(width, height, *span(s.cost for s in shown), axis, "accuracy lost, points", unit)
    strip = _strip_rows(outside, far, plane)
    room = (STRIP_HEAD + ROW_PIXELS * (1 + max(row for *_, row in strip))) if strip else 0.0
    plane = replace(plane, top=TOP + room)
    plane = replace(plane, axis=_axis(compression, judged, plane))
    text = f"{words.allowed(compression)} may be lost"
    lines = (Level(compression.tolerance, text), Level(0.0, css="tick"))
    on_front = front(judged)
    judged = [replace(s, rank=1) if s.rank and s in on_front else s for s in judged]
    return plane_chart(plane, judged, on_front, lines, more=_strip(strip, far, plane))


def _axis(compression: Compression, judged: Sequence[Spot], plane: Plane) -> Axis:
    ends = [end for s in judged for end in (s.figure.value, s.figure.low, s.figure.high)]
    values = [0.0, compression.tolerance, *filter(isfinite, ends)]
    return round_axis(values, max(2, int((plane.bottom - plane.top) / TICK_PIXELS)), ACCURACY)


# ---------------------------------------------------------------- strip


def _strip_rows(
    outside: Sequence[Spot], far: set[str], plane: Plane
) -> list[tuple[Spot, str, Box, int]]:
    """Give each mark of the strip a label beside it, and a row where the two are free."""
    placed: list[tuple[Spot, str, Box, int]] = []
    for spot in sorted(outside, key=lambda s: s.cost):
        x = plane.x(spot.cost)
        beside = max(plane.width - x, x) - 11
        lost = f", {words.points(spot.figure.value)} lost" if spot.name in far else ""
        text = cut(label_text(spot.name), int(beside / LETTER_PIXELS) - len(lost)) + lost
        wide = LETTER_PIXELS * len(text)
        left = x + 11 if x + 11 + wide <= plane.width else x - 11 - wide
        box = min(x - 8, left), 0.0, max(x + 8, left + wide), 1.0
        row = 0
        while any(other == row and overlap(box, room) for _, _, room, other in placed):
            row += 1
        placed.append((spot, text, box, row))
    return placed


def _strip(placed: Sequence[tuple[Spot, str, Box, int]], far: set[str], plane: Plane) -> Markup:
    """Return the strip above the plane, in the order of what its marks take."""
    if not placed:
        return EMPTY
    notes = {"off the scale": any(s.name in far for s, *_ in placed),
             "answers not measured": any(s.name not in far for s, *_ in placed)}  # fmt: skip
    head = ", or ".join(text for text, there in notes.items() if there)
    ground = Markup(
        '<rect class="unknown" x="{}" y="{}" width="{}" height="{}"/><text x="{}" y="{}">{}</text>'
    ).format(LEFT, TOP, plane.right - LEFT, plane.top - TOP, LEFT + 6, TOP + 15, head)
    pieces = [ground]
    for spot, text, (start, *_), row in placed:
        x, y = plane.x(spot.cost), TOP + STRIP_HEAD + ROW_PIXELS * (row + 0.5) - 2
        right = start >= x - 8
        pieces.append(point(spot, x, y))
        pieces.append(
            Markup('<text class="label" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(
                x + 11 if right else x - 11, y + 4, "start" if right else "end", text
            )
        )
    return join(pieces)

"""What artefacts lose against what they take: one mark each, on logarithmic milliseconds or MiB.

Losses grow upwards. Above the plane is a strip for marks that lose far more than the others, and
for those whose answers were not measured.
"""

from __future__ import annotations

from dataclasses import replace
from math import isfinite, nan
from typing import TYPE_CHECKING

from markupsafe import Markup

from vidfit.contracts import Estimate
from vidfit.jobs.compress import words
from vidfit.report.charts import EMPTY, Axis, join, round_axis
from vidfit.report.plane import (
    FAR,
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

    from vidfit.jobs.compress.value import Artefact, Compression, Target, Verdict


KINDS: dict[Verdict, str] = {
    "kept": "recommended",
    "within": "tied",
    "open": "behind",
    "worse": "leak",
    "no gain": "dropped",
    "failed": "dropped",
}
"""Verdict -> kind of mark: its shape tells it apart, not only colour."""

FAR_TIMES = 3.0
"""So many times the loss that must be shown, an artefact proven worse is off the scale."""

NO_LOSS = Estimate(nan, nan, nan)


def spots(compression: Compression) -> list[Spot]:
    """Return what can be drawn: the original first, then in the order of the table.

    The cost is in milliseconds or MiB; the figure is the loss, of which nothing is finite where
    answers were not measured.
    """
    c = compression
    found = [_spot(c, c.original, "original", "baseline", 0 if not c.chosen else 1)]
    for artefact in words.ordered(c):
        kind = KINDS[artefact.verdict] if measured(artefact.loss) else "dropped"
        rank = 0 if artefact.name == c.chosen else FAR
        found.append(_spot(c, artefact, artefact.name, kind, rank))
    return [spot for spot in found if isfinite(spot.cost)]


def _spot(compression: Compression, artefact: Artefact, name: str, kind: str, rank: int) -> Spot:
    loss = artefact.loss if measured(artefact.loss) else None
    cost = words.amount(compression, artefact)
    said = words.loses(loss) if loss else "answers not measured"
    return Spot(name, kind, cost, loss or NO_LOSS, f"{name}: {cost:,.3g}, {said}", rank)


def measured(loss: Estimate | None) -> bool:
    """Tell whether a loss has a figure."""
    return loss is not None and isfinite(loss.value)


def _deepest(compression: Compression) -> float:
    """Return the largest loss for which the scale makes room."""
    found = [(a.verdict, max(ends)) for a in compression.artefacts if (ends := _finite(a.loss))]
    worse = sorted(end for verdict, end in found if verdict == "worse")
    others = [end for verdict, end in found if verdict != "worse"] or worse[:1]
    return FAR_TIMES * max([compression.tolerance, *others])


def _finite(loss: Estimate | None) -> list[float]:
    return [v for v in (loss.value, loss.low, loss.high) if isfinite(v)] if loss else []


def worth_drawing(compression: Compression) -> bool:
    """Tell whether the answers of any artefact were measured, and what it takes."""
    return any(measured(s.figure) for s in spots(compression) if s.kind != "baseline")


def undrawn(compression: Compression) -> list[str]:
    """Return the names of artefacts of which it is not known what they take."""
    drawn = {spot.name for spot in spots(compression)}
    return [a.name for a in compression.artefacts if a.name not in drawn]


def off_scale(compression: Compression) -> set[str]:
    """Return the names of those off the scale: they are proven to lose far more than others."""
    deepest = _deepest(compression)
    worse = [a for a in compression.artefacts if a.verdict == "worse"]
    return {a.name for a in worse if a.loss is not None and a.loss.value > deepest}


def front(shown: Sequence[Spot]) -> list[Spot]:
    """Return those that no other beats, what takes least first (Pareto, by point estimates)."""
    found: list[Spot] = []
    for spot in sorted(shown, key=lambda s: (s.cost, s.figure.value)):
        if not found or spot.figure.value < found[-1].figure.value:
            found.append(spot)
    return found


def legend(compression: Compression) -> list[tuple[str, str]]:
    """Return the kinds of marks that are drawn, with what they mean."""
    there = {spot.kind for spot in spots(compression)}
    named = {"baseline": "the original"}
    named |= {KINDS[verdict]: meaning for verdict, (_, meaning) in words.VERDICTS.items()}
    return [(kind, meaning) for kind, meaning in named.items() if kind in there]


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

"""What artefacts lose against what they take: one mark each, on logarithmic milliseconds or MiB.

Up is better, as in all charts: losses grow downwards. Below the plane is a strip for marks
that lose far more than the others, and for those whose answers were not measured.
"""

from __future__ import annotations

from math import ceil, floor, log10
from typing import TYPE_CHECKING

from markupsafe import Markup

from vidfit.jobs.compress import words
from vidfit.jobs.compress.spots import front, spots, worth_drawing
from vidfit.report.charts import EMPTY, Axis, join, mark, round_axis
from vidfit.report.cost_chart import INSET, LETTER_PIXELS, Box, Plane, free_box, label_text, overlap

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vidfit.jobs.compress.spots import Spot
    from vidfit.jobs.compress.value import Compression, Target

UNITS: dict[Target, str] = {
    "latency": "milliseconds per clip, log",
    "size": "MiB on disk, log",
    "memory": "MiB of memory, log",
}
TICK_PIXELS, ROW_PIXELS, STRIP_HEAD = 44.0, 20.0, 24.0


def front_picture(compression: Compression, width: int, height: int) -> Markup:
    """Return the chart; nothing when no artefact's answers were measured."""
    drawn = front_chart(compression, width, height)
    if not drawn:
        return EMPTY
    return Markup(
        '<svg class="plot" viewBox="0 0 {} {}" role="img" aria-label="Accuracy lost against '
        '{}">{}</svg>'
    ).format(width, height, UNITS[compression.target].removesuffix(", log"), drawn)


def front_chart(compression: Compression, width: int, height: int) -> Markup:
    """Return the chart without its frame."""
    if not worth_drawing(compression):
        return EMPTY
    shown = spots(compression)
    judged = [s for s in shown if s.loss and not s.off]
    outside = [s for s in shown if not s.loss or s.off]
    first, last = _span(shown)
    strip = _strip_rows(outside, Plane(width, height, first, last, Axis(0, 1, ())))
    room = (STRIP_HEAD + ROW_PIXELS * (1 + max(row for *_, row in strip))) if strip else 0.0
    axis = _axis(compression, judged, height - room)
    plane = Plane(width, height - room, first, last, axis)
    on_front = front(judged)
    pieces = [_grid(plane, height, UNITS[compression.target]), _steps(on_front, plane)]
    level, taken = _tolerance(compression, plane)
    pieces += [level, *(_whisker(spot, plane) for spot in judged)]
    pieces += [_point(spot, plane) for spot in reversed(judged)]
    pieces += _labels(judged, on_front, taken, plane)
    return join([*pieces, _strip(strip, plane, room)])


def _span(shown: Sequence[Spot]) -> tuple[float, float]:
    amounts = [log10(spot.amount) for spot in shown]
    room = max(0.08 * (max(amounts) - min(amounts)), 0.06)
    return min(amounts) - room, max(amounts) + room


def _axis(compression: Compression, judged: Sequence[Spot], height: float) -> Axis:
    """Return losses in points as negative numbers, so that more is lower."""
    values = [0.0, -100 * compression.tolerance]
    values += [-100 * end for spot in judged for end in spot.ends]
    room = height - INSET["top"] - INSET["bottom"]
    return round_axis(values, max(2, int(room / TICK_PIXELS)))


def _place(spot: Spot, plane: Plane) -> tuple[float, float]:
    return plane.x(spot.amount / 1000), plane.y(-100 * spot.value)


def round_ticks(first: float, last: float) -> list[float]:
    """Return a few round values between two powers of ten, evenly apart where they are near."""
    decades = range(floor(first), ceil(last) + 1)
    even = round_axis((10**first, 10**last), 5).ticks
    kinds = (
        [10.0**decade for decade in decades],
        [step * 10.0**decade for decade in decades for step in (1, 2, 5)],
        [value for value in even if value > 0],
    )
    inside = [[v for v in values if first <= log10(v) <= last] for values in kinds]
    return next((values for values in inside if len(values) > 2), inside[-1])


def _grid(plane: Plane, height: float, unit: str) -> Markup:
    top, bottom = INSET["top"], height - INSET["bottom"]
    left, right = INSET["left"], plane.width - INSET["right"]
    pieces = [
        Markup(
            '<line class="grid" x1="{x}" x2="{x}" y1="{}" y2="{}"/>'
            '<text x="{x}" y="{}" text-anchor="middle">{:,g}</text>'
        ).format(top, bottom, bottom + 18, value, x=plane.x(value / 1000))
        for value in round_ticks(plane.first, plane.last)
    ]
    pieces += [
        Markup(
            '<line class="{}" x1="{}" x2="{}" y1="{y}" y2="{y}"/>'
            '<text x="{}" y="{}" text-anchor="end">{:g}</text>'
        ).format(
            "grid" if tick else "tick", left, right, left - 8, plane.y(tick) + 4, -tick or 0,
            y=plane.y(tick),
        )
        for tick in plane.vertical.ticks
    ]  # fmt: skip
    names = Markup(
        '<text class="name" x="{}" y="{}" text-anchor="end">{}</text>'
        '<text class="name" x="8" y="10">accuracy lost, points</text>'
    ).format(right, bottom + 40, unit)
    return join([*pieces, names])


def _steps(on_front: Sequence[Spot], plane: Plane) -> Markup:
    """Return the front as steps: between two costs only the smaller one can be had."""
    if not on_front:
        return EMPTY
    path = ""
    for x, y in (_place(spot, plane) for spot in on_front):
        path += f"H{x}V{y}" if path else f"M{x} {y}"
    path += f"H{plane.width - INSET['right']}"
    return Markup('<path class="front" d="{}"><title>Pareto front</title></path>').format(path)


def _tolerance(compression: Compression, plane: Plane) -> tuple[Markup, Box]:
    """Return the line of the most that may be lost, and the room that its name takes."""
    left, right = INSET["left"], plane.width - INSET["right"]
    y = plane.y(-100 * compression.tolerance)
    text = f"{words.allowed(compression)} may be lost"
    below = y + 20 < plane.height - INSET["bottom"]
    line = Markup(
        '<line class="floor" x1="{}" x2="{}" y1="{y}" y2="{y}"/><text class="count" x="{}" y="{}">'
        "{}</text>"
    ).format(left, right, left + 6, y + 15 if below else y - 6, text, y=y)
    top = y - 2 if below else y - 20
    return line, (left, top, left + 6 + 6.6 * len(text), top + 22)


def _whisker(spot: Spot, plane: Plane) -> Markup:
    loss = spot.loss
    if loss is None or not words.measured(loss) or loss.low == loss.high:
        return EMPTY
    return Markup('<line class="whisker {}" x1="{x}" x2="{x}" y1="{}" y2="{}"/>').format(
        spot.kind, plane.y(-100 * loss.low), plane.y(-100 * loss.high), x=_place(spot, plane)[0]
    )


def _point(spot: Spot, plane: Plane) -> Markup:
    return _told(spot, *_place(spot, plane))


def _told(spot: Spot, x: float, y: float) -> Markup:
    said = words.loses(spot.loss) if spot.loss else "answers not measured"
    tip = f"{spot.name}: {spot.amount:,.3g}, {said}"
    place = mark(spot.kind, str(x), str(y), "chosen" if spot.chosen else "")
    return Markup("<g><title>{}</title>{}</g>").format(tip, place)


# ---------------------------------------------------------------- labels


def _labels(
    judged: Sequence[Spot], on_front: Sequence[Spot], level: Box, plane: Plane
) -> Iterator[Markup]:
    """Name the kept, the original and the front, then the others where there is room."""
    taken = [level, *(_around(*_place(spot, plane)) for spot in judged)]
    lines = [_along(spot, plane) for spot in judged]
    named = [spot for spot in judged if spot.chosen or spot.kind == "baseline"]
    named += [spot for spot in on_front if spot not in named]
    for spot in [*named, *(spot for spot in judged if spot not in named)]:
        text, centre = label_text(spot.name), _place(spot, plane)
        box = free_box(text, centre, [*taken, *lines], plane)
        box = box or free_box(text, centre, taken, plane, far=spot in named)
        if box is not None:
            taken.append(box)
            yield _label(text, box, centre, "label chosen" if spot.chosen else "label")


def _label(text: str, box: Box, centre: tuple[float, float], css: str) -> Markup:
    """Anchor text at the end that is near the mark; a label that is away gets a line to it."""
    left, top, right, bottom = box
    anchor, x = ("start", left) if left > centre[0] else ("end", right)
    if left <= centre[0] <= right:
        anchor, x = "middle", (left + right) / 2
    name = Markup('<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(
        css, x, bottom - 4, anchor, text
    )
    near = min(max(centre[0], left), right), min(max(centre[1], top), bottom)
    if abs(near[0] - centre[0]) + abs(near[1] - centre[1]) < 20:
        return name
    line = Markup('<path class="lead-line" d="M{} {}L{:.1f} {:.1f}"/>').format(*centre, *near)
    return line + name


def _around(x: float, y: float) -> Box:
    return x - 8, y - 8, x + 8, y + 8


def _along(spot: Spot, plane: Plane) -> Box:
    x, y = _place(spot, plane)
    if spot.loss is None or not words.measured(spot.loss):
        return x, y, x, y
    return x - 2, plane.y(-100 * spot.loss.low), x + 2, plane.y(-100 * spot.loss.high)


# ---------------------------------------------------------------- strip


def _strip_rows(outside: Sequence[Spot], plane: Plane) -> list[tuple[Spot, str, Box, int]]:
    """Give each mark of the strip a label beside it, and a row where the two are free."""
    placed: list[tuple[Spot, str, Box, int]] = []
    for spot in sorted(outside, key=lambda s: s.amount):
        x = plane.x(spot.amount / 1000)
        beside = max(plane.width - x, x) - 11
        lost = f", {words.points(spot.value)} lost" if spot.off else ""
        text = _cut(label_text(spot.name), int(beside / LETTER_PIXELS) - len(lost)) + lost
        wide = LETTER_PIXELS * len(text)
        left = x + 11 if x + 11 + wide <= plane.width else x - 11 - wide
        box = min(x - 8, left), 0.0, max(x + 8, left + wide), 1.0
        row = 0
        while any(other == row and overlap(box, room) for _, _, room, other in placed):
            row += 1
        placed.append((spot, text, box, row))
    return placed


def _cut(name: str, letters: int) -> str:
    return name if len(name) <= letters else f"{name[: max(0, letters - 1)]}…"


def _strip(placed: Sequence[tuple[Spot, str, Box, int]], plane: Plane, room: float) -> Markup:
    """Return the strip below the plane, in the order of what its marks take."""
    if not placed:
        return EMPTY
    top, left = plane.height - INSET["bottom"], INSET["left"]
    notes = {"off the scale": any(s.off for s, *_ in placed),
             "answers not measured": any(not s.off for s, *_ in placed)}  # fmt: skip
    head = ", or ".join(text for text, there in notes.items() if there)
    ground = Markup(
        '<rect class="unknown" x="{}" y="{}" width="{}" height="{}"/><text x="{}" y="{}">{}</text>'
    ).format(left, top, plane.width - INSET["right"] - left, room, left + 6, top + 15, head)
    pieces = [ground]
    for spot, text, (start, *_), row in placed:
        x, y = plane.x(spot.amount / 1000), top + STRIP_HEAD + ROW_PIXELS * (row + 0.5) - 2
        right = start >= x - 8
        pieces.append(_told(spot, x, y))
        pieces.append(
            Markup('<text class="label" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(
                x + 11 if right else x - 11, y + 4, "start" if right else "end", text
            )
        )
    return join(pieces)

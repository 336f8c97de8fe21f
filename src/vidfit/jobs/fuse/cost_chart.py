"""Accuracy against cost of many options: the important ones named, the others as dots."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain
from math import ceil, log10
from typing import TYPE_CHECKING

from markupsafe import Markup

from vidfit.jobs.fuse.marks import mark
from vidfit.report import wording
from vidfit.report.charts import EMPTY, Axis, join, score_axis
from vidfit.report.cost_chart import INSET, Box, Plane, free_box, label_text, overlap, ticks
from vidfit.report.leaderboard import on_cost_axis

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vidfit.contracts import Estimate
    from vidfit.jobs.fuse.value import Combination
    from vidfit.report.wording import Metric

ALL_NAMED = 14
"""Up to so many options each is named; of more only those that matter."""

LINED, NAMED = 4, 5
"""Marks of a rank below these have an interval, or a name."""

LETTER_PIXELS, BOLD_PIXELS, LINE_PIXELS = 7.6, 8.6, 16.0
DISTANCES = (26, 42, 58, 76, 96, 120, 150)
DIRECTIONS = ((0, -1), (-0.8, -0.9), (0.8, -0.9), (0, 1), (-0.8, 0.9), (0.8, 0.9))


@dataclass(frozen=True, slots=True)
class Spot:
    """One mark of the chart; ``rank`` is 0 for the chosen, and grows as it matters less."""

    name: str
    kind: str
    score: Estimate
    seconds_per_clip: float
    rank: int
    front: bool


def spots(combination: Combination) -> list[Spot]:
    """Return what can be drawn: each option and the student, what matters most first."""
    found = [
        Spot(o.name, o.family, o.score, o.seconds_per_clip, rank, o.pareto)
        for o, rank in zip(combination.options, _ranks(combination), strict=True)
    ]
    student = combination.student
    if student is not None:
        name = f"student on {student.name}"
        found.append(Spot(name, "student", student.score, student.seconds_per_clip, 2, front=False))
    shown = [spot for spot in found if on_cost_axis(spot)]
    metric = wording.METRICS[combination.metric]
    return sorted(shown, key=lambda spot: (spot.rank, -metric.merit(spot.score.value)))


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
            yield LINED if len(options) <= ALL_NAMED else NAMED


def cost_picture(
    combination: Combination, width: int, height: int, *, names: int = NAMED
) -> Markup:
    """Return the chart, or nothing when no option has a cost and a score.

    Marks of a rank below ``names`` are named where there is room.
    """
    shown = spots(combination)
    if not shown:
        return EMPTY
    named, lined = ([s for s in shown if s.rank < rank] for rank in (names, LINED))
    metric = wording.METRICS[combination.metric]
    plane = _plane(shown, _vertical(shown, lined, metric), width, height)
    front = sorted((s for s in shown if s.front), key=lambda s: (s.seconds_per_clip, -s.rank))
    pieces = [_grid(plane), _front(front, plane)]
    pieces += [_whisker(spot, plane) for spot in lined]
    pieces += [_point(spot, plane) for spot in reversed(shown)]
    pieces += _labels(shown, named, front, plane)
    return Markup(
        '<svg class="plot" viewBox="0 0 {} {}" role="img" '
        'aria-label="{} against milliseconds per clip">{}</svg>'
    ).format(width, height, metric.heading, join(pieces))


def _vertical(shown: Sequence[Spot], lined: Sequence[Spot], metric: Metric) -> Axis:
    values = [replace(s.score, low=s.score.value, high=s.score.value) for s in shown]
    return score_axis([*values, *(spot.score for spot in lined)], metric)


def _plane(shown: Sequence[Spot], vertical: Axis, width: int, height: int) -> Plane:
    costs = [log10(1000 * spot.seconds_per_clip) for spot in shown]
    room = max(0.08 * (max(costs) - min(costs)), 0.12)
    return Plane(width, height, min(costs) - room, max(costs) + room, vertical)


def _grid(plane: Plane) -> Markup:
    metric = plane.vertical.metric
    top, bottom = INSET["top"], plane.height - INSET["bottom"]
    left, right = INSET["left"], plane.width - INSET["right"]
    pieces = [
        Markup(
            '<line class="grid" x1="{x}" x2="{x}" y1="{}" y2="{}"/>'
            '<text x="{x}" y="{}" text-anchor="middle">{:,g}</text>'
        ).format(top, bottom, bottom + 18, value, x=plane.x(value / 1000))
        for value in ticks(plane.first, plane.last)
    ]
    pieces += [
        Markup(
            '<line class="grid" x1="{}" x2="{}" y1="{y}" y2="{y}"/>'
            '<text x="{}" y="{}" text-anchor="end">{}</text>'
        ).format(left, right, left - 8, plane.y(tick) + 4, metric.tick(tick), y=plane.y(tick))
        for tick in plane.vertical.ticks
    ]
    pieces.append(
        Markup(
            '<text class="name" x="{}" y="{}" text-anchor="end">milliseconds per clip, log</text>'
            '<text class="name" x="8" y="10">{}</text>'
        ).format(right, bottom + 40, metric.title)
    )
    return join(pieces)


def _front(front: Sequence[Spot], plane: Plane) -> Markup:
    """Return the front as steps: between two costs only the cheaper one can be had."""
    if not front:
        return EMPTY
    path = ""
    for x, y in (_centre(spot, plane) for spot in front):
        path += f"H{x}V{y}" if path else f"M{x} {y}"
    path += f"H{plane.width - INSET['right']}"
    return Markup('<path class="front" d="{}"><title>Pareto front</title></path>').format(path)


def _whisker(spot: Spot, plane: Plane) -> Markup:
    if not wording.has_interval(spot.score):
        return EMPTY
    return Markup('<line class="whisker {}" x1="{x}" x2="{x}" y1="{}" y2="{}"/>').format(
        spot.kind, plane.y(spot.score.low), plane.y(spot.score.high),
        x=plane.x(spot.seconds_per_clip),
    )  # fmt: skip


def _point(spot: Spot, plane: Plane) -> Markup:
    tip = (
        f"{spot.name}: {plane.vertical.metric.figure(spot.score)}, "
        f"{wording.milliseconds(spot.seconds_per_clip)} per clip"
    )
    x, y = _centre(spot, plane)
    css = "chosen" if not spot.rank else "" if spot.rank < NAMED else "lesser"
    return Markup("<g><title>{}</title>{}</g>").format(tip, mark(spot.kind, str(x), str(y), css))


# ---------------------------------------------------------------- labels


def _labels(
    shown: Sequence[Spot], named: Sequence[Spot], front: Sequence[Spot], plane: Plane
) -> list[Markup]:
    """Name what matters, each where it covers neither a mark nor another label."""
    taken = [_around(spot, plane) for spot in shown]
    lines = [_along(spot, plane) for spot in shown if spot.rank < LINED]
    lines += _steps(front, plane)
    pieces = []
    for spot in named:
        text, centre = label_text(spot.name), _centre(spot, plane)
        box = _free(spot, [*taken, *lines], taken, plane)
        if box is not None:
            taken.append(box)
            pieces.append(_label(text, box, centre, "label chosen" if not spot.rank else "label"))
    return pieces


def _free(
    spot: Spot, kept_clear: Sequence[Box], taken: Sequence[Box], plane: Plane
) -> Box | None:  # fmt: skip
    """Return where a label has room: near its mark, else away from it, else across a line.

    One that matters less is near or nowhere.
    """
    text, centre = label_text(spot.name), _centre(spot, plane)
    width = len(text) * (LETTER_PIXELS if spot.rank else BOLD_PIXELS)
    near = free_box("m" * ceil(width / LETTER_PIXELS), centre, kept_clear, plane)
    if near or spot.rank >= LINED:
        return near
    places = _away(width, centre, kept_clear, plane), _away(width, centre, taken, plane)
    return next(chain.from_iterable(places), None)


def _away(
    width: float, centre: tuple[float, float], taken: Sequence[Box], plane: Plane
) -> Iterator[Box]:
    """Yield free places farther and farther from a mark, kept inside of the chart."""
    left, right = INSET["left"], plane.width - INSET["right"] - width
    top, bottom = INSET["top"] - 6, plane.height - INSET["bottom"] - LINE_PIXELS
    for distance in DISTANCES:
        for across, down in DIRECTIONS:
            x = centre[0] + across * distance - width * (1 - across) / 2
            x = min(max(x, left), max(left, right))
            y = min(max(centre[1] + down * distance - LINE_PIXELS / 2, top), bottom)
            box = (x, y, x + width, y + LINE_PIXELS)
            if not any(overlap(box, other) for other in taken):
                yield box


def _label(text: str, box: Box, centre: tuple[float, float], css: str) -> Markup:
    """Anchor text at the end that is near the mark; a label that is away gets a line to it."""
    left, top, right, bottom = box
    anchor, x = ("start", left) if left > centre[0] else ("end", right)
    if left <= centre[0] <= right:
        anchor, x = "middle", (left + right) / 2
    words = Markup('<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(
        css, x, bottom - 4, anchor, text
    )
    near_x = min(max(centre[0], left), right)
    near_y = min(max(centre[1], top), bottom)
    if abs(near_x - centre[0]) + abs(near_y - centre[1]) < 14:
        return words
    line = Markup('<path class="lead-line" d="M{} {}L{:.1f} {:.1f}"/>').format(
        *centre, near_x, near_y
    )
    return line + words


def _along(spot: Spot, plane: Plane) -> Box:
    """Return the line of an interval as a box; without one it is the mark's own place."""
    x, y = _centre(spot, plane)
    if not wording.has_interval(spot.score):
        return x, y, x, y
    top, bottom = sorted((plane.y(spot.score.low), plane.y(spot.score.high)))
    return x - 2, top, x + 2, bottom


def _steps(front: Sequence[Spot], plane: Plane) -> list[Box]:
    """Return the level lines of the front as boxes."""
    starts = [_centre(spot, plane) for spot in front]
    ends = [x for x, _ in starts[1:]] + [plane.width - INSET["right"]]
    return [(x, y - 2, end, y + 2) for (x, y), end in zip(starts, ends, strict=True)]


def _around(spot: Spot, plane: Plane) -> Box:
    x, y = _centre(spot, plane)
    return x - 8, y - 8, x + 8, y + 8


def _centre(spot: Spot, plane: Plane) -> tuple[float, float]:
    return plane.x(spot.seconds_per_clip), plane.y(spot.score.value)


def without_cost(combination: Combination) -> list[str]:
    """Return the names of options that the chart cannot show."""
    return [o.name for o in combination.options if not on_cost_axis(o)]

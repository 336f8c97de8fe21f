"""A chart of figures against a logarithmic cost: marks, intervals, a front, names that keep clear.

The charts of accuracy against cost and of loss against what is saved are drawn on it. What is a
mark, how much it matters and which marks are the front is told by who draws.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from math import ceil, floor, log10

from markupsafe import Markup

from vidfit.contracts import Estimate
from vidfit.report import wording
from vidfit.report.charts import EMPTY, Axis, join, levels, mark, plot, round_axis

Box = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels."""

LEFT, RIGHT, TOP, BOTTOM = 46.0, 16.0, 28.0, 48.0
"""Room around the plane for numbers and names, in pixels."""

LETTER_PIXELS, BOLD_PIXELS, LINE_PIXELS, TICK_PIXELS = 7.6, 8.6, 16.0, 44.0
LONGEST_LABEL = 30
FAR, LESSER = 4, 5
EIGHTHS = tuple(i / 8 for i in range(9))
DISTANCES = (26, 42, 58, 76, 96, 120, 150)
DIRECTIONS = ((0, -1), (-0.8, -0.9), (0.8, -0.9), (0, 1), (-0.8, 0.9), (0.8, 0.9))


@dataclass(frozen=True, slots=True)
class Spot:
    """One mark.

    Parameters
    ----------
    name
        The label.
    kind
        Shape and colour, a key of `vidfit.report.charts.MARKS`.
    cost
        Place along the axis of costs, above 0, in the unit of that axis.
    figure
        Place along the other axis; without an interval there is no upright line.
    tip
        What is shown when it is pointed at.
    rank
        0 for the chosen; below `FAR` a label may stand away from its mark; one of `LESSER` is
        pale and has no label.
    """

    name: str
    kind: str
    cost: float
    figure: Estimate
    tip: str
    rank: int = FAR


@dataclass(frozen=True, slots=True)
class Level:
    """A level line across the plane, with its name where there is room for it."""

    value: float
    text: str = ""
    css: str = "floor"
    tip: str = ""


@dataclass(frozen=True, slots=True)
class Plane:
    """The plane in pixels: log10 of costs against figures; ``top`` is where it begins."""

    width: float
    height: float
    first: float
    last: float
    axis: Axis
    title: str
    unit: str
    top: float = TOP

    @property
    def right(self) -> float:
        """Where the plane ends."""
        return self.width - RIGHT

    @property
    def bottom(self) -> float:
        """Where the plane ends below."""
        return self.height - BOTTOM

    def x(self, cost: float) -> float:
        """Return the place of a cost."""
        share = (log10(cost) - self.first) / (self.last - self.first)
        return round(LEFT + share * (self.right - LEFT), 1)

    def y(self, value: float) -> float:
        """Return the place of a figure."""
        share = self.axis.place(value) / 100
        return round(self.bottom - share * (self.bottom - self.top), 1)

    def centre(self, spot: Spot) -> tuple[float, float]:
        """Return the place of a mark."""
        return self.x(spot.cost), self.y(spot.figure.value)


def span(costs: Iterable[float]) -> tuple[float, float]:
    """Return the powers of ten between which costs have room."""
    powers = [log10(cost) for cost in costs]
    room = max(0.08 * (max(powers) - min(powers)), 0.12)
    return min(powers) - room, max(powers) + room


def log_ticks(first: float, last: float) -> list[float]:
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


def plane_chart(
    plane: Plane,
    spots: Sequence[Spot],
    front: Sequence[Spot],
    lines: Sequence[Level] = (),
    named: int = LESSER,
    more: Markup = EMPTY,
) -> Markup:
    """Return the chart.

    Parameters
    ----------
    plane
        The axes.
    spots
        The marks, what matters most first: it is named first and lies above.
    front
        The marks that no other beats, cheapest first, joined by steps.
    lines
        Level lines.
    named
        Marks of a rank below this one are named where there is room.
    more
        What else lies between the grid and the marks.
    """
    marks = [_around(*plane.centre(spot)) for spot in spots]
    level_pieces, names = _levels(lines, marks, plane)
    kept_clear = [_along(spot, plane) for spot in spots if wording.has_interval(spot.figure)]
    kept_clear += [*_step_boxes(front, plane), *(_across(line, plane) for line in lines)]
    wanted = sorted((s for s in spots if s.rank < named), key=lambda spot: spot.rank)
    pieces = [_grid(plane), more, _steps(front, plane), *level_pieces]
    pieces += [_whisker(spot, plane) for spot in spots]
    pieces += [point(spot, *plane.centre(spot)) for spot in reversed(spots)]
    pieces += _labels(wanted, [*marks, *names], kept_clear, plane)
    label = f"{plane.title} against {plane.unit}"
    return plot(plane.width, plane.height, label, join(pieces))


def _grid(plane: Plane) -> Markup:
    upright = [
        Markup(
            '<line class="grid" x1="{x}" x2="{x}" y1="{}" y2="{}"/>'
            '<text x="{x}" y="{}" text-anchor="middle">{:,g}</text>'
        ).format(TOP, plane.bottom, plane.bottom + 18, value, x=plane.x(value))
        for value in log_ticks(plane.first, plane.last)
    ]
    names = Markup(
        '<text class="name" x="{}" y="{}" text-anchor="end">{}, log</text>'
        '<text class="name" x="8" y="12">{}</text>'
    ).format(plane.right, plane.bottom + 40, plane.unit, plane.title)
    return join([*upright, levels(plane.axis, plane.y, LEFT, plane.right), names])


def _steps(front: Sequence[Spot], plane: Plane) -> Markup:
    """Return the front as steps: between two costs only the cheaper one can be had."""
    if not front:
        return EMPTY
    path = ""
    for x, y in map(plane.centre, front):
        path += f"H{x}V{y}" if path else f"M{x} {y}"
    path += f"H{plane.right}"
    return Markup('<path class="front" d="{}"><title>Pareto front</title></path>').format(path)


def _whisker(spot: Spot, plane: Plane) -> Markup:
    low, high = spot.figure.low, spot.figure.high
    if not wording.has_interval(spot.figure) or low == high:
        return EMPTY
    return Markup('<line class="whisker {}" x1="{x}" x2="{x}" y1="{}" y2="{}"/>').format(
        spot.kind, plane.y(low), plane.y(high), x=plane.x(spot.cost)
    )


def point(spot: Spot, x: float, y: float) -> Markup:
    """Return a mark with what it tells when it is pointed at."""
    css = "" if spot.rank < LESSER else "lesser"
    css = css if spot.rank else "chosen"
    place = mark(spot.kind, str(x), str(y), css)
    return Markup("<g><title>{}</title>{}</g>").format(spot.tip, place)


def _levels(
    lines: Sequence[Level], marks: Sequence[Box], plane: Plane
) -> tuple[list[Markup], list[Box]]:
    """Return level lines, and the room that their names take, at the right end where it is free."""
    pieces: list[Markup] = []
    names: list[Box] = []
    for line in lines:
        y, text, width = plane.y(line.value), label_text(line.text), 6.6 * len(line.text[:30])
        drawn = Markup('<line class="{}" x1="{}" x2="{}" y1="{y}" y2="{y}"/>').format(
            line.css, LEFT, plane.right, y=y
        )
        lefts = (plane.right - width - step * (plane.right - width - LEFT - 6) for step in EIGHTHS)
        places = [
            (left, y + up, left + width, y + up + LINE_PIXELS)
            for left in lefts
            for up in (-20.0, 4.0)
        ]
        box = next(_free(places, [*marks, *names], plane), places[0])
        if text:
            names.append(box)
            at_left = box[0] < plane.right - width - 1
            drawn += Markup(
                '<text class="count" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>'
            ).format(box[0] if at_left else box[2], box[3] - 4, "start" if at_left else "end", text)
        pieces.append(Markup("<g><title>{}</title>{}</g>").format(line.tip or text, drawn))
    return pieces, names


# ---------------------------------------------------------------- labels


def _labels(
    wanted: Sequence[Spot], taken: list[Box], kept_clear: Sequence[Box], plane: Plane
) -> Iterator[Markup]:
    """Name marks, each where it covers neither a mark nor another name, or not at all.

    A name may cross a line where there is no other room.
    """
    for spot in wanted:
        lines, centre = label_lines(spot.name), plane.centre(spot)
        letter = LETTER_PIXELS if spot.rank else BOLD_PIXELS
        size = max(_letters(line) for line in lines) * letter, len(lines) * LINE_PIXELS
        near = list(_beside(*size, centre))
        away = list(_away(*size, centre, plane)) if spot.rank < FAR else []
        clear = [*taken, *kept_clear]
        places = chain(_free([*near, *away], clear, plane), _free([*near, *away], taken, plane))
        box = next(places, None)
        if box is not None:
            taken.append(box)
            yield _label(lines, box, centre, "label" if spot.rank else "label chosen")


def label_text(name: str) -> str:
    """Return a name short enough to stand in a chart."""
    return wording.cut(name, LONGEST_LABEL)


def label_lines(name: str) -> tuple[str, ...]:
    """Return a name as it stands in a chart: a long one in two lines, cut where it has to be."""
    spaces = [at for at, sign in enumerate(name) if sign == " "]
    if len(name) <= LONGEST_LABEL or not spaces:
        return (label_text(name),)
    middle = min(spaces, key=lambda at: abs(2 * at - len(name)))
    return label_text(name[:middle]), label_text(name[middle + 1 :])


def _letters(text: str) -> int:
    """Return how many letters of the usual width are as wide as a text."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def _free(places: Iterable[Box], taken: Sequence[Box], plane: Plane) -> Iterator[Box]:
    for box in places:
        inside = (
            box[0] >= LEFT and box[2] <= plane.width - 2
            and box[1] >= plane.top - 6 and box[3] <= plane.bottom
        )  # fmt: skip
        if inside and not any(overlap(box, other) for other in taken):
            yield box


def _beside(width: float, height: float, centre: tuple[float, float]) -> Iterator[Box]:
    x, y = centre
    half, above = y - height / 2, y - 8 - height
    for left, top in (
        (x + 11, half), (x - 11 - width, half), (x + 8, above), (x - 8 - width, above),
        (x + 8, y + 8), (x - 8 - width, y + 8),
        (x - width / 2, above - 4), (x - width / 2, y + 12),
    ):  # fmt: skip
        yield left, top, left + width, top + height


def _away(width: float, height: float, centre: tuple[float, float], plane: Plane) -> Iterator[Box]:
    """Yield places farther and farther from a mark, kept inside of the plane."""
    left, right = LEFT, plane.right - width
    top, bottom = plane.top - 6, plane.bottom - height
    for distance in DISTANCES:
        for across, down in DIRECTIONS:
            x = centre[0] + across * distance - width * (1 - across) / 2
            x = min(max(x, left), max(left, right))
            y = min(max(centre[1] + down * distance - height / 2, top), bottom)
            yield x, y, x + width, y + height


def _label(lines: Sequence[str], box: Box, centre: tuple[float, float], css: str) -> Markup:
    """Anchor text at the end that is near the mark; a label that is away gets a line to it.

    Letters differ in width by font: the near end stays where it is.
    """
    left, top, right, bottom = box
    anchor, x = ("start", left) if left > centre[0] else ("end", right)
    if left <= centre[0] <= right:
        anchor, x = "middle", (left + right) / 2
    first, *more = lines
    below = join(
        Markup('<tspan x="{:.1f}" dy="{:g}"> {}</tspan>').format(x, LINE_PIXELS, line)
        for line in more
    )
    words = Markup('<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}{}</text>').format(
        css, x, bottom - 4 - len(more) * LINE_PIXELS, anchor, first, below
    )
    near = min(max(centre[0], left), right), min(max(centre[1], top), bottom)
    if abs(near[0] - centre[0]) + abs(near[1] - centre[1]) < 20:
        return words
    line = Markup('<path class="lead-line" d="M{} {}L{:.1f} {:.1f}"/>').format(*centre, *near)
    return line + words


def overlap(first: Box, second: Box) -> bool:
    """Tell whether two boxes share a point."""
    return (
        first[0] < second[2] and second[0] < first[2]
        and first[1] < second[3] and second[1] < first[3]
    )  # fmt: skip


def _around(x: float, y: float) -> Box:
    return x - 8, y - 8, x + 8, y + 8


def _along(spot: Spot, plane: Plane) -> Box:
    x, ends = plane.x(spot.cost), (plane.y(spot.figure.low), plane.y(spot.figure.high))
    return x - 2, min(ends), x + 2, max(ends)


def _across(line: Level, plane: Plane) -> Box:
    y = plane.y(line.value)
    return LEFT, y - 1, plane.right, y + 1


def _step_boxes(front: Sequence[Spot], plane: Plane) -> list[Box]:
    """Return the level lines of the front as boxes."""
    starts = [plane.centre(spot) for spot in front]
    ends = [x for x, _ in starts[1:]] + [plane.right]
    return [(x, y - 2, end, y + 2) for (x, y), end in zip(starts, ends, strict=True)]

"""Accuracy against cost, with a logarithmic cost axis and labels that keep clear."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, isfinite, log10
from typing import TYPE_CHECKING, Protocol

from markupsafe import Markup

from vidfit.report import wording
from vidfit.report.charts import EMPTY, Axis, join, mark, score_axis
from vidfit.report.leaderboard import Costed, on_cost_axis, pareto_front

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vidfit.report.wording import Metric

Box = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels."""

LETTER_PIXELS = 7.6
LONGEST_LABEL = 30
INSET = {"left": 46.0, "right": 16.0, "top": 28.0, "bottom": 48.0}


class Drawn(Costed, Protocol):
    """What the chart can draw: ``kind`` is a key of `vidfit.report.charts.MARKS`."""

    @property
    def name(self) -> str:
        """The label."""
        ...

    @property
    def kind(self) -> str:
        """Shape and colour of the mark; a ``"baseline"`` without cost is a level line."""
        ...

    @property
    def chosen(self) -> bool:
        """Whether it is the one to use."""
        ...


@dataclass(frozen=True, slots=True)
class Plane:
    """The plane of the chart in pixels: log10 of milliseconds against the score."""

    width: float
    height: float
    first: float
    last: float
    vertical: Axis

    def x(self, seconds: float) -> float:
        """Return the place of a cost."""
        share = (log10(1000 * seconds) - self.first) / (self.last - self.first)
        return round(INSET["left"] + share * (self.width - INSET["left"] - INSET["right"]), 1)

    def y(self, value: float) -> float:
        """Return the place of a figure."""
        share = self.vertical.place(value) / 100
        return round(
            self.height - INSET["bottom"]
            - share * (self.height - INSET["bottom"] - INSET["top"]), 1
        )  # fmt: skip


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
    shown = [c for c in candidates if on_cost_axis(c)]
    if not shown:
        return EMPTY
    floors = [c for c in candidates if is_floor(c)]
    vertical = score_axis((c.score for c in (*shown, *floors)), metric)
    plane = _plane(shown, vertical, width, height)
    front = pareto_front(shown, metric) if front is None else front
    pieces = [_grid(plane), _front(front, plane)]
    pieces += [_floor(c, plane) for c in floors]
    pieces += [_whisker(c, plane) for c in shown]
    pieces += [_point(c, plane) for c in sorted(shown, key=lambda c: c.chosen)]
    pieces += _labels(shown, front, plane)
    return Markup(
        '<svg class="plot" viewBox="0 0 {} {}" role="img" '
        'aria-label="{} against milliseconds per clip">{}</svg>'
    ).format(width, height, metric.heading, join(pieces))


def is_floor(candidate: Drawn) -> bool:
    """Tell whether a candidate is a baseline without a cost: a level line, not a mark."""
    measured = isfinite(candidate.score.value)
    return candidate.kind == "baseline" and measured and not on_cost_axis(candidate)


def _plane(shown: Sequence[Drawn], vertical: Axis, width: int, height: int) -> Plane:
    costs = [log10(1000 * c.seconds_per_clip) for c in shown]
    first, last = min(costs), max(costs)
    room = max(0.08 * (last - first), 0.12)
    return Plane(width, height, first - room, last + room, vertical)


def ticks(first: float, last: float) -> list[float]:
    """Return round milliseconds between two powers of ten: 1, 2, 5 or only 1."""
    steps = (1, 2, 5) if last - first < 2.2 else (1,)
    decades = range(floor(first), ceil(last) + 1)
    found = [step * 10.0**decade for decade in decades for step in steps]
    return [value for value in found if first <= log10(value) <= last]


def _grid(plane: Plane) -> Markup:
    metric = plane.vertical.metric
    top, bottom = INSET["top"], plane.height - INSET["bottom"]
    right = plane.width - INSET["right"]
    vertical = join(
        Markup(
            '<line class="grid" x1="{x}" x2="{x}" y1="{}" y2="{}"/>'
            '<text x="{x}" y="{}" text-anchor="middle">{:,g}</text>'
        ).format(top, bottom, bottom + 18, value, x=plane.x(value / 1000))
        for value in ticks(plane.first, plane.last)
    )
    horizontal = join(
        Markup(
            '<line class="grid" x1="{}" x2="{}" y1="{y}" y2="{y}"/>'
            '<text x="{}" y="{}" text-anchor="end">{}</text>'
        ).format(
            INSET["left"], right, INSET["left"] - 8, plane.y(t) + 4, metric.tick(t), y=plane.y(t)
        )
        for t in plane.vertical.ticks
    )
    names = Markup(
        '<text class="name" x="{}" y="{}" text-anchor="end">milliseconds per clip, log</text>'
        '<text class="name" x="{}" y="10">{}</text>'
    ).format(right, bottom + 40, 8, metric.title)
    return vertical + horizontal + names


def _front(front: Sequence[Drawn], plane: Plane) -> Markup:
    """Return the front as steps: between two costs only the cheaper one can be had."""
    path = ""
    for candidate in front:
        x, y = plane.x(candidate.seconds_per_clip), plane.y(candidate.score.value)
        path += f"H{x}V{y}" if path else f"M{x} {y}"
    path += f"H{plane.width - INSET['right']}"
    return Markup('<path class="front" d="{}"><title>Pareto front</title></path>').format(path)


def _floor(candidate: Drawn, plane: Plane) -> Markup:
    right, y = plane.width - INSET["right"], plane.y(candidate.score.value)
    score = plane.vertical.metric.figure(candidate.score)
    return Markup(
        '<g><title>{}: {}</title><line class="floor" x1="{}" x2="{}" y1="{y}" y2="{y}"/>'
        '<text x="{}" y="{}" text-anchor="end">{}</text></g>'
    ).format(
        candidate.name, score, INSET["left"], right, right, y - 6,
        label_text(candidate.name), y=y,
    )  # fmt: skip


def _whisker(candidate: Drawn, plane: Plane) -> Markup:
    if not wording.has_interval(candidate.score):
        return EMPTY
    return Markup('<line class="whisker {}" x1="{x}" x2="{x}" y1="{}" y2="{}"/>').format(
        candidate.kind,
        plane.y(candidate.score.low),
        plane.y(candidate.score.high),
        x=plane.x(candidate.seconds_per_clip),
    )


def _point(candidate: Drawn, plane: Plane) -> Markup:
    tip = (
        f"{candidate.name}: {plane.vertical.metric.figure(candidate.score)}, "
        f"{wording.milliseconds(candidate.seconds_per_clip)} per clip"
    )
    place = mark(
        candidate.kind,
        str(plane.x(candidate.seconds_per_clip)),
        str(plane.y(candidate.score.value)),
        "chosen" if candidate.chosen else "",
    )
    return Markup("<g><title>{}</title>{}</g>").format(tip, place)


# ---------------------------------------------------------------- labels


def _labels(shown: Sequence[Drawn], front: Sequence[Drawn], plane: Plane) -> list[Markup]:
    """Label the chosen, the front, then the others, each where there is room, or not at all."""
    order = sorted(shown, key=lambda c: (not c.chosen, c not in front, plane.y(c.score.value)))
    taken = [_around(c, plane) for c in shown]
    lines = [_along(c, plane) for c in shown if wording.has_interval(c.score)]
    lines += _steps(front, plane)
    pieces = []
    for candidate in order:
        text, centre = label_text(candidate.name), _centre(candidate, plane)
        # A label may cross a line where there is no other room, but never a mark or a label.
        box = free_box(text, centre, [*taken, *lines], plane)
        box = box or free_box(text, centre, taken, plane, far=candidate.chosen)
        if box is not None:
            taken.append(box)
            pieces.append(_label(text, box, centre[0], candidate.chosen))
    return pieces


def _label(text: str, box: Box, mark_x: float, chosen: bool) -> Markup:
    """Anchor text at the end that is near the mark, for letters differ in width by font."""
    left, _, right, bottom = box
    anchor, x = ("start", left) if left > mark_x else ("end", right)
    if left < mark_x < right:
        anchor, x = "middle", (left + right) / 2
    css = "label chosen" if chosen else "label"
    return Markup('<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(
        css, x, bottom - 4, anchor, text
    )


def _along(candidate: Drawn, plane: Plane) -> Box:
    x = plane.x(candidate.seconds_per_clip)
    top, bottom = sorted((plane.y(candidate.score.low), plane.y(candidate.score.high)))
    return x - 2, top, x + 2, bottom


def _steps(front: Sequence[Drawn], plane: Plane) -> list[Box]:
    """Return the level lines of the front as boxes."""
    ends = [plane.x(c.seconds_per_clip) for c in front[1:]] + [plane.width - INSET["right"]]
    boxes = []
    for candidate, end in zip(front, ends, strict=True):
        x, y = _centre(candidate, plane)
        boxes.append((x, y - 2, end, y + 2))
    return boxes


def label_text(name: str) -> str:
    """Return a name short enough to stand in a chart."""
    return name if len(name) <= LONGEST_LABEL else name[: LONGEST_LABEL - 1] + "…"


def free_box(
    text: str, centre: tuple[float, float], taken: Sequence[Box], plane: Plane, far: bool = False
) -> Box | None:
    """Return the first place beside a point where text covers nothing, or ``None``.

    ``far`` allows places above and below that are not next to the mark.
    """
    width, height = len(text) * LETTER_PIXELS, 16.0
    x, y = centre
    places = [
        (x + 11, y - 8), (x - 11 - width, y - 8), (x + 8, y - 24), (x - 8 - width, y - 24),
        (x + 8, y + 8), (x - 8 - width, y + 8), (x - width / 2, y - 28), (x - width / 2, y + 12),
    ]  # fmt: skip
    if far:
        kept = min(max(x - width / 2, INSET["left"]), plane.width - INSET["right"] - width)
        places += [(kept, y + step) for step in (-28, 12, -44, 28, -60, 44, -76, 60)]
    for left, top in places:
        box = (left, top, left + width, top + height)
        if _inside(box, plane) and not any(overlap(box, other) for other in taken):
            return box
    return None


def overlap(first: Box, second: Box) -> bool:
    """Tell whether two boxes share a point."""
    return (
        first[0] < second[2] and second[0] < first[2]
        and first[1] < second[3] and second[1] < first[3]
    )  # fmt: skip


def _inside(box: Box, plane: Plane) -> bool:
    return (
        box[0] >= INSET["left"] and box[2] <= plane.width - 2
        and box[1] >= INSET["top"] - 6 and box[3] <= plane.height - INSET["bottom"]
    )  # fmt: skip


def _centre(candidate: Drawn, plane: Plane) -> tuple[float, float]:
    return plane.x(candidate.seconds_per_clip), plane.y(candidate.score.value)


def _around(candidate: Drawn, plane: Plane) -> Box:
    x, y = _centre(candidate, plane)
    return x - 8, y - 8, x + 8, y + 8

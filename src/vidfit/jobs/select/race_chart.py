"""The race as a chart: the score at each round, one line for each candidate."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

from markupsafe import Markup

from vidfit.contracts import Estimate
from vidfit.jobs.select.words import ran, standing
from vidfit.report import wording
from vidfit.report.charts import EMPTY, Axis, join, levels, mark, plot, score_axis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vidfit.jobs.select.value import Ranked, Ranking
    from vidfit.report.wording import Metric

LETTER_PIXELS, LINE_PIXELS = 7.2, 16.0
LONGEST_NAME = 30
BESIDE = 18.0
"""Pixels from a mark to its label."""

NAMED_DROPS = 8
"""So many of those dropped in one round are labelled: the lines of the others pass there."""

LEFT, TOP, BOTTOM = 46.0, 46.0, 52.0
ORDER = ("dropped", "behind", "tied", "recommended")
"""What is drawn later lies above."""


@dataclass(frozen=True, slots=True)
class Course:
    """The way of one candidate: its round numbers from 0, and its scores at each."""

    place: int
    candidate: Ranked
    scores: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class RaceGrid:
    """The plane of the chart in pixels: rounds, evenly apart, against the score."""

    width: float
    height: float
    right: float
    rounds: int
    axis: Axis

    def x(self, round_: int) -> float:
        """Return the place of a round."""
        share = round_ / (self.rounds - 1)
        return round(LEFT + 24 + share * (self.width - LEFT - 24 - self.right), 1)

    def y(self, value: float) -> float:
        """Return the place of a figure."""
        share = self.axis.place(value) / 100
        return round(self.height - BOTTOM - share * (self.height - BOTTOM - TOP), 1)

    def letters(self, round_: int) -> int:
        """Return how many letters fit beside a mark of this round."""
        last = round_ == self.rounds - 1
        end = self.width if last else self.x(round_ + 1) - 12
        return min(LONGEST_NAME, int((end - self.x(round_) - BESIDE) / LETTER_PIXELS))


def race_chart(ranking: Ranking, width: int, height: int, *, named: bool = True) -> Markup:
    """Return the chart, or nothing when there were no two rounds to draw a line between.

    Rounds stand evenly apart, whatever their number of clips. Without ``named`` the labels
    are places in the ranking, for want of room.
    """
    courses = _courses(ranking)
    if not courses or len(ranking.rungs) < 2:
        return EMPTY
    right = LONGEST_NAME * LETTER_PIXELS + BESIDE if named else 44.0
    metric = wording.metric_of(ranking)
    values = [Estimate(v, v, v) for course in courses for _, v in course.scores]
    grid = RaceGrid(width, height, right, len(ranking.rungs), score_axis(values, metric))
    pieces = [_grid(grid, ranking)]
    pieces += [_line(c, grid) for c in sorted(courses, key=_layer)]
    pieces += [_label(*label, grid) for label in place_labels(courses, grid, named=named)]
    label = f"{metric.heading} of each candidate, round by round"
    return plot(width, height, label, join(pieces), "plot race")


def _courses(ranking: Ranking) -> list[Course]:
    found = []
    for place, candidate in enumerate(ranking.candidates, 1):
        scores = tuple(
            (i, rung.scores[candidate.name])
            for i, rung in enumerate(ranking.rungs)
            if isfinite(rung.scores.get(candidate.name, float("nan")))
        )
        if scores:
            found.append(Course(place, candidate, scores))
    return found


def _layer(course: Course) -> int:
    return ORDER.index(course.candidate.standing)


def _grid(grid: RaceGrid, ranking: Ranking) -> Markup:
    top, bottom = TOP, grid.height - BOTTOM
    end, metric = grid.x(grid.rounds - 1), grid.axis.metric
    pieces = [levels(grid.axis, grid.y, LEFT, end)]
    pieces += [
        Markup(
            '<line class="grid" x1="{x}" x2="{x}" y1="{}" y2="{}"/>'
            '<text x="{x}" y="{}" text-anchor="middle">{:,}</text>'
            '<text x="{x}" y="{}" text-anchor="middle">{} ran</text>'
        ).format(top - 12, bottom, bottom + 18, rung.clips, top - 18, ran(rung),
                 x=grid.x(i))
        for i, rung in enumerate(ranking.rungs)
    ]  # fmt: skip
    pieces.append(
        Markup(
            '<text class="name" x="8" y="10">{}</text>'
            '<text class="name" x="{}" y="{}">clips seen at each round</text>'
        ).format(metric.title, LEFT, bottom + 42)
    )
    return join(pieces)


def _line(course: Course, grid: RaceGrid) -> Markup:
    kind = course.candidate.standing
    points = [(grid.x(i), grid.y(v)) for i, v in course.scores]
    path = "L".join(f"{x} {y}" for x, y in points)
    dots = join(
        Markup('<circle class="step {}" cx="{}" cy="{}" r="3"/>').format(kind, x, y)
        for x, y in points[:-1]
    )
    x, y = points[-1]
    end = mark(kind, str(x), str(y), "chosen" if kind == "recommended" else "")
    return Markup('<g><title>{}</title><path class="course {}" d="M{}"/>{}{}</g>').format(
        _tip(course, grid.axis.metric), kind, path, dots, end
    )


def _tip(course: Course, metric: Metric) -> str:
    seen = ", ".join(metric.value(v) for _, v in course.scores)
    return f"{course.candidate.name}: {seen}; {standing(course.candidate)}"


# ---------------------------------------------------------------- labels

Label = tuple[Course, str, float, float]
"""Whose, what, and where: x of the mark, y of the middle of the text."""


def place_labels(courses: Sequence[Course], grid: RaceGrid, *, named: bool) -> list[Label]:
    """Return labels beside the last mark of each, moved up or down so that none overlap.

    Where a round has no room for all, the worse ones have none.
    """
    labels: list[Label] = []
    room = int((grid.height - BOTTOM - TOP + LINE_PIXELS) / LINE_PIXELS)
    for round_ in range(grid.rounds):
        last = round_ == grid.rounds - 1
        ending = [c for c in courses if c.scores[-1][0] == round_]
        ending = ending[: room if last else NAMED_DROPS]
        ending.sort(key=lambda c: grid.y(c.scores[-1][1]))
        wanted = [grid.y(c.scores[-1][1]) for c in ending]
        for course, y in zip(ending, spread(wanted, TOP, grid.height - BOTTOM), strict=True):
            text = wording.cut(course.candidate.name, grid.letters(round_))
            text = text if named else str(course.place)
            labels.append((course, text, grid.x(round_), y))
    return labels


def spread(wanted: Sequence[float], top: float, bottom: float) -> list[float]:
    """Return ascending places, a line of text apart, near those wanted and inside."""
    places: list[float] = []
    for y in wanted:
        places.append(max(y, places[-1] + LINE_PIXELS if places else top))
    limit = bottom
    for i in reversed(range(len(places))):
        places[i] = min(places[i], limit)
        limit = places[i] - LINE_PIXELS
    return places


def _label(course: Course, text: str, x: float, y: float, grid: RaceGrid) -> Markup:
    own = grid.y(course.scores[-1][1])
    kind = course.candidate.standing
    css = f"label {kind}" + (" chosen" if kind == "recommended" else "")
    return Markup(
        '<path class="lead-line" d="M{} {}L{} {:.1f}"/><text class="{}" x="{}" y="{:.1f}">{}</text>'
    ).format(x + 8, own, x + BESIDE - 3, y, css, x + BESIDE, y + 4.5, text)

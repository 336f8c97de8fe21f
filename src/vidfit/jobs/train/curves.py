"""The curves of a training run: loss, accuracy, rate and batch over its epochs."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite
from typing import TYPE_CHECKING

from markupsafe import Markup

from vidfit.jobs.train import words
from vidfit.report import wording
from vidfit.report.charts import EMPTY, Axis, join, levels, mark, plot, round_axis

if TYPE_CHECKING:
    from vidfit.training.epoch import Epoch
from vidfit.jobs.train.value import TrainingReport

LEFT, RIGHT, TOP, BOTTOM = 58.0, 14.0, 22.0, 44.0
HEADING, LETTER_PIXELS, SAMPLE_PIXELS = 42.0, 6.6, 30.0
TICK_PIXELS, EPOCH_PIXELS, TOLD_EPOCHS = 30.0, 60.0, 200


@dataclass(frozen=True, slots=True)
class Curve:
    """One curve: a value an epoch, ``nan`` where none was measured; straight or in steps."""

    name: str
    css: str
    values: tuple[float, ...]
    stepped: bool = False


@dataclass(frozen=True, slots=True)
class Subplot:
    """Curves on one scale; ``weight`` is the height relative to the other subplots."""

    title: str
    lines: tuple[Curve, ...]
    weight: float
    from_zero: bool = False

    def axis(self, most: int) -> Axis:
        """Return the scale, with room for all that was measured."""
        values = [v for line in self.lines for v in line.values if isfinite(v)]
        values = [0.0, *values] if self.from_zero else values
        return round_axis(values, most, within=(0.0, inf))


@dataclass(frozen=True, slots=True)
class PlotArea:
    """Where a subplot stands in the picture, in pixels, and what its corners mean."""

    left: float
    right: float
    top: float
    bottom: float
    epochs: tuple[int, int]
    axis: Axis

    def x(self, number: int) -> float:
        """Return the place of an epoch; one alone stands in the middle."""
        first, last = self.epochs
        share = (number - first) / (last - first) if last > first else 0.5
        return round(self.left + share * (self.right - self.left), 1)

    def y(self, value: float) -> float:
        """Return the place of a value."""
        share = self.axis.place(value) / 100
        return round(self.bottom - share * (self.bottom - self.top), 1)


def subplots(report: TrainingReport) -> list[Subplot]:
    """Return what can be drawn: the batch only where it changes, nothing without a value."""
    history = report.history
    loss = Curve("training", "learned", tuple(e.loss for e in history))
    log_loss = Curve("validation", "validated", tuple(e.log_loss for e in history))
    right = Curve("accuracy", "validated", tuple(100 * e.accuracy for e in history))
    rate = Curve("rate", "rate", tuple(e.learning_rate for e in history))
    batch = Curve("batch", "rate", tuple(float(e.batch_clips) for e in history), stepped=True)
    found = [
        Subplot("loss, nats per clip", (loss, log_loss), 2.2),
        Subplot("right on validation clips, %", (right,), 1.5),
        Subplot("learning rate", (rate,), 1.0, from_zero=True),
    ]
    if len(set(batch.values)) > 1:
        found.append(Subplot("clips of a step", (batch,), 1.0, from_zero=True))
    return [p for p in found if any(isfinite(v) for line in p.lines for v in line.values)]


def curves(report: TrainingReport, width: float, height: float) -> Markup:
    """Return the subplots below each other over one axis of epochs; nothing where none is drawn."""
    drawn = subplots(report)
    if not drawn:
        return EMPTY
    places = _places(drawn, report.history, width, height)
    pieces = [_epochs(places[-1]), _kept(report, places)]
    for subplot, place in zip(drawn, places, strict=True):
        pieces += [_scale(subplot, place), _keys(subplot, place)]
        pieces += [_curve(line, report.history, place) for line in subplot.lines]
        pieces += [_best(line, report, place) for line in subplot.lines if line.css == "validated"]
    if len(report.history) <= TOLD_EPOCHS:
        pieces += [_told(epoch, places) for epoch in report.history]
    return plot(width, height, "Loss, accuracy and learning rate by epoch", join(pieces))


def _places(
    drawn: list[Subplot], history: tuple[Epoch, ...], width: float, height: float
) -> list[PlotArea]:  # fmt: skip
    room = height - TOP - BOTTOM - HEADING * len(drawn)
    share = room / sum(subplot.weight for subplot in drawn)
    epochs = history[0].number + 1, history[-1].number + 1
    places, y = [], TOP
    for subplot in drawn:
        top, bottom = y + HEADING, y + HEADING + share * subplot.weight
        axis = subplot.axis(max(1, int((bottom - top) / TICK_PIXELS)))
        places.append(PlotArea(LEFT, width - RIGHT, top, bottom, epochs, axis))
        y = bottom
    return places


def _epochs(last: PlotArea) -> Markup:
    """Return the numbers of the epochs, which count from one, below the last subplot."""
    first, end = last.epochs
    axis = round_axis(last.epochs, max(1, int((last.right - last.left) / EPOCH_PIXELS)))
    ticks = [int(tick) for tick in axis.ticks if first <= tick <= end and tick == int(tick)]
    numbers = [
        Markup('<text x="{}" y="{:.1f}" text-anchor="middle">{}</text>').format(
            last.x(tick), last.bottom + 18, tick
        )
        for tick in ticks
    ]
    name = Markup('<text class="name" x="{}" y="{:.1f}" text-anchor="end">epoch</text>').format(
        last.right, last.bottom + 38
    )
    return join([*numbers, name])


def _kept(report: TrainingReport, places: list[PlotArea]) -> Markup:
    """Return upright lines at the epoch whose weights were kept, named above all subplots."""
    first, number = places[0], report.best_epoch + 1
    share = (first.x(number) - first.left) / (first.right - first.left)
    anchor = "start" if share < 0.12 else "end" if share > 0.88 else "middle"
    name = Markup('<text class="label" x="{}" y="13" text-anchor="{}">kept: epoch {}</text>')
    lines = [
        Markup('<line class="kept" x1="{x}" x2="{x}" y1="{:.1f}" y2="{:.1f}"/>').format(
            place.top, place.bottom, x=place.x(number)
        )
        for place in places
    ]
    return join([name.format(first.x(number), anchor, number), *lines])


def _scale(subplot: Subplot, place: PlotArea) -> Markup:
    title = Markup('<text class="name" x="4" y="{:.1f}">{}</text>').format(
        place.top - 14, subplot.title
    )
    return title + levels(place.axis, place.y, place.left, place.right)


def _keys(subplot: Subplot, place: PlotArea) -> Markup:
    """Return a sample of each curve with its name, where a subplot has more than one."""
    shown = [line for line in subplot.lines if any(map(isfinite, line.values))]
    if len(subplot.lines) < 2:
        return EMPTY
    pieces, right = [], place.right
    for line in reversed(shown):
        x = right - LETTER_PIXELS * len(line.name)
        pieces.append(
            Markup(
                '<path class="curve {}" d="M{:.1f} {:.1f}h20"/>'
                '<text x="{:.1f}" y="{:.1f}">{}</text>'
            ).format(line.css, x - 26, place.top - 18, x, place.top - 14, line.name)
        )
        right = x - SAMPLE_PIXELS - 12
    return join(pieces)


def _curve(line: Curve, history: tuple[Epoch, ...], place: PlotArea) -> Markup:
    """Return paths that break where nothing was measured; a value alone is a dot."""
    runs: list[list[tuple[float, float]]] = [[]]
    for epoch, value in zip(history, line.values, strict=True):
        if isfinite(value):
            runs[-1].append((place.x(epoch.number + 1), place.y(value)))
        elif runs[-1]:
            runs.append([])
    return join(_run(line, points) for points in runs if points)


def _run(line: Curve, points: list[tuple[float, float]]) -> Markup:
    (x, y), *others = points
    if not others:
        return Markup('<circle class="dot {}" cx="{}" cy="{}" r="3.5"/>').format(line.css, x, y)
    onward = "".join(f"H{x}V{y}" if line.stepped else f"L{x} {y}" for x, y in others)
    return Markup('<path class="curve {}" d="M{} {}{}"/>').format(line.css, x, y, onward)


def _best(line: Curve, report: TrainingReport, place: PlotArea) -> Markup:
    values = dict(zip((e.number for e in report.history), line.values, strict=True))
    value = values.get(report.best_epoch, float("nan"))
    if not isfinite(value):
        return EMPTY
    return mark("backbone", str(place.x(report.best_epoch + 1)), str(place.y(value)), "chosen")


def _told(epoch: Epoch, places: list[PlotArea]) -> Markup:
    """Return a stripe that tells an epoch's figures when it is pointed at."""
    first, last = places[0].epochs
    width = (places[0].right - places[0].left) / max(1, last - first)
    tip = (
        f"epoch {epoch.number + 1}: loss {words.number(epoch.loss)}, validation log-loss "
        f"{words.number(epoch.log_loss)}, accuracy {wording.percent(epoch.accuracy)}"
    )
    return Markup(
        '<rect class="hover" x="{:.1f}" y="{}" width="{:.1f}" height="{:.1f}"><title>{}</title>'
        "</rect>"
    ).format(
        places[0].x(epoch.number + 1) - width / 2, TOP, width, places[-1].bottom - TOP, tip
    )  # fmt: skip

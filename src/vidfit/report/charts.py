"""Small charts as inline SVG, coloured by the page's style sheet.

Rows are fluid: places are percentages, so that marks and letters keep their size at any
width. Text that comes from users is escaped by ``Markup.format``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, floor, inf, isfinite, log10
from typing import TYPE_CHECKING

from markupsafe import Markup

from vidfit.report import wording
from vidfit.reported import MAJORITY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from vidfit.contracts import Estimate
    from vidfit.report.wording import Metric
    from vidfit.reported import ReliabilityBin

DISC = "M0-5.5A5.5 5.5 0 1 1 0 5.5A5.5 5.5 0 1 1 0-5.5z"
DIAMOND = "M0-7L7 0 0 7-7 0z"
MARKS = {
    "backbone": DISC,
    "fusion": DIAMOND,
    "baseline": "M-4.6-4.6H4.6V4.6H-4.6z",
    "leak": "M0-7L7 5.5H-7z",
    "recommended": "M0-7A7 7 0 1 1 0 7A7 7 0 1 1 0-7z",
    "tied": DISC,
    "behind": "M0-6L6 0 0 6-6 0z",
    "dropped": "M0-4.5A4.5 4.5 0 1 1 0 4.5A4.5 4.5 0 1 1 0-4.5z",
    "single": DISC,
    "concatenation": "M-5-5H5V5H-5z",
    "integration": DIAMOND,
    "complement": "M0-6.5L6.8 5.2H-6.8z",
    "student": "M0-7.5L2 -2.4 7.2-2.3 3 1.1 4.4 6.2 0 3.2-4.4 6.2-3 1.1-7.2-2.3-2-2.4z",
    "decision": "M-7-3L0-7 7-3V3L0 7-7 3z",
}
"""Kind -> outline: kinds that stand in one picture differ in shape, not only in colour."""

EMPTY = Markup("")


@dataclass(frozen=True, slots=True)
class Axis:
    """A linear axis of figures; ``ticks`` are round and lie inside.

    Better is to the right, or up: figures of a loss fall along it.
    """

    low: float
    high: float
    ticks: tuple[float, ...]
    metric: Metric

    def place(self, value: float) -> float:
        """Return where a value stands, in percent of the width, kept inside."""
        share = min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))
        return round(100 * (share if self.metric.higher_is_better else 1.0 - share), 2)

    def span(self, estimate: Estimate) -> tuple[float, float]:
        """Return where an interval begins and ends."""
        first, last = sorted((self.place(estimate.low), self.place(estimate.high)))
        return first, last


def score_axis(estimates: Iterable[Estimate], metric: Metric) -> Axis:
    """Return an axis that holds all finite values and interval ends, of shares in [0, 1]."""
    most = 1.0 if metric.percent else inf
    found = [min(most, max(0.0, end)) for end in _ends(estimates)]
    return round_axis(found or [0.0, 1.0], 5, metric, (0.0, most))


def gain_axis(estimates: Iterable[Estimate], metric: Metric) -> Axis:
    """Return an axis of gains, more of which is better, that holds zero and all intervals."""
    return round_axis([0.0, *_ends(estimates)], 6, replace(metric, higher_is_better=True))


def _ends(estimates: Iterable[Estimate]) -> list[float]:
    return [v for e in estimates for v in (e.value, e.low, e.high) if isfinite(v)]


def round_axis(
    values: Iterable[float],
    most: int,
    metric: Metric = wording.PLAIN,
    within: tuple[float, float] = (-inf, inf),
) -> Axis:
    """Return an axis that holds all values, in ``most`` round steps or one or two more.

    Where all values are one, there is a step below and above it that lies ``within``.
    """
    found = list(values)
    low, high = min(found), max(found)
    span = high - low or abs(high) or 1.0
    rough = span / most
    power = 10.0 ** floor(log10(rough))
    step = next(power * s for s in (1, 2, 5, 10) if power * s >= rough * (1 - 1e-9))
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    if first == last:
        first, last = first - 1, last + 1
    ticks = [float(f"{i * step:.6g}") for i in range(first, last + 1)]
    ticks = [tick for tick in ticks if within[0] <= tick <= within[1]]
    return Axis(ticks[0], ticks[-1], tuple(ticks), metric)


def join(pieces: Iterable[Markup]) -> Markup:
    """Return pieces of SVG in a row."""
    return EMPTY.join(pieces)


def mark(kind: str, x: str, y: str, css: str = "") -> Markup:
    """Return the mark of a kind of candidate: its shape tells it apart, not only colour."""
    return Markup(
        '<svg class="mark {} {}" x="{}" y="{}" overflow="visible"><path d="{}"/></svg>'
    ).format(kind, css, x, y, MARKS[kind])


def key(kind: str) -> Markup:
    """Return a mark as it stands in a line of text."""
    return Markup(
        '<svg class="sign" width="16" height="16" viewBox="-8 -8 16 16" aria-hidden="true">'
        '<path class="mark {}" d="{}"/></svg>'
    ).format(kind, MARKS[kind])


def plot(width: float, height: float, label: str, drawn: Markup, css: str = "plot") -> Markup:
    """Return a chart in pixels, with what it shows in words; nothing of nothing."""
    if not drawn:
        return EMPTY
    return Markup('<svg class="{}" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        css, width, height, label, drawn
    )


def levels(axis: Axis, y: Callable[[float], float], left: float, right: float) -> Markup:
    """Return the level lines of an axis with their numbers; ``y`` gives places in pixels."""
    return join(
        Markup(
            '<line class="grid" x1="{}" x2="{}" y1="{y}" y2="{y}"/>'
            '<text x="{}" y="{:.1f}" text-anchor="end">{}</text>'
        ).format(left, right, left - 8, y(tick) + 4, axis.metric.tick(tick), y=y(tick))
        for tick in axis.ticks
    )


def axis_row(axis: Axis, gain: bool = False) -> Markup:
    """Return the numbers of the axis, to stand above rows; those of gains have their signs."""
    labels = join(
        Markup('<text x="{}%" y="13" text-anchor="middle">{}{}</text>').format(
            axis.place(tick), "+" if gain and tick > 0 else "", axis.metric.tick(tick)
        )
        for tick in axis.ticks
    )
    return Markup('<svg class="row axis" height="18" aria-hidden="true">{}</svg>').format(labels)


def interval_row(
    estimate: Estimate,
    axis: Axis,
    kind: str,
    band: Estimate | None = None,
    chosen: bool = False,
    gain: bool = False,
) -> Markup:
    """Return one estimate as a mark with its interval; ``band`` is shaded behind it.

    Of a gain the line at zero is marked: what it is a gain over.
    """
    pieces = [_band(band, axis)] if band else []
    pieces += [
        Markup('<line class="{0}" x1="{1}%" x2="{1}%" y1="0" y2="100%"/>').format(
            "zero" if gain and not tick else "grid", axis.place(tick)
        )
        for tick in axis.ticks
    ]
    if wording.has_interval(estimate):
        pieces.append(
            Markup('<line class="whisker {}" x1="{}%" x2="{}%" y1="50%" y2="50%"/>').format(
                kind, axis.place(estimate.low), axis.place(estimate.high)
            )
        )
    if isfinite(estimate.value):
        place = f"{axis.place(estimate.value)}%"
        pieces.append(mark(kind, place, "50%", "chosen" if chosen else ""))
    text = axis.metric.gain(estimate) if gain else axis.metric.figure(estimate)
    return Markup(
        '<svg class="row" height="{2}" role="img" aria-label="{0}"><title>{0}</title>{1}</svg>'
    ).format(text, join(pieces), 28 if gain else 34)


def _band(band: Estimate, axis: Axis) -> Markup:
    if not wording.has_interval(band):
        return EMPTY
    left, right = axis.span(band)
    return Markup('<rect class="band" x="{}%" width="{}%" y="0" height="100%"/>').format(
        left, round(right - left, 2)
    )


_SIGN_PIXELS, _NARROWEST_PIXELS = 6.4, 340
"""How wide a sign is, and the narrowest track: that of a screen of 390."""


def headline_chart(
    score: Estimate, majority: float, metric: Metric, baseline: str = MAJORITY
) -> Markup:
    """Return the score on a track, of shares from 0 to 100 %, with the baseline marked."""
    axis = _track(score, majority, metric)
    pieces = [Markup('<rect class="track" x="0" y="26" width="100%" height="10" rx="5"/>')]
    if wording.has_interval(score):
        left, right = axis.span(score)
        pieces.append(
            Markup('<rect class="range" x="{}%" y="26" width="{}%" height="10" rx="5"/>').format(
                left, round(max(right - left, 0.3), 2)
            )
        )
    if isfinite(majority):
        pieces.append(_flag(axis, 58, baseline, majority))
    if isfinite(score.value):
        pieces.append(_flag(axis, 14, metric.name, score.value))
        pieces.append(mark("backbone", f"{axis.place(score.value)}%", "31", "chosen"))
    label = f"{metric.heading} {metric.figure(score)}; {baseline} {metric.value(majority)}"
    return Markup(
        '<svg class="row headline" height="64" role="img" aria-label="{0}"><title>{0}</title>'
        "{1}</svg>"
    ).format(label, join(pieces))


def _track(score: Estimate, majority: float, metric: Metric) -> Axis:
    if metric.percent:
        return Axis(0.0, 1.0, (0.0, 1.0), metric)
    return score_axis([score, replace(score, value=majority), replace(score, value=0.0)], metric)


def _flag(axis: Axis, y: int, name: str, value: float) -> Markup:
    place, text = axis.place(value), f"{name} {axis.metric.value(value)}"
    half = 100 * len(text) * _SIGN_PIXELS / 2 / _NARROWEST_PIXELS
    anchor = "start" if place < half else "end" if place > 100 - half else "middle"
    return Markup(
        '<line class="tick" x1="{0}%" x2="{0}%" y1="22" y2="40"/>'
        '<text x="{0}%" y="{1}" text-anchor="{2}">{3}</text>'
    ).format(place, y, anchor, text)


def reliability_chart(bins: Sequence[ReliabilityBin], unknown_probability: float) -> Markup:
    """Return accuracy against confidence, dots as large as their number of clips.

    On the diagonal a probability can be taken at its word (DeGroot and Fienberg, 1983).
    """
    shown = [b for b in bins if b.count and isfinite(b.confidence) and isfinite(b.accuracy)]
    most = max((b.count for b in shown), default=1)
    pieces = [_plane(), _threshold(unknown_probability)]
    pieces += [_reliability_point(b, most) for b in shown]
    label = "Reliability diagram: accuracy against the confidence of the model"
    return plot(340, 356, label, join(pieces))


LEFT, TOP, SIDE = 44, 28, 284


def _x(fraction: float) -> float:
    return round(LEFT + SIDE * fraction, 1)


def _y(fraction: float) -> float:
    return round(TOP + SIDE * (1 - fraction), 1)


def _plane() -> Markup:
    pieces = [
        Markup(
            '<line class="grid" x1="{x}" x2="{x}" y1="{top}" y2="{bottom}"/>'
            '<line class="grid" x1="{left}" x2="{right}" y1="{y}" y2="{y}"/>'
            '<text x="{x}" y="{below}" text-anchor="middle">{n:.0f}</text>'
            '<text x="{beside}" y="{base}" text-anchor="end">{n:.0f}</text>'
        ).format(
            x=_x(f),
            y=_y(f),
            top=_y(1),
            bottom=_y(0),
            left=_x(0),
            right=_x(1),
            below=_y(0) + 17,
            beside=LEFT - 8,
            base=_y(f) + 4,
            n=100 * f,
        )
        for f in (0.0, 0.25, 0.5, 0.75, 1.0)
    ]
    pieces.append(
        Markup('<line class="diagonal" x1="{}" y1="{}" x2="{}" y2="{}"/>').format(
            _x(0), _y(0), _x(1), _y(1)
        )
    )
    pieces.append(
        Markup(
            '<text class="name" x="{}" y="{}" text-anchor="end">probability given, %</text>'
            '<text class="name" x="{}" y="12">right answers, %</text>'
        ).format(_x(1) + 8, _y(0) + 40, LEFT - 26)
    )
    return join(pieces)


def _threshold(probability: float) -> Markup:
    if not isfinite(probability) or probability <= 0:
        return EMPTY
    return Markup(
        '<rect class="unknown" x="{left}" y="{top}" width="{width}" height="{side}">'
        "<title>Below {text} the model declines to answer</title></rect>"
        '<line class="threshold" x1="{x}" x2="{x}" y1="{top}" y2="{bottom}"/>'
        '<text x="{left}" y="{below}">declines below {text}</text>'
    ).format(
        left=_x(0), width=round(_x(probability) - _x(0), 1), side=SIDE, x=_x(probability),
        top=_y(1), bottom=_y(0), below=_y(0) + 40, text=wording.percent(probability, 0),
    )  # fmt: skip


def _reliability_point(point: ReliabilityBin, most: int) -> Markup:
    x, y = _x(point.confidence), _y(point.accuracy)
    tip = (
        f"{wording.counted(point.count, 'clip')}: probability "
        f"{wording.percent(point.confidence)}, right {wording.percent(point.accuracy)}"
    )
    radius = round(4 + 9 * (point.count / most) ** 0.5, 1)
    return Markup(
        '<line class="error" x1="{x}" x2="{x}" y1="{y}" y2="{ideal}"/>'
        '<circle class="bubble" cx="{x}" cy="{y}" r="{r}"><title>{tip}</title></circle>'
        '<text class="count" x="{x}" y="{label}" text-anchor="middle">{count}</text>'
    ).format(
        x=x, y=y, ideal=_y(point.confidence), r=radius, tip=tip, count=point.count,
        label=round(y - radius - 4 if y - radius > TOP + 16 else y + radius + 13, 1),
    )  # fmt: skip

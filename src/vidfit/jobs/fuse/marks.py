"""Marks and rows of a combination: each family has a shape and a colour of its own."""

from __future__ import annotations

from dataclasses import replace
from math import ceil, floor, isfinite
from typing import TYPE_CHECKING

from markupsafe import Markup

from vidfit.report import wording
from vidfit.report.charts import Axis, join

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vidfit.contracts import Estimate
    from vidfit.report.wording import Metric

SHAPES = {
    "single": "M0-5.5A5.5 5.5 0 1 1 0 5.5A5.5 5.5 0 1 1 0-5.5z",
    "concatenation": "M-5-5H5V5H-5z",
    "integration": "M0-7L7 0 0 7-7 0z",
    "complement": "M0-6.5L6.8 5.2H-6.8z",
    "student": "M0-7.5L2 -2.4 7.2-2.3 3 1.1 4.4 6.2 0 3.2-4.4 6.2-3 1.1-7.2-2.3-2-2.4z",
    "decision": "M-7-3L0-7 7-3V3L0 7-7 3z",
}
"""The shape tells a family apart where colour cannot."""

STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)


def mark(kind: str, x: str, y: str, css: str = "") -> Markup:
    """Return the mark of a family."""
    return Markup(
        '<svg class="mark {} {}" x="{}" y="{}" overflow="visible"><path d="{}"/></svg>'
    ).format(kind, css, x, y, SHAPES[kind])


def key(kind: str) -> Markup:
    """Return the mark as it stands in a line of text."""
    return Markup(
        '<svg class="sign" width="16" height="16" viewBox="-8 -8 16 16" aria-hidden="true">'
        '<path class="mark {}" d="{}"/></svg>'
    ).format(kind, SHAPES[kind])


def gain_axis(estimates: Iterable[Estimate], metric: Metric) -> Axis:
    """Return an axis of gains, more of which is better, that holds zero and all intervals."""
    ends = [v for e in estimates for v in (e.value, e.low, e.high) if isfinite(v)]
    low, high = min([0.0, *ends]), max([0.0, *ends])
    step = next((s for s in STEPS if (high - low) / s <= 6), STEPS[-1])
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    if first == last:
        first, last = -1, 1
    ticks = tuple(round(i * step, 4) for i in range(first, last + 1))
    return Axis(ticks[0], ticks[-1], ticks, replace(metric, higher_is_better=True))


def gain_ticks(axis: Axis) -> Markup:
    """Return the numbers of an axis of gains, to stand above its rows."""
    labels = join(
        Markup('<text x="{}%" y="13" text-anchor="middle">{}</text>').format(
            axis.place(tick), f"{'+' if tick > 0 else ''}{axis.metric.tick(tick)}" if tick else "0"
        )
        for tick in axis.ticks
    )
    return Markup('<svg class="row axis" height="18" aria-hidden="true">{}</svg>').format(labels)


def gain_row(estimate: Estimate, axis: Axis, kind: str, css: str = "") -> Markup:
    """Return one gain as a mark with its interval; the line at zero is the best single model."""
    return _row(axis.metric.gain(estimate), estimate, axis, kind, css, zero=True)


def score_row(estimate: Estimate, axis: Axis, kind: str, css: str = "") -> Markup:
    """Return one score as a mark with its interval."""
    return _row(axis.metric.figure(estimate), estimate, axis, kind, css, zero=False)


def _row(
    text: str, estimate: Estimate, axis: Axis, kind: str, css: str, *, zero: bool
) -> Markup:  # fmt: skip
    pieces = [
        _line("zero" if zero and not tick else "grid", axis.place(tick)) for tick in axis.ticks
    ]
    if wording.has_interval(estimate):
        pieces.append(
            Markup('<line class="whisker {} {}" x1="{}%" x2="{}%" y1="50%" y2="50%"/>').format(
                kind, css, axis.place(estimate.low), axis.place(estimate.high)
            )
        )
    if isfinite(estimate.value):
        pieces.append(mark(kind, f"{axis.place(estimate.value)}%", "50%", css))
    return Markup(
        '<svg class="row" height="28" role="img" aria-label="{0}"><title>{0}</title>{1}</svg>'
    ).format(text, join(pieces))


def _line(css: str, place: float) -> Markup:
    return Markup('<line class="{0}" x1="{1}%" x2="{1}%" y1="0" y2="100%"/>').format(css, place)

"""Drawings of forecasters: squared error by frame ahead, and what became of probabilities."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf, isfinite

from markupsafe import Markup

from vidfit.pixels.forecast.calibrated import PixelReliability
from vidfit.pixels.forecast.compare import ForecastRow
from vidfit.report.charts import EMPTY, Axis, join, levels, plot, round_axis

_LEFT, _RIGHT, _TOP, _BOTTOM = 52.0, 16.0, 16.0, 62.0
_KEY_PIXELS, _LETTER = 30.0, 6.9
_SIDE, _MARGIN = 280.0, 48.0

FAR = 4.0
"""A baseline with so many times the largest error of a network would flatten the others."""


def error_curves(rows: Sequence[ForecastRow], chosen: str, width: float, height: float) -> Markup:
    """Return the squared error of each frame ahead: networks as lines, near baselines dashed."""
    frames = len(rows[0].mse_A)
    most = FAR * max((value for row in rows if row.network for value in row.mse_A), default=inf)
    rows = [row for row in rows if row.network or min(row.mse_A) <= most]
    axis = round_axis([0.0, *(value for row in rows for value in row.mse_A)], 5)
    keys, lines = _keys(rows, chosen, width)
    bottom = height - _BOTTOM - 18 * (lines - 1)

    def x(frame: int) -> float:
        return round(_LEFT + (width - _LEFT - _RIGHT) * frame / max(1, frames - 1), 1)

    def y(value: float) -> float:
        return round(bottom - (bottom - _TOP) * axis.place(value) / 100, 1)

    pieces = [levels(axis, y, _LEFT, width - _RIGHT)]
    step = max(1, -(-frames // 10))
    pieces += [
        Markup('<text x="{}" y="{}" text-anchor="middle">{}</text>').format(
            x(frame), bottom + 18, frame + 1
        )
        for frame in range(0, frames, step)
    ]
    pieces += [_curve(row, number, chosen, x, y) for number, row in enumerate(rows)]
    placed = Markup('<g transform="translate(0 {})">{}</g>').format(bottom + 38, keys)
    label = "Squared error summed over the pixels of a frame, by frame ahead"
    return plot(width, height, label, join([*pieces, placed]))


def _css(row: ForecastRow, number: int, chosen: str) -> str:
    kind = "network" if row.network else "without"
    return f"curve {kind} k{number}{' chosen' if row.name == chosen else ''}"


def _curve(
    row: ForecastRow,
    number: int,
    chosen: str,
    x: Callable[[int], float],
    y: Callable[[float], float],
) -> Markup:
    points = " ".join(f"{x(frame)},{y(value)}" for frame, value in enumerate(row.mse_A))
    last = ", ".join(f"{value:.1f}" for value in row.mse_A)
    return Markup('<polyline class="{}" points="{}"><title>{}: {}</title></polyline>').format(
        _css(row, number, chosen), points, row.name, last
    )


def _keys(rows: Sequence[ForecastRow], chosen: str, width: float) -> tuple[Markup, int]:
    """Return a sample of each curve with its name, in as many lines as it takes."""
    left, line, pieces = 4.0, 0, []
    for number, row in enumerate(rows):
        wide = _KEY_PIXELS + _LETTER * len(row.name) + 14
        if left > 4.0 and left + wide > width:
            left, line = 4.0, line + 1
        pieces.append(
            Markup(
                '<path class="{}" d="M{:.1f} {:.1f}h22"/><text x="{:.1f}" y="{:.1f}">{}</text>'
            ).format(
                _css(row, number, chosen),
                left,
                18 * line - 4,
                left + _KEY_PIXELS,
                18 * line,
                row.name,
            )
        )
        left += wide
    return join(pieces), line + 1


def reliability_of_pixels(found: PixelReliability) -> Markup:
    """Return what came against what was said; on the diagonal probabilities are true."""
    if not found.bins:
        return EMPTY
    axis = Axis(0.0, 1.0, (0.0, 0.25, 0.5, 0.75, 1.0), round_axis([0.0, 1.0], 4).metric)

    def x(value: float) -> float:
        return round(_MARGIN + _SIDE * value, 1)

    def y(value: float) -> float:
        return round(30 + _SIDE * (1 - value), 1)

    pieces = [levels(axis, y, _MARGIN, _MARGIN + _SIDE)]
    pieces += [
        Markup('<text x="{}" y="{}" text-anchor="middle">{:g}</text>').format(
            x(tick), y(0) + 18, tick
        )
        for tick in axis.ticks
    ]
    pieces.append(
        Markup('<line class="diagonal" x1="{}" y1="{}" x2="{}" y2="{}"/>').format(
            x(0), y(0), x(1), y(1)
        )
    )
    for one in found.bins:
        tip = f"said {one.said:.2f}, came {one.lit.value:.3f}; {one.share:.2%} of pixels"
        pieces.append(
            Markup(
                '<line class="whisker backbone" x1="{x}" x2="{x}" y1="{}" y2="{}"/>'
                '<circle class="bubble" cx="{x}" cy="{}" r="5"><title>{}</title></circle>'
            ).format(_end(one.lit.low, one.lit.value, y), _end(one.lit.high, one.lit.value, y),
                     y(one.lit.value), tip, x=x(one.said))
        )  # fmt: skip
    pieces.append(
        Markup('<text class="name" x="{}" y="{}" text-anchor="end">probability said</text>').format(
            x(1), y(0) + 38
        )
    )
    pieces.append(Markup('<text class="name" x="4" y="10">brightness that came</text>'))
    return plot(_MARGIN + _SIDE + 16, _SIDE + 76, "Reliability of the pixels", join(pieces))


def _end(end: float, value: float, y: Callable[[float], float]) -> float:
    """Return where an interval ends; at the value where it was not measured."""
    return y(min(1.0, max(0.0, end if isfinite(end) else value)))

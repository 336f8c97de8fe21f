"""The roofline of a machine, with a mark for each engine that was measured on it.

Williams, Waterman, Patterson (CACM 2009): operations a second against operations a byte, both
logarithmic; nothing can lie above the slope of the memory and the level of the processor.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log10
from typing import TYPE_CHECKING

from markupsafe import Markup

from vidfit.report.charts import join, mark
from vidfit.report.picture import picture_style, svg_file
from vidfit.report.plane import log_ticks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vidfit.runtime.roof import Roof
from vidfit.jobs.benchmark.value import Benchmark

WIDTH, HEIGHT = 860, 540
LEFT, RIGHT, TOP, BOTTOM = 76, 116, 118, 62
LABEL_PIXELS = 17
ENGINE_NAMES = {
    "onnx": "ONNX Runtime",
    "openvino": "OpenVINO",
    "torch": "torch",
    "compile": "torch.compile",
    "cuda": "torch, CUDA",
    "own": "own code",
}
_OWN_STYLE = ".course.wide { stroke: #0b6a75; } .course.narrow { stroke: #6d727d; }"


@dataclass(frozen=True, slots=True)
class Dot:
    """A run's best batch: operations a byte, and a second."""

    member: str
    intensity: float
    flops_per_second: float
    engine: str
    threads: int
    chosen: bool


def benchmark_svg(found: Benchmark) -> str:
    """Return the picture as an SVG file that stands alone."""
    dots = _dots(found)
    plane = _plane(found, dots)
    widest = max(roof.threads for roof in found.roofs)
    pieces = [
        _words(found, dots),
        _grid(plane),
        *(_roof(plane, roof, roof.threads == widest) for roof in found.roofs),
        *(_column(plane, column, widest) for column in _columns(dots)),
        *(_mark(plane, dot, dot.threads == widest) for dot in dots),
    ]
    return svg_file(WIDTH, HEIGHT, pieces, picture_style() + _OWN_STYLE)


def _dots(found: Benchmark) -> list[Dot]:
    """Return what has a place: runs of networks whose bytes are known."""
    dots = []
    for member in found.members:
        for run in (run for run in member.runs if run.timings):
            best = run.best
            if member.intensity(best) > 0:
                dots.append(
                    Dot(
                        member.name,
                        member.intensity(best),
                        member.flops_per_second(best),
                        ENGINE_NAMES.get(run.engine, run.engine),
                        run.threads,
                        run.engine == member.chosen,
                    )
                )
    return dots


@dataclass(frozen=True, slots=True)
class _Plane:
    """Where operations a byte and operations a second stand, by powers of ten."""

    left: float
    right: float
    low: float
    high: float

    def x(self, intensity: float) -> float:
        share = (log10(intensity) - self.left) / (self.right - self.left)
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    def y(self, flops_per_second: float) -> float:
        share = (log10(flops_per_second) - self.low) / (self.high - self.low)
        return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 1)


def _plane(found: Benchmark, dots: Sequence[Dot]) -> _Plane:
    """Return a plane with both bends of the roofs and all marks inside."""
    bends = [roof.flops_per_second / roof.bytes_per_second for roof in found.roofs]
    wide = [*bends, *(dot.intensity for dot in dots)]
    left, right = log10(min(wide)) - 0.7, log10(max(wide)) + 0.5
    lowest = min(min(bend, 10**left) * roof.bytes_per_second
                 for bend, roof in zip(bends, found.roofs, strict=True))  # fmt: skip
    low = log10(min([lowest * 2, *(dot.flops_per_second / 2 for dot in dots)]))
    high = log10(max(roof.flops_per_second for roof in found.roofs)) + 0.25
    return _Plane(left, right, low, high)


def _grid(plane: _Plane) -> Markup:
    pieces = []
    for value in log_ticks(plane.low, plane.high):
        line = Markup('<line class="grid" x1="{}" x2="{}" y1="{y}" y2="{y}"/>')
        y = plane.y(value)
        pieces.append(line.format(LEFT, WIDTH - RIGHT, y=y))
        pieces.append(_text(LEFT - 8, y + 4, f"{value / 1e9:g}", "end"))
    for value in log_ticks(plane.left, plane.right):
        pieces.append(_text(plane.x(value), HEIGHT - BOTTOM + 20, f"{value:g}", "middle"))
    middle = (LEFT + WIDTH - RIGHT) / 2
    below = "operations a byte that convolutions and matrix products move"
    pieces.append(_text(middle, HEIGHT - BOTTOM + 44, below, "middle"))
    pieces.append(_text(LEFT - 8, TOP - 8, "GFLOP/s", "end"))
    return join(pieces)


def _roof(plane: _Plane, roof: Roof, widest: bool) -> Markup:
    """Return a slope that bends into a level, with its figures at the end of it."""
    start = max(10**plane.left, 10**plane.low / roof.bytes_per_second)
    bend, level = roof.flops_per_second / roof.bytes_per_second, plane.y(roof.flops_per_second)
    path = Markup('<path class="course {}" d="M{} {}L{} {}L{} {}"/>').format(
        "wide" if widest else "narrow",
        plane.x(start), plane.y(roof.at(start)), plane.x(bend), level, WIDTH - RIGHT, level,
    )  # fmt: skip
    lines = (
        f"{roof.threads} thread{'s' * (roof.threads != 1)}",
        f"{roof.flops_per_second / 1e9:.3g} GFLOP/s",
        f"{roof.bytes_per_second / 1e9:.3g} GB/s",
    )
    x = WIDTH - RIGHT + 8
    return path + join(_text(x, level - 12 + 16 * i, text, "start") for i, text in enumerate(lines))


def _mark(plane: _Plane, dot: Dot, widest: bool) -> Markup:
    kind = "recommended" if widest else "behind"
    place = str(plane.x(dot.intensity)), str(plane.y(dot.flops_per_second))
    return mark(kind, *place, "chosen" if dot.chosen else "")


def _columns(dots: Sequence[Dot]) -> list[list[Dot]]:
    """Return the marks of each member: they stand nearly above one another."""
    columns: dict[str, list[Dot]] = {}
    for dot in dots:
        columns.setdefault(dot.member, []).append(dot)
    return list(columns.values())


def _column(plane: _Plane, dots: Sequence[Dot], widest: int) -> Markup:
    """Name the engines beside their marks, all cores to the right, and the member below."""
    left = _labels(plane, [dot for dot in dots if dot.threads != widest], "end")
    right = _labels(plane, [dot for dot in dots if dot.threads == widest], "start")
    middle = plane.x(sum(dot.intensity for dot in dots) / len(dots))
    name = _text(middle, HEIGHT - BOTTOM - 8, dots[0].member[:30], "middle", "count")
    return left + right + name


def _labels(plane: _Plane, dots: Sequence[Dot], anchor: str) -> Markup:
    """Move names apart where they would stand on one another."""
    pieces, last = [], 0.0
    aside = 14 if anchor == "start" else -14
    for dot in sorted(dots, key=lambda dot: -dot.flops_per_second):
        last = max(plane.y(dot.flops_per_second) + 4, last + LABEL_PIXELS)
        css = "label chosen" if dot.chosen else "label"
        pieces.append(_text(plane.x(dot.intensity) + aside, last, dot.engine, anchor, css))
    return join(pieces)


def _words(found: Benchmark, dots: Sequence[Dot]) -> Markup:
    names = ", ".join(member.name for member in found.members)
    runs = [
        (found.share_of_peak(member, run), run, member)
        for member in found.members
        if member.gmacs_per_view
        for run in member.runs
        if run.timings
    ]
    why = "No member has a network."
    if runs:
        share, run, member = max(runs, key=lambda one: one[0])
        engine = ENGINE_NAMES.get(run.engine, run.engine)
        why = f"At best {share:.0%} of the peak: {member.name[:40]} on {engine}, " + (
            f"{run.threads} thread{'s' * (run.threads != 1)}"
        )
        why += "; above 100%, for the peak is that of float32 products" if share > 1 else ""
        why += "" if dots else "; bytes are not known, so nothing is drawn"
    machine = (
        f"{found.machine.get('processor', '')}, load {found.load[0]:.1f} to {found.load[1]:.1f}; "
        "diamonds one thread, circles all cores, the choice of vidfit outlined"
    )
    return join(
        [
            _text(24, 34, f"How fast {names} runs here"[:76], "start", "title"),
            _text(24, 58, why[:120], "start", "why"),
            _text(24, 78, machine[:136], "start"),
        ]
    )


def _text(x: float, y: float, text: str, anchor: str, css: str = "") -> Markup:
    where = Markup('<text class="{}" x="{}" y="{}" text-anchor="{}">{}</text>')
    return where.format(css, x, y, anchor, text)

"""A plan as text, and its picture as a file."""

from __future__ import annotations

from itertools import pairwise
from math import log2
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from vidfit.files import write_whole
from vidfit.report.charts import join, mark
from vidfit.report.picture import picture_style, svg_file
from vidfit.shown import counted

if TYPE_CHECKING:
    from vidfit.plans import Layout, Plan, PlanOption


_SHOWN = 10
MIB, GIB = 2**20, 2**30


def plan_markdown(plan: Plan) -> str:
    """Return what is trained and how, and a table of layouts that fit, the chosen one first."""
    subject, layout, recipe = plan.subject, plan.layout, plan.recipe
    over = f" over {subject.backbone}" if subject.backbone else ""
    lines = [
        f"**{subject.network}{over}, {subject.regime}**: {counted(recipe.epochs, 'epoch')} of "
        f"{counted(plan.data.clips, 'clip')}, {duration(plan.predicted.total_seconds)} on "
        f"{plan.machine.name}",
        "",
        "| layout | clips a step | memory | step | waits | run |",
        "|---|---|---|---|---|---|",
    ]
    fitting = [option for option in plan.options if not option.refused]
    lines += [_row(option, option is plan.options[0]) for option in fitting[:_SHOWN]]
    refused = [option for option in plan.options if option.refused]
    if refused:
        lines += ["", f"{len(refused)} more do not fit: {way(refused[0].layout)} with "
                  f"{refused[0].layout.micro_batch} clips {refused[0].refused}."]  # fmt: skip
    lines += ["", "| choice | value | because |", "|---|---|---|"]
    values = {"batch": layout.batch_clips}
    for part in (subject, layout, recipe):
        values |= {name: getattr(part, name) for name in part.__dataclass_fields__}
    lines += [f"| {name} | {values[name]} | {why} |" for name, why in plan.reasons.items()]
    lines += [f"\nNote: {warning}" for warning in plan.warnings]
    return "\n".join(lines)


def _row(option: PlanOption, chosen: bool) -> str:
    layout, predicted = option.layout, option.predicted
    clips = f"{layout.micro_batch} x {layout.accumulation}"
    clips += f" x {layout.processes}" if layout.processes > 1 else ""
    name = f"**{way(layout)}**" if chosen else way(layout)
    return (
        f"| {name} | {clips} | {size(predicted.peak_bytes)} | {predicted.step_seconds:.3g} s | "
        f"{predicted.waiting_share:.1%} | {duration(predicted.total_seconds)} |"
    )


def size(count_bytes: float) -> str:
    """Return bytes as a person reads them."""
    if not count_bytes:
        return "0"
    if count_bytes < GIB:
        return f"{count_bytes / MIB:.0f} MiB"
    return f"{count_bytes / GIB:.2f} GiB"


def duration(seconds: float) -> str:
    """Return seconds as a person reads them."""
    if seconds < 90:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def write_plan_picture(plan: Plan, path: Path) -> Path:
    """Write the picture of a plan as an SVG file."""
    return write_whole(path, plan_svg(plan).encode())


WIDTH, HEIGHT = 860, 480
LEFT, RIGHT, TOP, BOTTOM = 76, 190, 96, 62
LABEL_PIXELS = 17
_WAYS = ("recommended", "behind", "tied", "leak")
_OWN_STYLE = ".course.leak { stroke: #b3480f; }"


def way(layout: Layout) -> str:
    """Return how a layout saves memory, in words."""
    words = [] if layout.sharding == "none" else [layout.sharding.upper()]
    words += ["checkpointing"] * layout.checkpointing
    words += [layout.precision] * (layout.precision != "fp32")
    return ", ".join(words) or "plain"


def plan_svg(plan: Plan) -> str:
    """Return the picture of a plan as an SVG file that stands alone."""
    lines = _lines(plan)
    scale = _Scale(lines, plan.room_bytes)
    pieces = [
        _words(plan),
        scale.grid(),
        _limit(scale, plan),
        *(_line(scale, points, css) for points, css in zip(lines.values(), _WAYS, strict=False)),
        _labels(scale, lines, plan),
        _chosen(scale, plan),
    ]
    return svg_file(WIDTH, HEIGHT, pieces, picture_style() + _OWN_STYLE)


def _lines(plan: Plan) -> dict[str, list[PlanOption]]:
    """Return the options of each way by their micro-batch, the chosen way first."""
    found: dict[str, list[PlanOption]] = {}
    for option in plan.options:
        found.setdefault(way(option.layout), []).append(option)
    return {
        name: sorted(options, key=lambda option: option.layout.micro_batch)
        for name, options in found.items()
    }


class _Scale:
    """Where a micro-batch (by doublings) and bytes (evenly, from zero) stand in the picture."""

    def __init__(self, lines: dict[str, list[PlanOption]], limit_bytes: int) -> None:
        options = [option for line in lines.values() for option in line]
        self.most_clips = max(option.layout.micro_batch for option in options)
        most = max(option.predicted.peak_bytes for option in options)
        # A limit far above all lines would press them flat: it is named, not drawn.
        self.top_bytes = 1.08 * max(most, limit_bytes if limit_bytes < 3 * most else 0)

    def x(self, clips: float) -> float:
        width = WIDTH - LEFT - RIGHT
        return round(LEFT + width * log2(clips) / max(log2(self.most_clips), 1), 1)

    def y(self, count_bytes: float) -> float:
        height = HEIGHT - TOP - BOTTOM
        return round(HEIGHT - BOTTOM - height * count_bytes / self.top_bytes, 1)

    def grid(self) -> Markup:
        pieces = [_level(self.y(tick), size(tick)) for tick in self._ticks()]
        clips = 1
        while clips <= self.most_clips:
            pieces.append(_text(self.x(clips), HEIGHT - BOTTOM + 20, str(clips), "middle"))
            clips *= 2
        middle = (LEFT + WIDTH - RIGHT) / 2
        pieces.append(
            _text(middle, HEIGHT - BOTTOM + 44, "clips that a process computes at once", "middle")
        )
        return join(pieces)

    def _ticks(self) -> list[float]:
        step = next(MIB << power for power in range(40) if self.top_bytes / (MIB << power) <= 6)
        return [i * step for i in range(int(self.top_bytes / step) + 1)]


def _level(y: float, text: str) -> Markup:
    line = Markup('<line class="grid" x1="{}" x2="{}" y1="{y}" y2="{y}"/>')
    return line.format(LEFT, WIDTH - RIGHT, y=y) + _text(LEFT - 8, y + 4, text, "end")


def _limit(scale: _Scale, plan: Plan) -> Markup:
    y = scale.y(plan.room_bytes)
    if y < TOP:
        return Markup("")
    line = Markup('<line class="floor" x1="{}" x2="{}" y1="{y}" y2="{y}"/>')
    text = f"room for training: {size(plan.room_bytes)} of {size(plan.machine.memory_bytes)}"
    return line.format(LEFT, WIDTH - RIGHT, y=y) + _text(LEFT + 4, y - 6, text, "start", "count")


def _line(scale: _Scale, options: list[PlanOption], css: str) -> Markup:
    places = [(scale.x(o.layout.micro_batch), scale.y(o.predicted.peak_bytes)) for o in options]
    pieces = [
        Markup('<path class="course {}" d="M{} {}L{} {}"/>').format(css, *one, *two)
        for one, two in pairwise(places)
    ]
    for option, (x, y) in zip(options, places, strict=True):
        kind = "dropped" if option.refused else css
        pieces.append(mark(kind, str(x), str(y)))
    return join(pieces)


def _labels(scale: _Scale, lines: dict[str, list[PlanOption]], plan: Plan) -> Markup:
    """Name each line at its end, moved apart where they would stand on one another."""
    ends = sorted(
        (scale.y(options[-1].predicted.peak_bytes), scale.x(options[-1].layout.micro_batch), name)
        for name, options in lines.items()
    )
    pieces, last = [], 0.0
    for y, x, name in ends:
        last = max(y + 4, last + LABEL_PIXELS)
        css = "label chosen" if name == way(plan.layout) else "label"
        pieces.append(_text(x + 14, last, name, "start", css))
    return join(pieces)


def _chosen(scale: _Scale, plan: Plan) -> Markup:
    x, y = scale.x(plan.layout.micro_batch), scale.y(plan.predicted.peak_bytes)
    return mark("recommended", str(x), str(y), "chosen")


def _words(plan: Plan) -> Markup:
    subject, layout = plan.subject, plan.layout
    over = f" over {subject.backbone}" if subject.backbone else ""
    chosen = (
        f"Chosen: {way(layout)}, {counted(layout.micro_batch, 'clip')} x {layout.accumulation}"
        + (f" x {layout.processes} processes" if layout.processes > 1 else "")
        + f", {size(plan.predicted.peak_bytes)}; hollow marks do not fit"
    )
    title = f"Memory of training {subject.network}{over}, {subject.regime}"
    machine = f"{plan.machine.name}, {size(plan.machine.memory_bytes)} for each process"
    return join(
        [
            _text(24, 34, title[:76], "start", "title"),
            _text(24, 58, chosen[:120], "start", "why"),
            _text(24, 78, machine[:130], "start"),
        ]
    )


def _text(x: float, y: float, text: str, anchor: str, css: str = "") -> Markup:
    where = Markup('<text class="{}" x="{}" y="{}" text-anchor="{}">{}</text>')
    return where.format(css, x, y, anchor, text)

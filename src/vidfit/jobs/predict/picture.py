"""A timeline as a picture: a strip of coloured segments over a curve of probability."""

from __future__ import annotations

import io
from collections import defaultdict
from importlib.util import find_spec
from math import isfinite
from typing import TYPE_CHECKING

from vidfit.errors import VidfitError
from vidfit.files import write_whole
from vidfit.report.wording import (
    DECLINED,
    NOT_ANSWERED,
    answer_name,
    cut,
    duration,
    frames_seen,
    short_path,
)
from vidfit.shown import counted, public, visible

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from vidfit.answers import Timeline

PALETTE = (
    "#0b6a75", "#e07b39", "#5b6bbf", "#d9a520", "#7fb069", "#b0486f", "#3fa7d6", "#8c6b4f",
    "#a68fd0", "#586f2f", "#e39aa5", "#2f4858",
)  # fmt: skip
INK, SOFT, LINE = "#1b1d22", "#5c616b", "#e2e2dc"
NO_ANSWER = "#f3f3ef"
NAMED_CLASSES = 12
TITLE_LETTERS = 80
MANY = 200
"""Segments or windows from which on marks are thinner."""


def check_png() -> None:
    """Refuse to draw where matplotlib is not installed.

    Raises
    ------
    VidfitError
        It says what to install.
    """
    if find_spec("matplotlib") is None:
        raise VidfitError(
            "PNG files need the package matplotlib, which is not installed; get it with "
            "`pip install 'vidfit[png]'`, or write another format"
        )


def timeline_png(timeline: Timeline, path: Path) -> None:
    """Draw a timeline as a PNG of 1920 pixels width.

    The strip shows the joined segments, hatched where there is no answer; the curve below it
    the probability of each window's answer.

    Raises
    ------
    VidfitError
        If matplotlib is not installed.
    """
    check_png()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 3.9), dpi=160, facecolor="white")
    FigureCanvasAgg(figure)
    strip, curve = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": (1, 1.35)})
    figure.subplots_adjust(left=0.055, right=0.98, top=0.8, bottom=0.2, hspace=0.12)
    colours = class_colours(timeline)
    _draw_strip(strip, timeline, colours)
    _draw_curve(curve, timeline, colours)
    _draw_words(figure, timeline, colours)
    content = io.BytesIO()
    figure.savefig(content, format="png", metadata={"Software": "vidfit"})
    write_whole(path, content.getvalue())


def class_colours(timeline: Timeline) -> dict[str, str]:
    """Return a colour for each class in the timeline, the longest on screen first."""
    seconds: defaultdict[str, float] = defaultdict(float)
    for segment in timeline.segments:
        if segment.label is not None:
            seconds[segment.label] += segment.end_seconds - segment.start_seconds
    labels = sorted(seconds, key=lambda s: (-seconds[s], s))
    return {label: PALETTE[i % len(PALETTE)] for i, label in enumerate(labels)}


def _draw_strip(axes: Axes, timeline: Timeline, colours: dict[str, str]) -> None:
    by_label: defaultdict[str | None, list[tuple[float, float]]] = defaultdict(list)
    for s in timeline.segments:
        by_label[s.label].append((s.start_seconds, s.end_seconds - s.start_seconds))
    for label, spans in by_label.items():
        axes.broken_barh(
            spans, (0, 1), facecolor=NO_ANSWER if label is None else colours[label],
            linewidth=0.6 if len(timeline.segments) < MANY else 0,
            edgecolor="#b9bcc3" if label is None else "white",
            hatch="////" if label is None else None,
        )  # fmt: skip
    _name_segments(axes, timeline, colours)
    axes.set_ylim(0, 1)
    axes.set_yticks([])
    axes.tick_params(bottom=False)
    axes.spines[:].set_visible(False)


def _name_segments(axes: Axes, timeline: Timeline, colours: dict[str, str]) -> None:
    """Write the label on segments that have room for it (about 0.8 % of the width a letter)."""
    letter_seconds = 0.0085 * timeline.duration_seconds
    for s in timeline.segments:
        if s.label is not None and s.end_seconds - s.start_seconds > letter_seconds * (
            len(s.label) + 2
        ):
            axes.text(
                (s.start_seconds + s.end_seconds) / 2, 0.5, _plain(s.label),
                color=letters(colours[s.label]), ha="center", va="center",
                fontsize=9.5, fontweight="bold", clip_on=True,
            )  # fmt: skip


def letters(colour: str) -> str:
    """Return white or ink, whichever reads better on a colour (luma of ITU-R BT.601)."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return "white" if 0.299 * red + 0.587 * green + 0.114 * blue < 140 else INK


def _draw_curve(axes: Axes, timeline: Timeline, colours: dict[str, str]) -> None:
    shown = [w for w in timeline.windows if isfinite(w.probability)]
    middles = [(w.start_seconds + w.end_seconds) / 2 for w in shown]
    few = len(shown) < MANY
    axes.plot(
        middles,
        [w.probability for w in shown],
        color="#b9bcc3",
        linewidth=1.2 if few else 0.4,
        zorder=1,
    )
    fills = [NO_ANSWER if w.label is None else colours.get(w.label, SOFT) for w in shown]
    edges = [SOFT if w.label is None else "white" for w in shown]
    axes.scatter(
        middles, [w.probability for w in shown], c=fills, s=22 if few else 7,
        edgecolors=edges, linewidths=0.5 if few else 0.2, zorder=2,
    )  # fmt: skip
    axes.set_ylim(0, 1.06)
    axes.set_yticks([0, 0.5, 1], ["0 %", "50 %", "100 %"])
    axes.tick_params(axis="x", pad=7)
    axes.set_xlim(0, max(timeline.duration_seconds, 1e-3))
    axes.set_xticks(clock_ticks(timeline.duration_seconds))
    axes.xaxis.set_major_formatter(lambda seconds, _: clock(seconds))
    axes.grid(axis="y", color=LINE, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=SOFT, labelsize=9, length=0)
    axes.spines[:].set_visible(False)
    axes.spines["bottom"].set(visible=True, color=LINE)


def clock_ticks(duration_seconds: float) -> list[float]:
    """Return at most eleven times that a clock would show."""
    steps = (0.1, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 86400)
    step = next((s for s in steps if duration_seconds / s <= 10), duration_seconds / 10)
    return [i * step for i in range(int(duration_seconds / step) + 1)]


def clock(seconds: float) -> str:
    """Return a time in a video as ``1:02:03``, ``2:03`` or ``2:03.5``."""
    whole, tenths = divmod(round(10 * max(0.0, seconds)), 10)
    text = f"{whole // 60 % 60}:{whole % 60:02d}"
    if whole >= 3600:
        text = f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"
    return f"{text}.{tenths}" if tenths else text


def _draw_words(figure: Figure, timeline: Timeline, colours: dict[str, str]) -> None:
    title = short_path(public(timeline.path))
    title = title if len(title) <= TITLE_LETTERS else "…" + title[1 - TITLE_LETTERS :]
    figure.text(0.055, 0.92, _plain(title), fontsize=13, fontweight="bold", color=INK, va="center")
    facts = (
        f"{duration(timeline.duration_seconds)}, {counted(len(timeline.segments), 'segment')}, "
        f"{timeline.frames_seen:,} of {counted(timeline.frame_count, 'frame')} seen "
        f"({frames_seen(timeline.sampling)})"
    )
    figure.text(0.055, 0.845, _plain(facts), fontsize=9.5, color=SOFT, va="center")
    kinds = {answer_name(s) for s in timeline.segments if s.label is None}
    _draw_legend(figure, colours, [word for word in (DECLINED, NOT_ANSWERED) if word in kinds])


def _draw_legend(figure: Figure, colours: dict[str, str], without: Sequence[str]) -> None:
    """Name the classes, and the words for stretches without one."""
    from matplotlib.patches import Patch

    shown = list(colours)[:NAMED_CLASSES]
    handles = [
        Patch(facecolor=colours[label], edgecolor=colours[label], label=_plain(cut(label, 22)))
        for label in shown
    ]
    if without:
        words = ", ".join(without)
        handles.append(Patch(facecolor=NO_ANSWER, edgecolor="#b9bcc3", hatch="////", label=words))
    if len(shown) < len(colours):
        handles.append(Patch(facecolor="none", label=f"{len(colours) - len(shown)} more classes"))
    if not handles:
        return
    figure.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(0.045, 0.0), ncols=7, frameon=False,
        fontsize=9.5, labelcolor=INK, handlelength=1.1, handleheight=1.1, columnspacing=1.6,
    )  # fmt: skip


def _plain(text: str) -> str:
    """Keep matplotlib from reading dollar signs as mathematics; show hidden signs."""
    return visible(text).replace("$", r"\$")

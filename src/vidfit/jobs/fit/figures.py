"""What a report says where a clip has no one class: on the page, in a terminal."""

from __future__ import annotations

from math import ceil, floor, isfinite, log10
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from vidfit.jobs.fit.by_class import worst_first
from vidfit.report import wording
from vidfit.report.charts import EMPTY, join

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vidfit.reported import ClassScores, Figure, Report

_CLASSES = 12
LEFT, TOP, SIDE = 52, 28, 284


def kinds_context(report: Report) -> dict[str, Any]:
    """Return what the page shows in place of confusion and calibration."""
    if report.labels == "one":
        return {}
    return {
        "kinds_lead": lead(report),
        "scatter": scatter(report.numbers),
        "figure_rows": [
            (metric.name, metric.figure(f.score), metric.figure(f.baseline))
            for f in report.figures
            for metric in [wording.metric_of(f)]
        ],
    }


def kinds_markdown(report: Report) -> list[str]:
    """Return the figures by each metric, and of each class, as lines of Markdown."""
    if report.labels == "one":
        return []
    lines = ["", _measured(report), "", *(f"- {_figure(figure)}" for figure in report.figures)]
    above = dict(zip(report.classes, report.thresholds, strict=True)) if report.thresholds else {}
    rows = worst_first(report.by_class)
    lines += [f"- {_class(one, above[one.label], len(report.clips))}" for one in rows[:_CLASSES]]
    more = len(rows) - _CLASSES
    return [*lines, f"- and {more} more classes, in the report"] if more > 0 else lines


def _measured(report: Report) -> str:
    """Say of what the figures are, and why the table has another."""
    chosen = next((c.score for c in report.candidates if c.chosen), report.score)
    differs = chosen.value != report.score.value
    table = " The table is of the first deal of recordings to folds." if differs else ""
    return f"The headline, and these figures, are of: {report.protocol}.{table}"


def lead(report: Report) -> str:
    """Say in a sentence what stands out."""
    rows = worst_first(report.by_class)
    if rows:
        weak, strong = rows[0], max(rows, key=lambda c: c.f1.value)
        return (
            f"Told best is {strong.label} (F1 {wording.percent(strong.f1.value)}, in "
            f"{_share(strong, report)} of the clips), worst {weak.label} (F1 "
            f"{wording.percent(weak.f1.value)}, in {_share(weak, report)})."
        )
    errors = sorted(abs(number - answer) for number, answer in report.numbers)
    if not errors:
        return ""
    half, most = errors[len(errors) // 2], errors[int(0.9 * (len(errors) - 1))]
    return (
        f"Half of the answers are within {half:.3g} of the true number, nine in ten within "
        f"{most:.3g}."
    )


def _share(one: ClassScores, report: Report) -> str:
    return wording.percent(one.clips / max(len(report.clips), 1), 0)


def _figure(figure: Figure) -> str:
    metric = wording.metric_of(figure)
    own, other = metric.figure(figure.score), metric.figure(figure.baseline)
    return f"{metric.name}, {metric.meaning}: {own}; the same answer to all: {other}"


def _class(one: ClassScores, above: float, clips: int) -> str:
    return (
        f"{one.label}: in {wording.percent(one.clips / max(clips, 1), 0)} of the clips, average "
        f"precision {wording.percent(one.average_precision.value)}, F1 "
        f"{wording.percent(one.f1.value)}, said above {wording.percent(above, 0)}"
    )


def scatter(pairs: Sequence[tuple[float, float]]) -> Markup:
    """Return answers over true numbers as an SVG; both axes have one scale."""
    shown = [(x, y) for x, y in pairs if isfinite(x) and isfinite(y)]
    if not shown:
        return EMPTY
    ticks = _ticks(min(map(min, shown)), max(map(max, shown)))
    low, span = ticks[0], ticks[-1] - ticks[0]

    def x_of(value: float) -> float:
        return round(LEFT + SIDE * (value - low) / span, 1)

    def y_of(value: float) -> float:
        return round(TOP + SIDE * (1 - (value - low) / span), 1)

    grid = [_grid(x_of(tick), y_of(tick), tick) for tick in ticks]
    diagonal = Markup('<line class="diagonal" x1="{}" y1="{}" x2="{}" y2="{}"/>').format(
        LEFT, TOP + SIDE, LEFT + SIDE, TOP
    )
    names = Markup(
        '<text class="name" x="{}" y="{}" text-anchor="end">true number</text>'
        '<text class="name" x="{}" y="12">answer</text>'
    ).format(LEFT + SIDE, TOP + SIDE + 40, LEFT - 40)
    dots = [
        Markup('<circle class="bubble" cx="{}" cy="{}" r="3.5"><title>{:.4g}, answered {:.4g}'
               "</title></circle>").format(x_of(x), y_of(y), x, y)
        for x, y in shown
    ]  # fmt: skip
    return Markup(
        '<svg class="plot" viewBox="0 0 348 356" role="img" aria-label="Answers against true '
        'numbers of {} clips">{}</svg>'
    ).format(len(shown), join([*grid, diagonal, names, *dots]))


def _grid(x: float, y: float, tick: float) -> Markup:
    return Markup(
        '<line class="grid" x1="{x}" x2="{x}" y1="{top}" y2="{bottom}"/>'
        '<line class="grid" x1="{left}" x2="{right}" y1="{y}" y2="{y}"/>'
        '<text x="{x}" y="{below}" text-anchor="middle">{n:.4g}</text>'
        '<text x="{beside}" y="{base}" text-anchor="end">{n:.4g}</text>'
    ).format(
        x=x, y=y, top=TOP, bottom=TOP + SIDE, left=LEFT, right=LEFT + SIDE, n=tick,
        below=TOP + SIDE + 17, beside=LEFT - 8, base=y + 4,
    )  # fmt: skip


def _ticks(low: float, high: float) -> list[float]:
    """Return round numbers that span a range, three to eight of them."""
    span = (high - low) or abs(high) or 1.0
    unit = 10.0 ** floor(log10(span))
    step = next(s * unit for s in (0.2, 0.5, 1.0, 2.0) if span / (s * unit) <= 6)
    first, last = floor(low / step), ceil(high / step)
    last = max(last, first + 1)
    return [round(i * step, 12) for i in range(first, last + 1)]

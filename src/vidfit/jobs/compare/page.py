"""A comparison of architectures as one HTML file that needs nothing beside it, and as data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from vidfit.jobs.compare import words
from vidfit.jobs.compare.architectures import ARCHITECTURES, LEARNED
from vidfit.report import charts, leaderboard, wording
from vidfit.report.charts import EMPTY
from vidfit.report.data import answer_json
from vidfit.report.frame import render
from vidfit.report.plane import FAR, Level, Plane, Spot, plane_chart, span
from vidfit.report.writing import write_answer

if TYPE_CHECKING:
    from pathlib import Path

    from vidfit.jobs.compare.value import ArchitectureRow, ArchitectureTable
    from vidfit.report.wording import Metric

RANKS = {"best": 0, "tied": 1, "behind": FAR}
LEAST_SECONDS = 0.01
"""Of learning, that a logarithmic axis shows."""


def architectures_html(table: ArchitectureTable) -> str:
    """Return the comparison as one self-contained HTML page, made as `report_html` is."""
    metric = wording.metric_of(table)
    gains = [pair for pair in (table.trained_gain, *table.pretraining) if pair is not None]
    context = {
        "table": table,
        "metric": metric,
        "words": words,
        "nothing_proven": leaderboard.nothing_proven,
        "marks": words.MARKS,
        "learned": {how: said for how, said in LEARNED.items() if _has(table, how)},
        "lines": {name: line.what for name, line in ARCHITECTURES.items()},
        "axis": charts.score_axis([row.score for row in table.rows] + [table.majority], metric),
        "headline_chart": charts.headline_chart(
            table.best.score, table.majority.value, metric, table.baseline
        ),
        "time_wide": learning_chart(table, 1040, 460),
        "time_narrow": learning_chart(table, 350, 400),
        "gains": gains,
        "gain_axis": charts.gain_axis([pair.gain for pair in gains], metric),
    }
    return render(__package__, "architectures", table.data, context)


def learning_chart(table: ArchitectureTable, width: int, height: int) -> Markup:
    """Return the figure against the processor time of learning; nothing without a row."""
    if not table.rows:
        return EMPTY
    metric = wording.metric_of(table)
    spots = [_spot(row, table) for row in table.rows]
    axis = charts.score_axis([row.score for row in table.rows] + [table.majority], metric)
    first, last = span(spot.cost for spot in spots)
    plane = Plane(
        width, height, first, last, axis, metric.title, "seconds of the processor to learn"
    )
    floor = Level(
        table.majority.value,
        table.baseline,
        tip=f"{table.baseline}: {metric.figure(table.majority)}",
    )
    front = _front(spots, metric)
    return plane_chart(plane, sorted(spots, key=lambda spot: spot.rank), front, (floor,))


def _front(spots: list[Spot], metric: Metric) -> list[Spot]:
    """Return those that no other beats in the figure in less time, the quickest first."""
    front: list[Spot] = []
    for spot in sorted(spots, key=lambda s: (s.cost, -metric.merit(s.figure.value))):
        merit = metric.merit(spot.figure.value)
        if not front or merit > metric.merit(front[-1].figure.value):
            front.append(spot)
    return front


def _has(table: ArchitectureTable, how: str) -> bool:
    return any(row.how == how for row in table.rows)


def _spot(row: ArchitectureRow, table: ArchitectureTable) -> Spot:
    metric = wording.metric_of(table)
    tip = f"{row.name}, {row.how}: {metric.figure(row.score)}, learned in {words.learning(row)}"
    cost = max(row.learn_seconds, LEAST_SECONDS)
    return Spot(row.name, words.MARKS[row.how], cost, row.score, tip, RANKS[row.standing])


FORMAT = "vidfit.architectures/1"


def write_architectures(table: ArchitectureTable, directory: Path) -> Path:
    """Write ``architectures.html`` and ``.json``; return the path of the page."""
    return write_answer(
        directory,
        "architectures",
        page=architectures_html(table),
        data=answer_json(table, FORMAT),
    )

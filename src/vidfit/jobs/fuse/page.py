"""A combination as one HTML file that needs nothing beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vidfit.jobs.fuse import words
from vidfit.jobs.fuse.cost_chart import cost_picture, spots, without_cost
from vidfit.jobs.fuse.pairs_table import models, pair_map, worded, worded_lead
from vidfit.jobs.fuse.picture import combination_svg
from vidfit.report import charts, wording
from vidfit.report.data import answer_json
from vidfit.report.frame import render
from vidfit.report.leaderboard import nothing_proven
from vidfit.report.writing import write_answer

if TYPE_CHECKING:
    from pathlib import Path

    from vidfit.contracts import Estimate
    from vidfit.jobs.fuse.value import Combination, Option

LEADERS, LEADERS_OF_FAMILY, PAIRS_AT_ONCE = 12, 5, 8


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the picture of gains."""

    name: str
    kind: str
    gain: Estimate
    css: str


def combination_html(combination: Combination) -> str:
    """Return the combination as one self-contained HTML page, made as `report_html` is."""
    metric = wording.metric_of(combination)
    context = {
        "metric": metric,
        "combination": combination,
        "words": words,
        "key": charts.key,
        "nothing": nothing_proven(combination),
        "headline_chart": charts.headline_chart(
            combination.score, combination.majority.value, metric, combination.baseline
        ),
        "kinds": [k for k in words.FAMILIES if k in {spot.kind for spot in spots(combination)}],
        **_gains(combination),
        **_costs(combination),
        **_table(combination),
        **_pairs(combination),
    }
    return render(__package__, "fusion", combination.data, context)


def _costs(combination: Combination) -> dict[str, Any]:
    return {
        "cost_wide": cost_picture(combination, 1040, 520),
        "cost_narrow": cost_picture(combination, 350, 420, names=3),
        "without_cost": without_cost(combination),
    }


def _gains(combination: Combination) -> dict[str, Any]:
    """Return the rows of gains by family, those with the largest gain first."""
    rows = [
        Row(o.name, o.family, o.gain, "chosen" if o.name == combination.chosen else "")
        for o in combination.options
        if o.name != combination.best_single
    ]
    if combination.student is not None:
        name = f"student on {combination.student.name}"
        rows.append(Row(name, "student", combination.student.gain, ""))
    shown = [rows_of for kind in words.FAMILIES if (rows_of := [r for r in rows if r.kind == kind])]
    decision = [combination.gain] if combination.gain is not None else []
    return {
        "gain_leaders": [_leading(rows_of) for rows_of in shown],
        "gain_others": [rest for rows_of in shown if (rest := _following(rows_of))],
        "gain_axis": charts.gain_axis(
            [*decision, *(row.gain for row in rows)], wording.metric_of(combination)
        ),
    }


def _leading(rows: list[Row]) -> list[Row]:
    return [r for place, r in enumerate(rows) if place < LEADERS_OF_FAMILY or r.css]


def _following(rows: list[Row]) -> list[Row]:
    leading = _leading(rows)
    return [row for row in rows if row not in leading]


def _table(combination: Combination) -> dict[str, Any]:
    kept = {combination.chosen, combination.best_single}

    def leads(place: int, option: Option) -> bool:
        return place < LEADERS or option.pareto or option.name in kept

    shown = [o for place, o in enumerate(combination.options) if leads(place, o)]
    return {
        "shown": shown,
        "others": [o for o in combination.options if o not in shown],
        "axis": charts.score_axis(
            (o.score for o in combination.options), wording.metric_of(combination)
        ),
        "cascades": [o for o in combination.options if o.calls],
    }


def _pairs(combination: Combination) -> dict[str, Any]:
    return {
        "pair_map": pair_map(combination),
        "pair_models": models(combination),
        "pairs_lead": worded_lead(combination),
        "pairs_in_words": worded(combination),
        "first_pairs": combination.pairs[:PAIRS_AT_ONCE],
        "more_pairs": combination.pairs[PAIRS_AT_ONCE:],
    }


FORMAT = "vidfit.fusion/2"


def write_combination(combination: Combination, directory: Path) -> Path:
    """Write ``fusion.html``, ``.svg`` and ``.json``; return the path of the page."""
    return write_answer(
        directory,
        "fusion",
        page=combination_html(combination),
        data=answer_json(combination, FORMAT),
        picture=combination_svg(combination),
    )

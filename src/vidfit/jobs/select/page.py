"""A ranking as one HTML file that needs nothing beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vidfit.jobs.select import words
from vidfit.jobs.select.picture import LEGEND, ranking_chart, ranking_front, ranking_svg
from vidfit.jobs.select.race_chart import NAMED_DROPS, race_chart
from vidfit.report import charts, wording
from vidfit.report.data import answer_json
from vidfit.report.frame import render
from vidfit.report.leaderboard import nothing_proven, on_cost_axis
from vidfit.report.writing import write_answer

if TYPE_CHECKING:
    from pathlib import Path

    from vidfit.jobs.select.value import Ranked, Ranking

LEADERS = 20
LEADING = ("recommended", "tied")


def ranking_html(ranking: Ranking) -> str:
    """Return the ranking as one self-contained HTML page, made as `report_html` is."""
    metric = wording.metric_of(ranking)
    context = {
        "metric": metric,
        "ranking": ranking,
        "words": words,
        "meanings": LEGEND,
        "standings": {c.standing for c in ranking.candidates},
        "nothing": nothing_proven(ranking),
        "headline_chart": charts.headline_chart(
            ranking.score, ranking.majority.value, metric, ranking.baseline
        ),
        **_table(ranking),
        **_pictures(ranking),
        **_compared(ranking),
    }
    return render(__package__, "ranking", ranking.data, context)


def _table(ranking: Ranking) -> dict[str, Any]:
    shown = [c for i, c in enumerate(ranking.candidates) if i < LEADERS or c.standing in LEADING]
    metric = wording.metric_of(ranking)
    leader = next((c for c in ranking.candidates if c.name == ranking.best), None)
    return {
        "shown": shown,
        "others": [c for c in ranking.candidates if c not in shown],
        "tied": [c for c in ranking.candidates if c.standing in LEADING],
        "axis": charts.score_axis((c.score for c in ranking.candidates), metric),
        "band": leader.score if leader else None,
        "score_names": _score_names(ranking.candidates),
    }


def _score_names(candidates: tuple[Ranked, ...]) -> list[str]:
    """Return the names of the scores, in the order in which candidates bring them."""
    return list(dict.fromkeys(name for c in candidates for name in c.scores))


def _pictures(ranking: Ranking) -> dict[str, Any]:
    return {
        "cost_wide": ranking_chart(ranking, 1040, 460),
        "cost_narrow": ranking_chart(ranking, 350, 380),
        "front": ranking_front(ranking),
        "without_cost": [c for c in ranking.candidates if not on_cost_axis(c)],
        "named_drops": NAMED_DROPS,
        "many_dropped": any(len(rung.dropped) > NAMED_DROPS for rung in ranking.rungs),
        "race_wide": race_chart(ranking, 1040, 480),
        "race_narrow": race_chart(ranking, 350, 420, named=False),
    }


def _compared(ranking: Ranking) -> dict[str, Any]:
    """Return what is said to be expected, beside what other rules say and pick."""
    compared = [
        ("expected on new recordings", ranking.score, "recommended"),
        ("the winner's own figure", ranking.naive, "leak"),
        *((f"{b.rule}: {b.name}", b.score, "behind") for b in ranking.baselines),
        (ranking.baseline, ranking.majority, "baseline"),
    ]
    return {
        "compared": compared,
        "compared_axis": charts.score_axis(
            (estimate for _, estimate, _ in compared), wording.metric_of(ranking)
        ),
    }


FORMAT = "vidfit.ranking/2"


def write_ranking(ranking: Ranking, directory: Path) -> Path:
    """Write ``ranking.html``, ``.svg`` and ``.json``; return the path of the page."""
    return write_answer(
        directory,
        "ranking",
        page=ranking_html(ranking),
        data=answer_json(ranking, FORMAT),
        picture=ranking_svg(ranking),
    )

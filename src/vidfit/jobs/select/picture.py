"""Score against cost of a ranking: inside the page, and as a picture that stands alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from markupsafe import Markup

from vidfit.jobs.select import words
from vidfit.report import wording
from vidfit.report.charts import join, mark
from vidfit.report.cost_chart import cost_chart
from vidfit.report.leaderboard import pareto_front
from vidfit.report.picture import one_line, picture_style, placed, svg_file
from vidfit.report.plane import label_text

if TYPE_CHECKING:
    from vidfit.contracts import Estimate
    from vidfit.jobs.select.value import Ranked, Ranking

WIDTH, HEIGHT, CHART_TOP = 1088, 660, 154
TITLE_LETTERS, WHY_LETTERS = 84, 140
LEGEND = (
    ("recommended", "recommended", 130),
    ("tied", "tied with the best", 160),
    ("behind", "proven behind", 132),
    ("dropped", "dropped on the way", 160),
)
"""Kind of mark, what it means, and the pixels that this takes."""


@dataclass(frozen=True, slots=True)
class RankingSpot:
    """One mark of the chart; its kind is a standing, or ``"baseline"``."""

    name: str
    kind: str
    score: Estimate
    seconds_per_clip: float
    chosen: bool


def ranking_chart(ranking: Ranking, width: int, height: int) -> Markup:
    """Return the score against cost; the baseline is a level line.

    The front is that of the candidates which saw as many clips as the best: scores on
    fewer clips do not compare with theirs.
    """
    spots = [_spot(c) for c in ranking.candidates]
    front = [_spot(c) for c in ranking_front(ranking)]
    floor = RankingSpot(ranking.baseline, "baseline", ranking.majority, 0.0, False)
    metric = wording.metric_of(ranking)
    return cost_chart([*spots, floor], width, height, metric, front=front)


def ranking_front(ranking: Ranking) -> list[Ranked]:
    """Return those who saw as many clips as the best and that no other such one beats."""
    seen = max((c.clips for c in ranking.candidates if c.name == ranking.best), default=0)
    alike = [c for c in ranking.candidates if c.clips == seen]
    return pareto_front(alike, wording.metric_of(ranking))


def _spot(candidate: Ranked) -> RankingSpot:
    kind = candidate.standing
    return RankingSpot(
        candidate.name, kind, candidate.score, candidate.seconds_per_clip, kind == "recommended"
    )


def ranking_svg(ranking: Ranking) -> str:
    """Return the chart as an SVG file with its words and legend."""
    width, height = WIDTH - 48, HEIGHT - CHART_TOP - 14
    chart = placed(ranking_chart(ranking, width, height), CHART_TOP, width, height)
    pieces = [_words(ranking), _legend(ranking), chart]
    return svg_file(WIDTH, HEIGHT, pieces, picture_style())


def _words(ranking: Ranking) -> Markup:
    short = replace(ranking, recommended=label_text(ranking.recommended))
    facts = (
        f"{wording.counted(ranking.clip_count, 'clip')} of "
        f"{wording.counted(ranking.group_count, 'recording')}; lines are 95 % intervals over "
        "recordings"
    )
    return Markup(
        '<text class="title" x="24" y="38">{}</text><text class="why" x="24" y="64">{}</text>'
        '<text x="24" y="88">{}</text>'
    ).format(
        one_line(words.headline(short), TITLE_LETTERS), one_line(ranking.why, WHY_LETTERS), facts,
    )  # fmt: skip


def _legend(ranking: Ranking) -> Markup:
    there = {c.standing for c in ranking.candidates}
    pieces, x = [], 32
    for kind, text, width in LEGEND:
        if kind in there:
            symbol = mark(kind, str(x), "120", "chosen" if kind == "recommended" else "")
            pieces += [symbol, Markup('<text x="{}" y="124">{}</text>').format(x + 12, text)]
            x += width
    return join(pieces)

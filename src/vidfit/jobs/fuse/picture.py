"""The picture of a combination that stands alone: score against cost, with the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from vidfit.jobs.fuse import words
from vidfit.jobs.fuse.cost_chart import cost_picture, spots
from vidfit.report import wording
from vidfit.report.charts import join, mark
from vidfit.report.frame import resource
from vidfit.report.picture import picture_style, placed, svg_file, title

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vidfit.jobs.fuse.value import Combination

WIDTH, HEIGHT, CHART_TOP = 1088, 700, 172


def combination_svg(combination: Combination) -> str:
    """Return the chart as an SVG file with its words and legend."""
    width, height = WIDTH - 48, HEIGHT - CHART_TOP - 14
    chart = cost_picture(combination, width, height)
    pieces = [_words(combination), _legend(combination), placed(chart, CHART_TOP, width, height)]
    style = picture_style(resource("page.css", __package__))
    return svg_file(WIDTH, HEIGHT, pieces, style)


def _words(combination: Combination) -> Markup:
    c = combination
    facts = (
        f"{wording.counted(c.clip_count, 'clip')} of {wording.counted(c.group_count, 'recording')};"
        " upright lines are 95 % intervals over recordings; on the dotted steps no other is "
        "both faster and better"
    )
    return title(words.headline(c), facts)


def _legend(combination: Combination) -> Markup:
    return join(_keys({spot.kind for spot in spots(combination)}))


def _keys(there: set[str]) -> Iterator[Markup]:
    x = 32
    for kind in words.FAMILIES:
        if kind in there:
            text = words.FAMILIES[kind][0]
            yield mark(kind, str(x), "136")
            yield Markup('<text x="{}" y="140">{}</text>').format(x + 13, text)
            x += 40 + 8 * len(text)

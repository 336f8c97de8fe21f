"""The picture of a combination that stands alone: score against cost, with the answer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from markupsafe import Markup

from vidfit.jobs.fuse import words
from vidfit.jobs.fuse.cost_chart import cost_picture, spots
from vidfit.jobs.fuse.marks import SHAPES, mark
from vidfit.report import wording
from vidfit.report.charts import join
from vidfit.report.frame import resource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vidfit.jobs.fuse.value import Combination

WIDTH, HEIGHT, CHART_TOP = 1088, 700, 172
TITLE_LETTERS, TITLE_LINES = 82, 3


def combination_svg(combination: Combination) -> str:
    """Return the chart as an SVG file with its words, legend, colours and a white ground.

    Colours are written out: few programs but browsers know CSS variables.
    """
    pieces = [
        Markup('<rect width="100%" height="100%" fill="#ffffff"/>'),
        _words(combination),
        _legend(combination),
        _place(cost_picture(combination, WIDTH - 48, HEIGHT - CHART_TOP - 14)),
    ]
    document = Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" viewBox="0 0 {w} {h}">'
        "<style>{css}</style>{pieces}</svg>\n"
    ).format(w=WIDTH, h=HEIGHT, css=Markup(picture_style()), pieces=join(pieces))
    return str(document)


def _place(chart: Markup) -> Markup:
    """Give the chart of a page a place and a size in the picture, for its class has others."""
    where = Markup('<svg x="24" y="{}" width="{}" height="{}" ').format(
        CHART_TOP, WIDTH - 48, HEIGHT - CHART_TOP - 14
    )
    return chart.replace(Markup('<svg class="plot" '), where, 1)


def _words(combination: Combination) -> Markup:
    c = combination
    facts = (
        f"{wording.counted(c.clip_count, 'clip')} of {wording.counted(c.group_count, 'recording')};"
        " upright lines are 95 % intervals over recordings; on the dotted steps no other is "
        "both faster and better"
    )
    lines = [*enumerate(title_lines(words.headline(c)))]
    titles = [
        Markup('<text class="title" x="24" y="{}">{}</text>').format(34 + 25 * i, line)
        for i, line in lines
    ]
    below = 36 + 25 * len(lines)
    return join([*titles, Markup('<text x="24" y="{}">{}</text>').format(below, facts)])


def title_lines(text: str) -> list[str]:
    """Return a sentence in lines that fit, without the control characters that XML forbids."""
    line, lines = "", []
    for word in "".join(c if c.isprintable() else " " for c in text).split():
        if line and len(line) + 1 + len(word) > TITLE_LETTERS:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    lines = [*lines, line]
    if len(lines) > TITLE_LINES:
        lines = [*lines[: TITLE_LINES - 1], " ".join(lines[TITLE_LINES - 1 :])]
    return [_cut(line) for line in lines]


def _cut(line: str) -> str:
    return line if len(line) <= TITLE_LETTERS else f"{line[: TITLE_LETTERS - 1]}…"


def _legend(combination: Combination) -> Markup:
    return join(_keys({spot.kind for spot in spots(combination)}))


def _keys(there: set[str]) -> Iterator[Markup]:
    x = 32
    for kind in SHAPES:
        if kind in there:
            text = words.FAMILIES[kind][0]
            yield mark(kind, str(x), "136")
            yield Markup('<text x="{}" y="140">{}</text>').format(x + 13, text)
            x += 40 + 8 * len(text)


def picture_style(sheet: str = "combination.css") -> str:
    """Return the rules of a page for charts, with the colours of the light scheme."""
    base, own = resource("style.css"), resource(sheet)
    light: dict[str, str] = {}
    for sheet in (base, own):
        light |= re.findall(r"--([\w-]+): ([^;]+);", sheet.split("@media")[0])
    rules = [block for block in (base + "\n\n" + own).split("\n\n") if block.startswith("svg ")]
    return re.sub(r"var\(--([\w-]+)\)", lambda found: light[found[1]], "\n".join(rules))

"""A compression as one HTML file that needs nothing beside it, as a picture, and as data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from vidfit.jobs.compress import words
from vidfit.jobs.compress.front_chart import (
    KINDS,
    front_picture,
    legend,
    off_scale,
    undrawn,
    worth_drawing,
)
from vidfit.report import wording
from vidfit.report.charts import key, mark
from vidfit.report.data import answer_json
from vidfit.report.frame import render
from vidfit.report.picture import one_line, picture_style, placed, svg_file, title_lines
from vidfit.report.writing import write_answer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vidfit.jobs.compress.value import Compression


def compression_html(compression: Compression) -> str:
    """Return the compression as one self-contained HTML page, made as `report_html` is."""
    context = {
        "compression": compression,
        "words": words,
        "key": key,
        "kinds": KINDS,
        "artefacts": words.ordered(compression),
        "unmade": [a for a in compression.artefacts if a.footprint is None],
        "legend": legend(compression),
        "wide": front_picture(compression, 1040, 520),
        "narrow": front_picture(compression, 350, 460),
        "off_scale": off_scale(compression),
        "undrawn": undrawn(compression),
    }
    return render(__package__, "compression", compression.data, context)


WIDTH, HEIGHT, MARGIN = 1088, 720, 24
FACT_LETTERS = 165


def compression_svg(compression: Compression) -> str:
    """Return the chart as an SVG file with its words and legend."""
    said, below = _words(compression)
    width, height = WIDTH - 2 * MARGIN, HEIGHT - below - 52
    chart = front_picture(compression, width, height)
    pieces = [*said]
    if chart:
        pieces += _keys(compression, below + 16)
        pieces.append(placed(chart, below + 40, width, height))
    return svg_file(WIDTH, HEIGHT if chart else below, pieces, picture_style())


def _words(compression: Compression) -> tuple[list[Markup], int]:
    """Return the lines above the chart, and where the last of them stands."""
    c = compression
    facts = [_facts(c)]
    if missing := undrawn(c):
        facts.append(f"Not drawn, as what they take is not known: {', '.join(missing)}")
    pieces, y = [], 10
    for line in title_lines(words.headline(c)):
        y += 26
        title = Markup('<text class="title" x="{}" y="{}">{}</text>')
        pieces.append(title.format(MARGIN, y, line))
    y += 6
    for line in facts:
        y += 18
        pieces.append(
            Markup('<text x="{}" y="{}">{}</text>').format(MARGIN, y, one_line(line, FACT_LETTERS))
        )
    return pieces, y + 14


def _facts(compression: Compression) -> str:
    c = compression
    if not worth_drawing(c):
        return "The answers of no artefact were measured, so that there is nothing to draw."
    return (
        f"{wording.counted(c.judged, 'clip')} of {wording.counted(c.judged_groups, 'recording')};"
        " upright lines are 95 % intervals of the loss, paired over recordings; on the dotted steps"
        " no other both takes and loses less"
    )


def _keys(compression: Compression, y: int) -> Iterator[Markup]:
    x = 32.0
    for kind, text in legend(compression):
        yield mark(kind, str(x), str(y - 4))
        yield Markup('<text x="{}" y="{}">{}</text>').format(x + 13, y, text)
        x += 44 + 6.4 * len(text)


FORMAT = "vidfit.compression/1"


def write_compression(compression: Compression, directory: Path) -> Path:
    """Write ``compression.html``, ``.svg`` and ``.json``; return the path of the page."""
    return write_answer(
        directory,
        "compression",
        page=compression_html(compression),
        data=answer_json(compression, FORMAT),
        picture=compression_svg(compression),
    )

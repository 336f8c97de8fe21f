"""The picture of a training run that stands alone: the answer, and the curves below it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from vidfit.jobs.fuse.picture import picture_style, title_lines
from vidfit.jobs.train import words
from vidfit.jobs.train.curves import curves
from vidfit.report.charts import join

if TYPE_CHECKING:
    from vidfit.jobs.train.value import TrainingReport

WIDTH, HEIGHT, CHART_TOP = 1088, 840, 130


def training_svg(report: TrainingReport) -> str:
    """Return the curves as an SVG file with the answer, colours and a white ground.

    Colours are written out: few programs but browsers know CSS variables.
    """
    chart = Markup('<svg x="24" y="{}" width="{w}" height="{h}" viewBox="0 0 {w} {h}">{}</svg>')
    width, height = WIDTH - 48, HEIGHT - CHART_TOP - 14
    pieces = [
        Markup('<rect width="100%" height="100%" fill="#ffffff"/>'),
        _words(report),
        chart.format(CHART_TOP, curves(report, width, height), w=width, h=height),
    ]
    document = Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" viewBox="0 0 {w} {h}">'
        "<style>{css}</style>{pieces}</svg>\n"
    ).format(w=WIDTH, h=HEIGHT, css=Markup(picture_style("training.css")), pieces=join(pieces))
    return str(document)


def _words(report: TrainingReport) -> Markup:
    lines = [*enumerate(title_lines(words.headline(report)))]
    titles = [
        Markup('<text class="title" x="24" y="{}">{}</text>').format(34 + 25 * i, line)
        for i, line in lines
    ]
    below = Markup('<text x="24" y="{}">{}</text>').format(
        36 + 25 * len(lines), words.epochs(report)
    )
    return join([*titles, below])

"""The picture of a training run that stands alone: the answer, and the curves below it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vidfit.jobs.train import words
from vidfit.jobs.train.curves import curves
from vidfit.report.frame import resource
from vidfit.report.picture import picture_style, placed, svg_file, title

if TYPE_CHECKING:
    from vidfit.jobs.train.value import TrainingReport

WIDTH, HEIGHT, CHART_TOP = 1088, 840, 130


def training_svg(report: TrainingReport) -> str:
    """Return the curves as an SVG file with the answer above them."""
    width, height = WIDTH - 48, HEIGHT - CHART_TOP - 14
    pieces = [
        title(words.headline(report), words.epochs(report)),
        placed(curves(report, width, height), CHART_TOP, width, height),
    ]
    style = picture_style(resource("page.css", __package__))
    return svg_file(WIDTH, HEIGHT, pieces, style)

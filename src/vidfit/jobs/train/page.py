"""A training run as one HTML file that needs nothing beside it, as a picture, and as data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vidfit.jobs.train import words
from vidfit.jobs.train.curves import curves
from vidfit.report import charts, wording
from vidfit.report.data import answer_json
from vidfit.report.frame import render, resource
from vidfit.report.picture import picture_style, placed, svg_file, title
from vidfit.report.writing import write_answer

if TYPE_CHECKING:
    from pathlib import Path

    from vidfit.jobs.train.value import TrainingReport


LAYOUTS_AT_ONCE = 12


def training_html(report: TrainingReport) -> str:
    """Return the training run as one self-contained HTML page, made as `report_html` is."""
    options, settings = report.plan.options, words.choices(report.plan)
    chart = None
    if report.score is not None and report.majority is not None:
        chart = charts.headline_chart(report.score, report.majority.value, wording.ACCURACY)
    context = {
        "report": report,
        "plan": report.plan,
        "words": words,
        "seconds": words.seconds,
        "step_seconds": words.step_seconds,
        "headline_chart": chart,
        "curves_wide": curves(report, 1040, 700),
        "curves_narrow": curves(report, 350, 640),
        "compared": words.compared(report),
        "reasoned": [choice for choice in settings if choice.reason],
        "settled": [choice for choice in settings if not choice.reason],
        "first_options": options[:LAYOUTS_AT_ONCE],
        "more_options": options[LAYOUTS_AT_ONCE:],
        "warnings": dict.fromkeys((*report.plan.warnings, *report.warnings)),
    }
    return render(__package__, "training", report.data, context)


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


FORMAT = "vidfit.training/1"


def write_training(report: TrainingReport, directory: Path) -> Path:
    """Write ``training.html``, ``.svg`` and ``.json``; return the path of the page."""
    return write_answer(
        directory,
        "training",
        page=training_html(report),
        data=answer_json(report, FORMAT),
        picture=training_svg(report),
    )

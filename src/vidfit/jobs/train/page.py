"""A training run as one HTML file that needs nothing beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vidfit.jobs.train import words
from vidfit.jobs.train.comparison import choices, compared, seconds, step_seconds
from vidfit.jobs.train.curves import curves
from vidfit.report import charts, wording
from vidfit.report.frame import render

if TYPE_CHECKING:
    from vidfit.jobs.train.value import TrainingReport

LAYOUTS_AT_ONCE = 12


def training_html(report: TrainingReport) -> str:
    """Return the training run as one self-contained HTML page, made as `report_html` is."""
    options, settings = report.plan.options, choices(report.plan)
    chart = None
    if report.score is not None and report.majority is not None:
        chart = charts.headline_chart(report.score, report.majority.value, wording.ACCURACY)
    context = {
        "report": report,
        "plan": report.plan,
        "words": words,
        "seconds": seconds,
        "step_seconds": step_seconds,
        "headline_chart": chart,
        "curves_wide": curves(report, 1040, 700),
        "curves_narrow": curves(report, 350, 640),
        "compared": compared(report),
        "reasoned": [choice for choice in settings if choice.reason],
        "settled": [choice for choice in settings if not choice.reason],
        "first_options": options[:LAYOUTS_AT_ONCE],
        "more_options": options[LAYOUTS_AT_ONCE:],
        "warnings": dict.fromkeys((*report.plan.warnings, *report.warnings)),
    }
    return render(__package__, "training", report.data, context)

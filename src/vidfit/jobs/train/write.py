"""Write a training run into a directory: a page, a picture and data."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from vidfit.jobs.train.page import training_html
from vidfit.jobs.train.picture import training_svg
from vidfit.report.data import json_text
from vidfit.report.writing import write_answer

if TYPE_CHECKING:
    from pathlib import Path

    from vidfit.jobs.train.value import TrainingReport

FORMAT = "vidfit.training/1"


def training_json(report: TrainingReport) -> str:
    """Return it as JSON text.

    Keys stand in the order of the fields of `TrainingReport`, after ``format``. Floats are rounded
    to six decimals (small ones to six digits); what was not measured is ``null``.
    """
    return json_text({"format": FORMAT, **asdict(report)})


def write_training(report: TrainingReport, directory: Path) -> Path:
    """Write ``training.html``, ``.svg`` and ``.json``; return the path of the page."""
    return write_answer(
        directory,
        "training",
        page=training_html(report),
        data=training_json(report),
        picture=training_svg(report),
    )

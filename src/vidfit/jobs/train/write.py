"""Write a training run into a directory: a page, a picture and data."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from vidfit.files import write_whole
from vidfit.jobs.train.page import training_html
from vidfit.jobs.train.picture import training_svg
from vidfit.report.data import json_text

if TYPE_CHECKING:
    from pathlib import Path

    from vidfit.jobs.train.value import TrainingReport

FORMAT = "vidfit.training/1"


def training_json(report: TrainingReport) -> str:
    """Return the training report as JSON text.

    Keys stand in the order of the fields of `vidfit.jobs.train.value.TrainingReport`, after ``format``.
    Floats are rounded to six decimals (small ones to six digits); what was not measured is
    ``null``, for JSON knows no NaN. Epochs are counted from zero.
    """
    return json_text({"format": FORMAT, **asdict(report)})


def write_training(report: TrainingReport, directory: Path) -> Path:
    """Write ``training.html``, ``training.svg`` and ``training.json``; return the page's path.

    The directory is made if it is missing; files of an earlier run are replaced.
    """
    directory.mkdir(parents=True, exist_ok=True)
    contents = {
        "training.json": training_json(report),
        "training.svg": training_svg(report),
        "training.html": training_html(report),
    }
    written = [write_whole(directory / name, text.encode()) for name, text in contents.items()]
    return written[-1]

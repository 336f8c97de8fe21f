"""Write a combination into a directory: a page, a picture and data."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from vidfit.jobs.fuse.page import combination_html
from vidfit.jobs.fuse.picture import combination_svg
from vidfit.report.data import json_text
from vidfit.report.writing import write_answer

if TYPE_CHECKING:
    from pathlib import Path

    from vidfit.jobs.fuse.value import Combination

FORMAT = "vidfit.fusion/2"


def combination_json(combination: Combination) -> str:
    """Return it as JSON text.

    Keys stand in the order of the fields of `Combination`, after ``format``. Floats are rounded to
    six decimals (small ones to six digits); what was not measured is ``null``.
    """
    return json_text({"format": FORMAT, **asdict(combination)})


def write_combination(combination: Combination, directory: Path) -> Path:
    """Write ``fusion.html``, ``.svg`` and ``.json``; return the path of the page."""
    return write_answer(
        directory,
        "fusion",
        page=combination_html(combination),
        data=combination_json(combination),
        picture=combination_svg(combination),
    )

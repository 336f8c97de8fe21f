"""Write a combination into a directory: a page, a picture and data."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from vidfit.files import write_whole
from vidfit.jobs.fuse.page import combination_html
from vidfit.jobs.fuse.picture import combination_svg
from vidfit.report.data import json_text

if TYPE_CHECKING:
    from pathlib import Path

    from vidfit.jobs.fuse.value import Combination

FORMAT = "vidfit.fusion/2"


def combination_json(combination: Combination) -> str:
    """Return the combination as JSON text.

    Keys stand in the order of the fields of `vidfit.jobs.fuse.value.Combination`, after
    ``format``. Floats are rounded to six decimals (small ones to six digits); what was not
    measured is ``null``, for JSON knows no NaN.
    """
    return json_text({"format": FORMAT, **asdict(combination)})


def write_combination(combination: Combination, directory: Path) -> Path:
    """Write ``fusion.html``, ``fusion.svg`` and ``fusion.json``; return the page's path.

    The directory is made if it is missing; files of an earlier fusion are replaced.
    """
    directory.mkdir(parents=True, exist_ok=True)
    contents = {
        "fusion.json": combination_json(combination),
        "fusion.svg": combination_svg(combination),
        "fusion.html": combination_html(combination),
    }
    written = [write_whole(directory / name, text.encode()) for name, text in contents.items()]
    return written[-1]

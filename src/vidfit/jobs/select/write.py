"""Write a ranking into a directory: a page, a picture and data."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from vidfit.files import write_whole
from vidfit.jobs.select.page import ranking_html
from vidfit.jobs.select.picture import ranking_svg
from vidfit.report.data import json_text

if TYPE_CHECKING:
    from pathlib import Path

    from vidfit.jobs.select.value import Ranking

FORMAT = "vidfit.ranking/2"


def ranking_json(ranking: Ranking) -> str:
    """Return the ranking as JSON text.

    Keys stand in the order of the fields of `vidfit.jobs.select.value.Ranking`, after ``format``.
    Floats are rounded to six decimals (small ones to six digits); what was not measured is
    ``null``, for JSON knows no NaN.
    """
    return json_text({"format": FORMAT, **asdict(ranking)})


def write_ranking(ranking: Ranking, directory: Path) -> Path:
    """Write ``ranking.html``, ``ranking.svg`` and ``ranking.json``; return the page's path.

    The directory is made if it is missing; files of an earlier ranking are replaced.
    """
    directory.mkdir(parents=True, exist_ok=True)
    contents = {
        "ranking.json": ranking_json(ranking),
        "ranking.svg": ranking_svg(ranking),
        "ranking.html": ranking_html(ranking),
    }
    written = [write_whole(directory / name, text.encode()) for name, text in contents.items()]
    return written[-1]

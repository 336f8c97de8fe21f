"""Write a ranking into a directory: a page, a picture and data."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from vidfit.jobs.select.page import ranking_html
from vidfit.jobs.select.picture import ranking_svg
from vidfit.report.data import json_text
from vidfit.report.writing import write_answer

if TYPE_CHECKING:
    from pathlib import Path

    from vidfit.jobs.select.value import Ranking

FORMAT = "vidfit.ranking/2"


def ranking_json(ranking: Ranking) -> str:
    """Return it as JSON text.

    Keys stand in the order of the fields of `Ranking`, after ``format``. Floats are rounded to
    six decimals (small ones to six digits); what was not measured is ``null``.
    """
    return json_text({"format": FORMAT, **asdict(ranking)})


def write_ranking(ranking: Ranking, directory: Path) -> Path:
    """Write ``ranking.html``, ``.svg`` and ``.json``; return the path of the page."""
    return write_answer(
        directory,
        "ranking",
        page=ranking_html(ranking),
        data=ranking_json(ranking),
        picture=ranking_svg(ranking),
    )

"""Write a report into a directory: a page and data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vidfit.jobs.fit.page import report_html
from vidfit.report.data import report_json
from vidfit.report.writing import write_answer

if TYPE_CHECKING:
    from vidfit.reported import Report


def write_report(report: Report, directory: Path) -> Path:
    """Write ``report.html`` and ``report.json``; return the path of the page."""
    return write_answer(directory, "report", page=report_html(report), data=report_json(report))

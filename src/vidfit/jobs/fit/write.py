"""Write a report into a directory, so that no reader ever sees half of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vidfit.files import write_whole
from vidfit.jobs.fit.page import report_html
from vidfit.report.data import report_json

if TYPE_CHECKING:
    from vidfit.reported import Report


def write_report(report: Report, directory: Path) -> Path:
    """Write ``report.html`` and ``report.json`` and return the path of the page.

    The directory is made if it is missing; files of an earlier report are replaced.
    """
    directory.mkdir(parents=True, exist_ok=True)
    page, data = report_html(report), report_json(report)
    write_whole(directory / "report.json", data.encode())
    return write_whole(directory / "report.html", page.encode())

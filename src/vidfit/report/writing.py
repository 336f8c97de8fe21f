"""Write a report into a directory, so that no reader ever sees half of it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from vidfit.report.data import report_json
from vidfit.report.page import report_html

if TYPE_CHECKING:
    from vidfit.contracts import Report


def write_report(report: Report, directory: Path) -> Path:
    """Write ``report.html`` and ``report.json`` and return the path of the page.

    The directory is made if it is missing; files of an earlier report are replaced.
    """
    directory.mkdir(parents=True, exist_ok=True)
    page, data = report_html(report), report_json(report)
    write_whole(directory / "report.json", data.encode())
    return write_whole(directory / "report.html", page.encode())


def write_whole(path: Path, content: bytes) -> Path:
    """Replace a file in one step: write beside it, then rename."""
    with tempfile.NamedTemporaryFile(
        dir=path.parent, prefix=f".{path.name}.", delete=False
    ) as part:
        try:
            part.write(content)
            part.flush()
            # A temporary file is private to its owner; a report is as readable as any file.
            Path(part.name).chmod(0o666 & ~_umask())
            Path(part.name).replace(path)
        except BaseException:
            Path(part.name).unlink(missing_ok=True)
            raise
    return path


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask

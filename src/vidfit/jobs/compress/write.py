"""Write a compression into a directory: a page, a picture and data."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from vidfit.files import write_whole
from vidfit.jobs.compress.page import compression_html
from vidfit.jobs.compress.picture import compression_svg
from vidfit.report.data import json_text

if TYPE_CHECKING:
    from pathlib import Path

    from vidfit.jobs.compress.value import Compression

FORMAT = "vidfit.compression/1"


def compression_json(compression: Compression) -> str:
    """Return the compression as JSON text.

    Keys stand in the order of the fields of `vidfit.jobs.compress.value.Compression`, after ``format``.
    Floats are rounded to six decimals (small ones to six digits); what was not measured is
    ``null``, for JSON knows no NaN.
    """
    return json_text({"format": FORMAT, **asdict(compression)})


def write_compression(compression: Compression, directory: Path) -> Path:
    """Write ``compression.html``, ``.svg`` and ``.json``; return the path of the page.

    The directory is made if it is missing; files of an earlier compression are replaced.
    """
    directory.mkdir(parents=True, exist_ok=True)
    contents = {
        "compression.json": compression_json(compression),
        "compression.svg": compression_svg(compression),
        "compression.html": compression_html(compression),
    }
    written = [write_whole(directory / name, text.encode()) for name, text in contents.items()]
    return written[-1]

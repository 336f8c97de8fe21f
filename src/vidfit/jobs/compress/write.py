"""Write a compression into a directory: a page, a picture and data."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from vidfit.jobs.compress.page import compression_html
from vidfit.jobs.compress.picture import compression_svg
from vidfit.report.data import json_text
from vidfit.report.writing import write_answer

if TYPE_CHECKING:
    from pathlib import Path

    from vidfit.jobs.compress.value import Compression

FORMAT = "vidfit.compression/1"


def compression_json(compression: Compression) -> str:
    """Return it as JSON text.

    Keys stand in the order of the fields of `Compression`, after ``format``. Floats are rounded to
    six decimals (small ones to six digits); what was not measured is ``null``.
    """
    return json_text({"format": FORMAT, **asdict(compression)})


def write_compression(compression: Compression, directory: Path) -> Path:
    """Write ``compression.html``, ``.svg`` and ``.json``; return the path of the page."""
    return write_answer(
        directory,
        "compression",
        page=compression_html(compression),
        data=compression_json(compression),
        picture=compression_svg(compression),
    )

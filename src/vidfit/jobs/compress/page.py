"""A compression as one HTML file that needs nothing beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vidfit.jobs.compress import words
from vidfit.jobs.compress.front_chart import front_picture
from vidfit.jobs.compress.spots import KINDS, legend, off_scale, undrawn
from vidfit.report.charts import key
from vidfit.report.frame import render

if TYPE_CHECKING:
    from vidfit.jobs.compress.value import Compression


def compression_html(compression: Compression) -> str:
    """Return the compression as one self-contained HTML page, made as `report_html` is."""
    context = {
        "compression": compression,
        "words": words,
        "key": key,
        "kinds": KINDS,
        "artefacts": words.ordered(compression),
        "unmade": [a for a in compression.artefacts if a.footprint is None],
        "legend": legend(compression),
        "wide": front_picture(compression, 1040, 520),
        "narrow": front_picture(compression, 350, 460),
        "off_scale": off_scale(compression),
        "undrawn": undrawn(compression),
    }
    return render(__package__, "compression", compression.data, context)

"""A restorer's report as one HTML file that needs nothing beside it, and as data."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from markupsafe import Markup

from vidfit.contracts import Frames
from vidfit.jobs.restore import words
from vidfit.jobs.restore.trainer import BeforeAfter
from vidfit.jobs.restore.value import CHOSEN, FRAME, RestoreReport
from vidfit.jobs.restore.written import REPORT, report_json
from vidfit.pixels.restore.measured import FIGURES
from vidfit.report.frame import render
from vidfit.report.writing import write_answer

_WIDTH_PIXELS, _HEIGHT_PIXELS = 640, 400
"""Of what is shown of a frame, cut from its middle at its own size."""

_QUALITY = 92


def write_report(report: RestoreReport, pictures: Sequence[BeforeAfter], folder: Path) -> Path:
    """Write ``report.json`` and ``report.html``; return the path of the page."""
    page = report_html(report, pictures)
    return write_answer(folder, REPORT, page=page, data=report_json(report))


def report_html(report: RestoreReport, pictures: Sequence[BeforeAfter]) -> str:
    """Return the report as one self-contained HTML page."""
    shown = FRAME if report.keeps_filter else report.chosen
    context = {
        "report": report,
        "words": words,
        "figures": FIGURES,
        "digits": {name: 3 if name.startswith("ssim") else 2 for name in FIGURES},
        "chosen": CHOSEN,
        "shown": shown,
        "pictures": [
            {
                "recording": one.recording,
                "before": _inline(one.before_HWC),
                "after": _inline(one.after_HWC),
                "truth": _inline(one.truth_HWC),
            }
            for one in pictures
        ],
    }
    return render(__package__, REPORT, report.source, context)


def _inline(frame_HWC: Frames) -> Markup:
    """Return the middle of a frame as the address of a JPEG."""
    import cv2

    height, width = frame_HWC.shape[:2]
    top, left = max(height - _HEIGHT_PIXELS, 0) // 2, max(width - _WIDTH_PIXELS, 0) // 2
    cut = frame_HWC[top : top + _HEIGHT_PIXELS, left : left + _WIDTH_PIXELS, ::-1]
    quality = [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
    _, data = cv2.imencode(".jpg", np.ascontiguousarray(cut), quality)
    return Markup("data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode())

"""Forecasters as one HTML file that needs nothing beside it."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from vidfit.contracts import Floats, Frames
from vidfit.jobs.forecast.charts import error_curves, reliability_of_pixels
from vidfit.jobs.forecast.terminal import estimate, shares, verdict
from vidfit.jobs.forecast.value import ForecastReport
from vidfit.pixels.forecast.strips import enlarged, grey_levels, png_of, strip_of
from vidfit.report.frame import render


@dataclass(frozen=True)
class ShownWindow:
    """A window as a page shows it.

    Parameters
    ----------
    which
        ``best``, ``middle`` or ``worst`` of the held-out windows.
    seen_THW, said_AHW, truth_AHW
        Frames; what was said as probabilities.
    """

    which: str
    name: str
    seen_THW: Frames
    said_AHW: Floats
    truth_AHW: Frames


def forecast_html(report: ForecastReport, windows: tuple[ShownWindow, ...]) -> str:
    """Return the report as one self-contained HTML page."""
    table = report.table
    context = {
        "report": report,
        "table": table,
        "estimate": estimate,
        "shares": shares,
        "verdict": verdict(report),
        "windows": [_shown(one) for one in windows],
        "curves_wide": error_curves(table.rows, table.chosen, 1040, 420),
        "curves_narrow": error_curves(table.rows, table.chosen, 350, 400),
        "before": reliability_of_pixels(table.before),
        "after": reliability_of_pixels(table.reliability),
    }
    return render(__package__, "report", report.data, context)


def _shown(one: ShownWindow) -> dict[str, str]:
    def picture(frames: Frames) -> str:
        data = base64.b64encode(png_of(strip_of([enlarged(frames, 48)]))).decode()
        return f"data:image/png;base64,{data}"

    return {
        "which": one.which,
        "name": one.name,
        "seen": picture(one.seen_THW),
        "said": picture(grey_levels(one.said_AHW)),
        "truth": picture(one.truth_AHW),
    }

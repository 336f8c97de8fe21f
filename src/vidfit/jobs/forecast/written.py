"""What was measured of forecasters, as JSON and as a page."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from vidfit.jobs.forecast.page import ShownWindow, forecast_html
from vidfit.jobs.forecast.value import ForecastReport
from vidfit.pixels.forecast.baselines import unit
from vidfit.pixels.forecast.compare import sigmoid
from vidfit.pixels.forecast.fitting import FittedForecasters
from vidfit.pixels.forecast.grey import HeldOutWindows
from vidfit.pixels.forecast.measure import cross_entropy
from vidfit.report.data import answer_json
from vidfit.report.writing import write_answer

FORMAT = "vidfit.forecast/1"


def report_facts(report: ForecastReport) -> dict[str, Any]:
    """Return a report as JSON takes it: what was not measured is null."""
    facts: dict[str, Any] = _plain({**asdict(report), "proven": report.table.proven})
    return facts


def shown_windows(
    held: HeldOutWindows, fitted: FittedForecasters, seen: int
) -> tuple[ShownWindow, ...]:
    """Return the windows that a page shows: the best, the middle and the worst by cross-entropy."""
    said = sigmoid(fitted.table.platt(fitted.logits_MAHW))
    nats_M = cross_entropy(said, unit(held.windows_MSHW[:, seen:])).mean(axis=(1, 2, 3))
    order = np.argsort(nats_M)
    named = {"best": order[0], "middle": order[len(order) // 2], "worst": order[-1]}
    return tuple(
        ShownWindow(
            which, held.names[m], held.windows_MSHW[m, :seen], said[m], held.windows_MSHW[m, seen:]
        )
        for which, m in named.items()
    )


def write_report(report: ForecastReport, windows: tuple[ShownWindow, ...], folder: Path) -> Path:
    """Write ``report.json`` and ``report.html``; return the path of the page."""
    page = forecast_html(report, windows)
    return write_answer(folder, "report", page=page, data=answer_json(report, FORMAT))


def _plain(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value

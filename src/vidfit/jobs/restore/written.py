"""What was measured of a restorer, as JSON."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from vidfit.documents import to_json
from vidfit.jobs.restore.value import RestoreReport

REPORT = "report"


def report_facts(report: RestoreReport) -> dict[str, Any]:
    """Return a report as JSON takes it: what was not measured is null."""
    facts: dict[str, Any] = _plain({**asdict(report), "beats_filter": report.beats_filter})
    return facts


def report_json(report: RestoreReport) -> str:
    """Return ``report.json``."""
    return to_json(report_facts(report), indent=1, ascii_only=False) + "\n"


def _plain(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value

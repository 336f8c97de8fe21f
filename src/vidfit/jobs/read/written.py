"""What was measured of a reader, as JSON."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vidfit.documents import to_json
from vidfit.files import write_whole
from vidfit.jobs.read.value import ReadingReport

REPORT = "report.json"


def report_facts(report: ReadingReport) -> dict[str, Any]:
    """Return a report as JSON takes it: what was not measured is null."""
    facts: dict[str, Any] = _plain({**asdict(report), "beats_sentence": report.beats_sentence})
    return facts


def write_report(report: ReadingReport, folder: Path) -> Path:
    """Write ``report.json``."""
    text = to_json(report_facts(report), indent=1, ascii_only=False)
    return write_whole(folder / REPORT, text.encode())


def _plain(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value

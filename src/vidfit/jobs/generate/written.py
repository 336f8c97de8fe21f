"""What was measured of a generator, as JSON."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from vidfit.jobs.generate.value import GenerationReport, GeneratorPool

REPORT = "report.json"


def report_facts(report: GenerationReport) -> dict[str, Any]:
    """Return a report as JSON takes it, without pictures: what was not measured is null."""
    facts: dict[str, Any] = _plain(asdict(report))
    del facts["sheet"]
    facts["pairs"] = [{k: pair[k] for k in ("name", "distance")} for pair in facts["pairs"]]
    return facts


def pool_facts(pool: GeneratorPool) -> dict[str, Any]:
    """Return what was measured of a pool as JSON takes it."""
    facts: dict[str, Any] = _plain(asdict(pool))
    return facts


def _plain(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value

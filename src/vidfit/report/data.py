"""A report as JSON: every figure on the page, for programs."""

from __future__ import annotations

import json
from dataclasses import asdict
from math import floor, isfinite, log10
from typing import TYPE_CHECKING

from vidfit.contracts import clip_key

if TYPE_CHECKING:
    from vidfit.reported import Report

FORMAT = "vidfit.report/1"


def report_json(report: Report) -> str:
    """Return the report as JSON text, without its thumbnails.

    Keys stand in the order of the fields of `vidfit.reported.Report`, after ``format``.
    Floats are rounded to six decimals (small ones to six digits); what was not measured is
    ``null``, for JSON knows no NaN. Each clip carries its ``key``.
    """
    fields = asdict(report)
    del fields["thumbnails"]
    fields["clips"] = [
        {"key": clip_key(result.clip), **values}
        for result, values in zip(report.clips, fields["clips"], strict=True)
    ]
    document = plain({"format": FORMAT, **fields})
    return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def plain(value: object) -> object:
    """Return a value made of what JSON has: lists, rounded floats, ``None`` for NaN."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return rounded(value) if isinstance(value, float) else value


def rounded(value: float) -> float | None:
    """Return a float with six decimals, or six digits where those would lose it."""
    if not isfinite(value):
        return None
    if value == 0 or abs(value) >= 1:
        return round(float(value), 6)
    return round(float(value), 5 - floor(log10(abs(value))))

"""A report as JSON: every figure on the page, for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from math import floor, isfinite, log10
from typing import TYPE_CHECKING

from vidfit.contracts import clip_key
from vidfit.shown import is_hidden, public

if TYPE_CHECKING:
    from collections.abc import Mapping

    from _typeshed import DataclassInstance

    from vidfit.reported import Report

FORMAT = "vidfit.report/3"


def report_json(report: Report) -> str:
    """Return the report as JSON text, without its pictures and answers.

    Keys stand in the order of the fields of `vidfit.reported.Report`, after ``format``.
    Floats are rounded to six decimals (small ones to six digits); what was not measured is
    ``null``, for JSON knows no NaN. Each clip carries its ``key``.
    """
    fields = asdict(replace(report, thumbnails={}, answers=()))
    del fields["thumbnails"], fields["answers"]
    for _, scenes in (fields["part"] or {}).get("scenes", ()):
        for scene in scenes:
            del scene["panels"]
    fields["clips"] = [
        {"key": clip_key(result.clip), **values}
        for result, values in zip(report.clips, fields["clips"], strict=True)
    ]
    return json_text({"format": FORMAT, **fields})


def answer_json(answer: DataclassInstance, form: str) -> str:
    """Return an answer as JSON text.

    Keys stand in the order of its fields, after ``format``. Floats are rounded to six decimals
    (small ones to six digits); what was not measured is ``null``.

    Parameters
    ----------
    form
        Name and version of the format, such as ``"vidfit.ranking/2"``.
    """
    return json_text({"format": form, **asdict(answer)})


def json_text(document: Mapping[str, object]) -> str:
    """Return a document as JSON: hidden signs as escapes of JSON, no secrets in addresses.

    Long lists stand at the top, and each entry is made by itself: together they would take some
    ten times the memory of the text. They may be given as iterators.
    """
    fields = ",\n".join(f" {_written(key, 1)}: {_field(value)}" for key, value in document.items())
    return f"{{\n{fields}\n}}\n"


def _field(value: object) -> str:
    """Return a field of a document as JSON."""
    if not isinstance(value, list | tuple | Iterator):
        return _written(value, 1)
    entries = ",\n  ".join(_written(entry, 2) for entry in value)
    return f"[\n  {entries}\n ]" if entries else "[]"


def _written(value: object, depth: int) -> str:
    """Return a value as JSON within ``depth`` others."""
    text = json.dumps(plain(value), indent=1, ensure_ascii=False, allow_nan=False)
    if not text.replace("\n", "").isprintable():
        text = "".join(json.dumps(s)[1:-1] if s != "\n" and is_hidden(s) else s for s in text)
    return text.replace("\n", "\n" + " " * depth)


def plain(value: object) -> object:
    """Return a value made of what JSON has: lists, rounded floats, ``None`` for NaN.

    Addresses in text lose what is secret; see `vidfit.shown.public`.
    """
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | bytes):
        return [plain(item) for item in value]
    if isinstance(value, str):
        return public(value)
    return rounded(value) if isinstance(value, float) else value


def rounded(value: float) -> float | None:
    """Return a float with six decimals, or six digits where those would lose it."""
    if not isfinite(value):
        return None
    if value == 0 or abs(value) >= 1:
        return round(float(value), 6)
    return round(float(value), 5 - floor(log10(abs(value))))

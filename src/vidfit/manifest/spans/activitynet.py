"""Spans in the JSON of ActivityNet: ``database``, ``annotations``, ``segment``, ``label``.

THUMOS, HACS, FineAction and others write it, too.
"""

from __future__ import annotations

import json
from typing import Any

from vidfit.contracts import Clip
from vidfit.documents import json_in, to_json
from vidfit.errors import ManifestError
from vidfit.manifest.names import split_word
from vidfit.manifest.spans.value import SpanRows
from vidfit.shown import counted


def parse_activitynet(text: str, name: str) -> SpanRows:
    """Read spans; a video is named by its id, and is of the split that ``subset`` says.

    A video without annotations is left out: whether nothing happens in it, or its labels are kept
    secret, is not said.

    Raises
    ------
    ManifestError
        If it is no JSON, or has no ``database``.
    """
    try:
        database = json_in(text)["database"].items()
    except json.JSONDecodeError as error:
        raise ManifestError(f"{name}, line {error.lineno}: it is no JSON ({error.msg})") from error
    except ValueError as error:
        raise ManifestError(f"{name}: it is no JSON that can be read ({error})") from error
    except (TypeError, KeyError, AttributeError) as error:
        raise ManifestError(
            f"{name} is JSON without a 'database' of videos, as ActivityNet has it; valid is "
            '{"database": {"ID": {"annotations": [{"segment": [1.5, 4], "label": "walk"}]}}}'
        ) from error
    rows = SpanRows(name, f"the spans of {name} (ActivityNet)")
    bare, at, line = 0, 0, 1
    for video, entry in database:
        found = text.find(f'"{video}"', at)
        found = text.find(to_json(video), at) if found < 0 else found
        line += text.count("\n", at, max(found, at))
        at = max(found, at)
        spans = entry.get("annotations") if isinstance(entry, dict) else None
        if not isinstance(spans, list):
            rows.reject(line, f"{video!r} has no list 'annotations'")
            continue
        bare += not spans
        for number, span in enumerate(spans, 1):
            try:
                rows.add(line, _clip(video, span, entry.get("subset")))
            except (TypeError, ValueError, KeyError, OverflowError) as error:
                reason = f"annotation {number} of {video!r} is no segment with a label"
                rows.reject(line, f"{reason} ({type(error).__name__}: {error})", Clip(video))
    if bare:
        rows.warnings.append(f"{counted(bare, 'video')} of {name} without annotations: left out.")
    return rows


def _clip(video: str, span: dict[str, Any], subset: object) -> Clip:
    start, end = map(float, span["segment"])
    if not 0 <= start < float("inf"):
        raise ValueError(f"it starts at {start:g} s")
    split = split_word(subset) if isinstance(subset, str) else None
    return Clip(video, start, end, str(span["label"]).strip(), split=split)

"""Spans in the CSV of AVA: a labelled second of a person in a box each, in rows.

Of it the times and the actions are taken: seconds of one action that follow one another, of
whomever, are a span. Boxes and persons are left aside. Time before the first row of a video and
after its last is not labelled.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Mapping

from vidfit.contracts import Clip
from vidfit.manifest.spans.value import SpanRows

_ROW = re.compile(r"[^,]+,\d{1,9}(\.\d+)?,((0?\.\d+|[01](\.\d+)?),){4}\d{1,9}(,\d+)?\s*")
_ITEM = re.compile(r"item\s*\{([^}]*)\}")
_NAME, _ID = re.compile(r"name:\s*[\"']([^\"']*)"), re.compile(r"\bid:\s*(\d+)|label_id:\s*(\d+)")

_EVERY_SECONDS = 1.0


def is_ava(line: str) -> bool:
    """Return whether a line is one of AVA: id, time, four edges of a box, action, person."""
    return _ROW.fullmatch(line) is not None


def parse_ava(text: str, name: str, names: Mapping[str, str] | None = None) -> SpanRows:
    """Read spans.

    Parameters
    ----------
    names
        Names of actions by their numbers (`action_names`); without one the number is the label.
    """
    rows = SpanRows(name, f"the spans of {name} (AVA)")
    rows.warnings.append(f"Boxes and persons of {name} are not used; times and actions are.")
    seconds: dict[tuple[str, str], dict[float, int]] = defaultdict(dict)
    reader = csv.reader(text.splitlines())
    for cells in filter(None, reader):
        if not is_ava(",".join(cells)):
            why = "it is not 'video,second,x1,y1,x2,y2,action,person'"
            rows.reject(reader.line_num, why, *_second(cells))
            continue
        seconds[cells[0], str(int(cells[6]))][float(cells[1])] = reader.line_num
    for (video, number), at in seconds.items():
        label = (names or {}).get(number, number)
        for first, last in _runs(sorted(at)):
            start = max(first - _EVERY_SECONDS / 2, 0.0)
            rows.add(at[first], Clip(video, start, last + _EVERY_SECONDS / 2, label))
    looked_at: dict[str, set[float]] = defaultdict(set)
    for (video, _), at in seconds.items():
        looked_at[video].update(at)
    for video, times in looked_at.items():  # of the movies of AVA a quarter of an hour is labelled
        rows.unread += [
            Clip(video, 0.0, max(min(times) - _EVERY_SECONDS / 2, 0.0)),
            Clip(video, max(times) + _EVERY_SECONDS / 2),
        ]
    return rows


def _second(cells: list[str]) -> list[Clip]:
    """Return the time that a row tells of, as far as it says it."""
    if not cells[0].strip():
        return []
    if len(cells) < 2 or not re.fullmatch(r"\d{1,9}(\.\d+)?", cells[1]):
        return [Clip(cells[0])]
    middle = float(cells[1])
    return [Clip(cells[0], middle - _EVERY_SECONDS / 2, middle + _EVERY_SECONDS / 2)]


def _runs(times: list[float]) -> list[tuple[float, float]]:
    runs: list[tuple[float, float]] = []
    for time in times:
        if runs and time - runs[-1][1] <= 1.01 * _EVERY_SECONDS:
            runs[-1] = runs[-1][0], time
        else:
            runs.append((time, time))
    return runs


def action_names(text: str) -> dict[str, str]:
    """Return names by number from a list of actions (``item { name: "walk" id: 12 }``)."""
    found = {}
    for item in _ITEM.findall(text):
        label, number = _NAME.search(item), _ID.search(item)
        if label and number:
            found[number[1] or number[2]] = label[1]
    return found

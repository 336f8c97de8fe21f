"""Spans in exports of BORIS: tabular events with START and STOP, or aggregated events.

Friard and Gamba (2016), BORIS: a free, versatile open-source event-logging software.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator

from vidfit.contracts import Clip
from vidfit.errors import ManifestError
from vidfit.manifest.columns import parse_seconds
from vidfit.manifest.spans.value import SpanRows

_START, _STOP = ("start (s)", "start"), ("stop (s)", "stop")
_TIME, _STATE = ("time",), ("behavior type", "status")
_MEDIA = ("media file name", "media file", "media file path")
_LABEL = ("behavior",)
_HEAD_LINES = 60
_PLAYER = re.compile(r"^(player\s*)?#?\d+:\s*", re.IGNORECASE)

Cells = dict[str, str]


def is_boris(lines: list[str]) -> bool:
    """Return whether the header of an export is among the first lines of a table."""
    return _header(lines) is not None


def parse_boris(text: str, name: str) -> SpanRows:
    """Read spans; the label is the behavior, and events that are points are rejected.

    Raises
    ------
    ManifestError
        If no line names the columns of an export, or none of them the video.
    """
    lines = text.splitlines()
    found = _header(lines)
    if found is None:
        raise ManifestError(
            f"{name} has no line with the columns Behavior and Start (s) and Stop (s), or Time and "
            "Behavior type, as BORIS exports them"
        )
    at, columns, between = found
    if not _one(dict.fromkeys(columns, "x"), _MEDIA):
        raise ManifestError(f"{name} has no column {' or '.join(map(repr, _MEDIA))} of videos")
    rows = SpanRows(name, f"the spans of {name} (BORIS)")
    table = [*_cells(rows, lines[at + 1 :], at + 1, columns, between)]
    (_aggregated if set(_START) & set(columns) else _events)(rows, table)
    said = {cells.get("modifiers", "") for _, cells in table} - {"", "None"}
    if said:
        rows.warnings.append(f"Modifiers of {name} are not used.")
    offsets = {cells.get("time offset (s)", "") for _, cells in table} - {"", "0", "0.0", "0.000"}
    if offsets:
        rows.warnings.append(f"{name} has time offsets; times are taken as they stand.")
    return rows


def _header(lines: list[str]) -> tuple[int, list[str], str] | None:
    """Return where the line with the names of columns is, the names, and what is between."""
    for at, line in enumerate(lines[:_HEAD_LINES]):
        between = max(",;\t", key=line.count)
        names = [cell.strip().lower() for cell in next(csv.reader([line], delimiter=between), [])]
        known = set(names)
        spans = known & set(_START) and known & set(_STOP)
        events = known & set(_TIME) and known & set(_STATE)
        if known & set(_LABEL) and (spans or events):
            return at, names, between
    return None


def _cells(
    rows: SpanRows, lines: list[str], before: int, columns: list[str], between: str
) -> Iterator[tuple[int, Cells]]:
    """Yield the line and the cells of each row."""
    reader = csv.reader(lines, delimiter=between)
    for cells in reader:
        line = before + reader.line_num
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) < len(columns):
            rows.reject(line, f"has {len(cells)} columns, {len(columns)} expected")
            continue
        yield line, {n: cell.strip() for n, cell in zip(columns, cells, strict=False)}


def _one(cells: Cells, names: tuple[str, ...]) -> str:
    return next((cells[name] for name in names if cells.get(name)), "")


def _aggregated(rows: SpanRows, table: list[tuple[int, Cells]]) -> None:
    for line, cells in table:
        if _one(cells, ("behavior type",)).upper() == "POINT":
            rows.reject(line, _point(cells))
            continue
        try:
            start, end = (parse_seconds(_one(cells, names)) for names in (_START, _STOP))
            rows.add(line, Clip(_video(cells), start or 0.0, end, _one(cells, _LABEL)))
        except ValueError as error:
            rows.reject(line, str(error))


def _events(rows: SpanRows, table: list[tuple[int, Cells]]) -> None:
    begun: dict[tuple[str, str, str, str], tuple[int, float]] = {}
    for line, cells in table:
        state = _one(cells, _STATE).upper()
        try:
            video, time = _video(cells), parse_seconds(_one(cells, _TIME))
        except ValueError as error:
            rows.reject(line, str(error))
            continue
        label = _one(cells, _LABEL)
        key = (cells.get("observation id", ""), video, cells.get("subject", ""), label)
        if state.startswith("POINT") or time is None:
            rows.reject(line, _point(cells) if time is not None else "it has no time")
        elif state == "START" and key not in begun:
            begun[key] = line, time
        elif state == "STOP" and key in begun:
            first, start = begun.pop(key)
            rows.add(first, Clip(video, start, time, label))
        else:
            rows.reject(line, f"{label!r} has a {state or 'state'!r} that fits no other row")
    for key, (line, _) in begun.items():
        rows.reject(line, f"{key[-1]!r} has a START and no STOP")


def _point(cells: Cells) -> str:
    return f"{_one(cells, _LABEL)!r} is a point in time, and no span"


def _video(cells: Cells) -> str:
    written = _PLAYER.sub("", _one(cells, _MEDIA))
    if not written or written.count(";"):
        raise ValueError(f"it names {'several videos' if written else 'no video'}: {written!r}")
    return written

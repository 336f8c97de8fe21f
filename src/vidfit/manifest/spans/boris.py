"""Spans in exports of BORIS: tabular events with START and STOP, or aggregated events.

Friard and Gamba (2016), BORIS: a free, versatile open-source event-logging software.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

from vidfit.contracts import Clip
from vidfit.errors import ManifestError
from vidfit.manifest.columns import parse_seconds
from vidfit.manifest.spans.played import Played, file_name, first_player, say_observations
from vidfit.manifest.spans.value import SpanRows

_START, _STOP = ("start (s)", "start"), ("stop (s)", "stop")
_TIME, _STATE = ("time",), ("behavior type", "status")
_MEDIA = ("media file name", "media file", "media file path")
_LABEL = ("behavior",)
_OBSERVATION, _SUBJECT, _OFFSET = "observation id", "subject", "time offset (s)"
_SOURCE, _EACH_LASTS, _ALL_LAST = "source", "media duration (s)", "total length"
_HEAD_LINES = 60
_NONE = frozenset({"", "NA", "None", "Not found"})

Cells = dict[str, str]


@dataclass(frozen=True)
class _Head:
    """Where the line with the names of columns is, the names, and what is between them.

    ``offset`` is a time offset that stands above the table, in seconds, as older versions write.
    """

    line: int
    columns: list[str]
    between: str
    offset: str


class _Begun(NamedTuple):
    """A START: its line, and its row."""

    line: int
    time: float
    cells: Cells


def is_boris(lines: list[str]) -> bool:
    """Return whether the header of an export is among the first lines of a table."""
    return _header(lines) is not None


def parse_boris(text: str, name: str) -> SpanRows:
    """Read spans; the label is the behavior, and events that are points are rejected.

    Times are those of the videos: time offsets are taken off, and where several videos were played
    one after another and the export says how long each lasts, so are those before.

    Raises
    ------
    ManifestError
        If no line names the columns of an export, or none of them the video.
    """
    lines = text.splitlines()
    head = _header(lines)
    if head is None:
        raise ManifestError(
            f"{name} has no line with the columns Behavior and Start (s) and Stop (s), or Time and "
            "Behavior type, as BORIS exports them"
        )
    if not set(_MEDIA) & set(head.columns):
        raise ManifestError(f"{name} has no column {' or '.join(map(repr, _MEDIA))} of videos")
    rows = SpanRows(name, f"the spans of {name} (BORIS)")
    table = [*_cells(rows, lines, head)]
    (_aggregated if set(_START) & set(head.columns) else _events)(rows, table)
    if any(_modifiers(cells) for _, cells in table):
        rows.warnings.append(f"Modifiers of {name} are not used.")
    say_observations(
        rows, [(file_name(_one(c, _MEDIA)), c.get(_OBSERVATION, "")) for _, c in table]
    )
    return rows


def _header(lines: list[str]) -> _Head | None:
    offset = ""
    for at, line in enumerate(lines[:_HEAD_LINES]):
        between = max(",;\t", key=line.count)
        cells = next(csv.reader([line], delimiter=between), [])
        names = [cell.strip().lower() for cell in cells]
        known = set(names)
        spans = known & set(_START) and known & set(_STOP)
        events = known & set(_TIME) and known & set(_STATE)
        if known & set(_LABEL) and (spans or events):
            return _Head(at, names, between, offset)
        if names[:1] == [_OFFSET] and len(names) > 1:
            offset = names[1]
    return None


def _cells(rows: SpanRows, lines: list[str], head: _Head) -> Iterator[tuple[int, Cells]]:
    """Yield the line and the cells of each row."""
    reader = csv.reader(lines[head.line + 1 :], delimiter=head.between)
    for cells in reader:
        line = head.line + 1 + reader.line_num
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) < len(head.columns):
            why = f"has {len(cells)} columns, {len(head.columns)} expected"
            rows.reject(line, why, *_times(dict(zip(head.columns, cells, strict=False))))
            continue
        named = zip(head.columns, cells, strict=False)
        yield line, {_OFFSET: head.offset} | {n: cell.strip() for n, cell in named}


def _one(cells: Cells, names: tuple[str, ...]) -> str:
    return next((cells[name] for name in names if cells.get(name)), "")


def _modifiers(cells: Cells) -> tuple[str, ...]:
    return tuple(
        cell for n, cell in cells.items() if n.startswith("modifier") and cell not in _NONE
    )


def _aggregated(rows: SpanRows, table: list[tuple[int, Cells]]) -> None:
    for line, cells in table:
        if _one(cells, ("behavior type",)).upper() == "POINT":
            rows.reject(line, _point(cells), *_times(cells, _START, _START))
            continue
        try:
            start, end = (_seconds(_one(cells, names)) for names in (_START, _STOP))
            _add(rows, line, cells, start, end)
        except ValueError as error:
            rows.reject(line, str(error), *_times(cells, _START, _STOP))


def _events(rows: SpanRows, table: list[tuple[int, Cells]]) -> None:
    begun: dict[tuple[str, ...], _Begun] = {}
    for line, cells in table:
        state, label = _one(cells, _STATE).upper(), _one(cells, _LABEL)
        try:
            if state.startswith("POINT"):
                rows.reject(line, _point(cells), *_times(cells, _TIME, _TIME))
                continue
            if _played(cells) is None:
                _video(cells)
            time = _seconds(_one(cells, _TIME))
            key = (cells.get(_OBSERVATION, ""), cells.get(_SUBJECT, ""), label, *_modifiers(cells))
            if state == "START" and key not in begun:
                begun[key] = _Begun(line, time, cells)
            elif state == "STOP" and key in begun:
                first = begun.pop(key)
                same = _one(first.cells, _MEDIA) == _one(cells, _MEDIA)
                if not same and _played(first.cells) is None:
                    rows.unread += _times(first.cells, _TIME)
                    raise ValueError(f"{label!r} stops in another video than it starts in")
                rows.unread += _cut(first, time)
                _add(rows, first.line, first.cells, first.time, time)
            else:
                raise ValueError(f"{label!r} has a {state or 'state'!r} that fits no other row")
        except ValueError as error:
            known = _times(cells, _TIME) if state == "START" else _times(cells, (), _TIME)
            rows.reject(line, str(error), *known)
    for key, first in begun.items():
        why = f"{key[2]!r} has a START and no STOP"
        rows.reject(first.line, why, *_times(first.cells, _TIME))


def _add(rows: SpanRows, line: int, cells: Cells, start: float, end: float) -> None:
    """Add a span by the time of its video.

    Raises
    ------
    ValueError
        If it is of no video, or of two.
    """
    offset = float(_one(cells, (_OFFSET,)).replace(",", ".") or 0)
    played = _played(cells)
    video, before = (
        (_video(cells), 0.0) if played is None else played.at(start - offset, end - offset)
    )
    start, end = (max(0.0, time - offset - before) for time in (start, end))
    if played is None and (lasts := cells.get(_ALL_LAST, "")) not in _NONE:
        rows.lengths[video] = max(rows.lengths.get(video, 0.0), _seconds(lasts))
    rows.add(line, Clip(video, start, end, _one(cells, _LABEL)))


def _played(cells: Cells) -> Played | None:
    """Return the videos that were played one after another, where the export tells of several."""
    names = first_player(cells.get(_SOURCE, ""))
    seconds = cells.get(_EACH_LASTS, "").split("|")[0].split(";")
    if len(names) < 2 or len(names) != len(seconds):
        return None
    return Played(tuple(names), tuple(map(_seconds, seconds)))


def _seconds(written: str) -> float:
    """Read a time; a ValueError says that there is none."""
    seconds = None if written in _NONE else parse_seconds(written)
    if seconds is None:
        raise ValueError("it has no time")
    return seconds


def _times(cells: Cells, first: tuple[str, ...] = (), last: tuple[str, ...] = ()) -> Iterator[Clip]:
    """Yield when what a row tells of may have been, and of which video.

    Columns of times bound it; without them, or a time in them, it may have been at any time.
    """
    try:
        offset = float(_one(cells, (_OFFSET,)).replace(",", ".") or 0)
        start, end = (
            _bound(cells, first, -math.inf) - offset,
            _bound(cells, last, math.inf) - offset,
        )
        played = _played(cells) or Played((_video(cells),), (math.inf,))
    except ValueError:  # it is of no video
        return
    yield from played.times(start, end)


def _bound(cells: Cells, names: tuple[str, ...], unknown: float) -> float:
    with suppress(ValueError):
        return _seconds(_one(cells, names))
    return unknown


def _cut(first: _Begun, end: float) -> list[Clip]:
    """Return the time of a state that goes on into the next video, of which no span is made."""
    played = _played(first.cells)
    offset = float(_one(first.cells, (_OFFSET,)).replace(",", ".") or 0)
    found = played.times(first.time - offset, end - offset) if played else []
    return found if len(found) > 1 else []


def _point(cells: Cells) -> str:
    return f"{_one(cells, _LABEL)!r} is a point in time, and no span"


def _video(cells: Cells) -> str:
    written = file_name(_one(cells, _MEDIA))
    if written in _NONE:
        raise ValueError("it names no video: its observation was live, or of pictures")
    if ";" in written and not cells.get(_SOURCE):
        raise ValueError(f"it names several videos: {written!r}")
    return written

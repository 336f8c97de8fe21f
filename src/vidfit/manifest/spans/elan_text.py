"""Spans in what ELAN exports as tab-delimited text, in the forms that its options give.

A row is an annotation, with its tier first, or an interval, with a column for each tier. A header
names the columns of time, in the language of the program and with units that are the same in all;
lines above it may name the media.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import PurePath

from vidfit.contracts import Clip
from vidfit.manifest.columns import parse_seconds
from vidfit.manifest.names import is_clip, is_video
from vidfit.manifest.spans.value import SpanRows

_CLOCK = re.compile(r"\d+:\d\d:\d\d[.,]\d+")
_SECONDS = re.compile(r"\d+[.,]\d{3}")
_MILLISECONDS = re.compile(r"\d+")
_FRAMES = re.compile(r"\d+:\d\d:\d\d:\d\d")
_UNITS = {"hh:mm:ss.ms": 1.0, "ss.msec": 1.0, "msec": 1000.0}
"""Units of columns of time that are read, the best first, in parts of a second."""

_COLUMN = re.compile(r"(.+) - (hh:mm:ss\.ms|ss\.msec|msec|PAL.*|NTSC.*|SMPTE.*)")
_MEDIA = re.compile(r'"?#(?P<url>\w+:.+?)(?: -- offset: (?P<offset>-?\d{1,15}).*)?"?\s*')

Span = tuple[float, float]


@dataclass(frozen=True)
class _Columns:
    """What a header says: names, columns of begin and end, and parts of a second they count."""

    names: list[str]
    begin: int
    end: int
    parts: float
    first: int
    values: tuple[int, ...]


def is_elan_text(lines: list[str]) -> bool:
    """Return whether the first line is one of an export, its header, or names its media."""
    first = lines[0] if lines else ""
    if _MEDIA.fullmatch(first) or _is_head(_split(first)):
        return True
    cells = first.split("\t")
    return len(cells) > 3 and not any(map(is_clip, cells)) and _found(cells[1:]) is not None


def parse_elan_text(text: str, name: str) -> SpanRows:
    """Read tier, begin, end and value.

    The video is that of the lines above, or of the ``.eaf`` that a row is from, else it has the
    name of the file. A value that is empty gives way to the name of its tier.
    """
    rows = SpanRows(name, f"the spans of {name} (ELAN)")
    tiers: dict[str, None] = {}
    video, columns = "", None
    for line, row in enumerate(text.splitlines(), 1):
        if media := _MEDIA.fullmatch(row):
            video = video or _video(rows, media)
            continue
        cells = _split(row)
        if _is_head(cells):
            columns = _columns(cells)
        elif any(cells):
            source = next((PurePath(c).stem for c in cells if _is_source(c)), "")
            if columns is None:
                span, said = _bare([cell for cell in cells if not _is_source(cell)])
            else:
                span, said = _named(cells, columns)
            if span is None:
                why = "it has no begin and end; valid are hh:mm:ss.ms and ss.msec"
                rows.reject(line, why, Clip(source or video or PurePath(name).stem))
                continue
            for tier, value in said:
                tiers[tier] = None
                rows.add(line, Clip(source or video or PurePath(name).stem, *span, value or tier))
    say_tiers(rows, list(tiers))
    return rows


def _split(row: str) -> list[str]:
    """Return the cells of a row; some versions separate by commas."""
    between = "\t" if "\t" in row else ","
    return [cell.strip() for cell in next(csv.reader([row], delimiter=between), [])]


def _is_head(cells: list[str]) -> bool:
    return any(_COLUMN.fullmatch(cell) or cell.startswith("Begin Time") for cell in cells)


def _is_source(cell: str) -> bool:
    return cell.lower().endswith(".eaf")


def _video(rows: SpanRows, media: re.Match[str]) -> str:
    """Return the video that a line above the rows names; nothing where it names sound."""
    if not is_video(media["url"]):
        return ""
    if offset := int(media["offset"] or 0):
        rows.warnings.append(
            f"The video of {rows.name} is shifted by {offset / 1000:g} s, and whether its times "
            "are, an export does not say: they are taken as they stand. Give the .eaf, which does."
        )
    return media["url"]


def _columns(cells: list[str]) -> _Columns | None:
    """Return what a header says; ``None`` where it names no begin and end."""
    units: dict[str, dict[str, int]] = {}
    for place, cell in enumerate(cells):
        if found := _COLUMN.fullmatch(cell):
            units.setdefault(found[1], {})[found[2]] = place
    timed = {place for of in units.values() for place in of.values()}
    if len(units) < 2:
        return None
    begin, end, *_ = units.values()
    values = tuple(p for p in range(min(timed), len(cells)) if p not in timed)
    for unit, parts in _UNITS.items():
        if unit in begin and unit in end:
            return _Columns(cells, begin[unit], end[unit], parts, min(timed), values)
    return None


def _named(cells: list[str], columns: _Columns) -> tuple[Span | None, list[tuple[str, str]]]:
    """Return the times of a row below a header, and tiers with their values."""
    cells = cells + [""] * (len(columns.names) - len(cells))
    told = [p for p in columns.values if cells[p] and not _is_source(cells[p])]
    said = [(columns.names[p], cells[p]) for p in told]
    if columns.first:  # the tier stands before the times
        said = [(cells[0], said[-1][1] if said else "")]
    try:
        begin, end = (parse_seconds(cells[place]) for place in (columns.begin, columns.end))
    except ValueError:
        return None, said
    if begin is None or end is None:
        return None, said
    return (begin / columns.parts, end / columns.parts), said or [("", "")]


def _bare(cells: list[str]) -> tuple[Span | None, list[tuple[str, str]]]:
    """Return the times of a row without a header, and its tier with its value."""
    if _is_time(cells[0]):
        said = [("", cell) for cell in cells if cell and not _is_time(cell)]
        return _found(cells) or _found(cells, whole=True), said or [("", "")]
    last = "" if _is_time(cells[-1]) else cells[-1]
    return _found(cells[1:]) or _found(cells[1:], whole=True), [(cells[0], last)]


def _is_time(cell: str) -> bool:
    return any(form.fullmatch(cell) for form in (_CLOCK, _SECONDS, _MILLISECONDS, _FRAMES))


def _found(cells: list[str], *, whole: bool = False) -> Span | None:
    """Return the first two times of one form, in seconds."""
    forms = ((_MILLISECONDS, 1000.0),) if whole else ((_CLOCK, 1.0), (_SECONDS, 1.0))
    for form, parts in forms:
        found = [parse_seconds(cell.strip()) for cell in cells if form.fullmatch(cell.strip())]
        if len(found) > 1:
            return (found[0] or 0.0) / parts, (found[1] or 0.0) / parts
    return None


def say_tiers(rows: SpanRows, tiers: list[str]) -> None:
    """Warn of several tiers."""
    if len(tiers) > 1:
        rows.warnings.append(
            f"{rows.name} has the tiers {', '.join(tiers)}, which are read as one; where they "
            "overlap, export one of them."
        )

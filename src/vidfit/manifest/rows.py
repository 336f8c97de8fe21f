"""The rows of a table or a list as clips, one after the other, however many there are."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from vidfit.contracts import Clip, Failure
from vidfit.errors import ManifestError
from vidfit.manifest.columns import Cells, checked_columns, clip_of, find_columns, text_of
from vidfit.manifest.lines import Row, parse_label_first, parse_line, parse_offset
from vidfit.manifest.names import LIST_SUFFIXES, TABLE_SUFFIXES, is_video
from vidfit.manifest.places import Place, find_place
from vidfit.manifest.roots import Root, evenly, find_root
from vidfit.manifest.text import LEGACY, encoding_of
from vidfit.manifest.value import is_there, is_url
from vidfit.video.member import split_member

_PARQUET = (".parquet", ".pq")
_SEPARATOR = "sep="
Raw = tuple[str, Cells] | Failure
"""The name of a row and what it says, or why it says nothing."""


@dataclass(frozen=True)
class Rows:
    """The clips of a table or a list; each pass over it reads the file anew.

    Parameters
    ----------
    layout
        What it was read as.
    notes
        What the user should know about it.
    grouping
        The column that tells recordings, in words; empty where there is none.
    found
        Whether any file of a sample of its rows is there; those at URLs are taken to be.
    """

    layout: str
    notes: tuple[str, ...]
    grouping: str
    found: bool
    read: Callable[[], Iterator[Clip | Failure]]

    def __iter__(self) -> Iterator[Clip | Failure]:
        return self.read()


def open_rows(path: Path, split: str | None = None) -> Rows:
    """Open a CSV, Parquet or list of clips; memory does not grow with the number of its rows.

    Parameters
    ----------
    split
        The split of rows that name none.

    Raises
    ------
    ManifestError
        If it cannot be read, or no column names the videos.
    """
    if path.suffix.lower() in _PARQUET:
        return _table(path, split, *_parquet(path))
    if path.suffix.lower() not in TABLE_SUFFIXES | LIST_SUFFIXES:
        raise ManifestError(f"{path} is neither a table nor a list of clips")
    encoding = encoding_of(path, table=path.suffix.lower() in TABLE_SUFFIXES)
    header = _header(path, encoding)
    if not header:
        return _list(path, split, encoding)
    notes = (
        []
        if encoding != LEGACY
        else [
            f"{path.name} is not UTF-8 and was read as Windows-1252; save it as UTF-8 if names or "
            "labels look wrong."
        ]
    )
    return _table(path, split, header.names, partial(_csv_rows, path, encoding, header), notes)


def _table(
    path: Path,
    split: str | None,
    names: list[str],
    raw: Callable[[dict[str, str]], Iterator[Raw]],
    notes: list[str],
) -> Rows:
    roles = checked_columns(path, names)
    ignored = [name for name in names if name not in roles.values() and name.strip()]
    if ignored:
        notes = [*notes, f"Columns of {path.name} that are not used: {', '.join(ignored)}."]
    some = evenly(raw(roles), lambda row: not isinstance(row, Failure))
    place = find_place([row[1] for row in some if not isinstance(row, Failure)], path.parent, roles)
    return Rows(
        f"the table {path.name} ({', '.join(roles.values())})",
        tuple(notes),
        f"from the column {roles['group']!r} of {path.name}" if "group" in roles else "",
        place.root.leads,
        lambda: _clips(raw(roles), place, split),
    )


def _clips(raw: Iterator[Raw], place: Place, split: str | None) -> Iterator[Clip | Failure]:
    for row in raw:
        if isinstance(row, Failure):
            yield row
            continue
        name, cells = row
        written = text_of(cells.get("path")) or text_of(cells.get("id"))
        path = place.path(cells)
        if path is None:
            yield Failure(name, "names no video")
            continue
        try:
            clip = clip_of(path, cells, split)
        except ValueError as error:
            yield Failure(f"{name}: {written}", str(error))
            continue
        yield _checked(
            replace(clip, start_seconds=0.0, end_seconds=None) if place.trimmed else clip
        )


def _checked(clip: Clip) -> Clip | Failure:
    """Return a listed clip, unless it can be neither a video nor a folder of frames."""
    known = is_url(clip.path) or is_video(clip.path) or split_member(clip.path)
    if known or is_there(clip.path):
        return clip
    reason = "no such folder of frames or file, and not a video by its suffix"
    return Failure(clip.path, reason)


# ---------------------------------------------------------------- tables


@dataclass(frozen=True)
class _Header:
    """Names of columns, what stands between them, and the lines up to the first row."""

    names: list[str]
    between: str
    told: bool = False


def _header(path: Path, encoding: str) -> _Header | None:
    """Return the header of a CSV; ``None`` where the first line names a first clip."""
    with path.open(encoding=encoding, newline="") as file:
        first = file.readline()
        told = first.lower().startswith(_SEPARATOR)
        between = first.strip()[len(_SEPARATOR) :] if told else ""
        first = file.readline() if told else first
    between = between or max(",;\t", key=first.count)
    names = next(csv.reader([first], delimiter=between), [])
    found = find_columns(names).keys() & {"path", "id"}
    if path.suffix.lower() in LIST_SUFFIXES:
        return _Header(names, between, told) if found and len(names) > 1 else None
    a_clip = any(is_video(word) for cell in names for word in [cell, *cell.split()])
    return _Header(names, between, told) if found or not a_clip else None


def _csv_rows(path: Path, encoding: str, header: _Header, roles: dict[str, str]) -> Iterator[Raw]:
    places = {role: header.names.index(name) for role, name in roles.items()}
    width = len(header.names)
    with path.open(encoding=encoding, newline="") as file:
        reader = csv.reader(islice(file, 1 + header.told, None), delimiter=header.between)
        number = 0
        try:
            for cells in filter(None, reader):
                number += 1
                if len(cells) < width or any(cell.strip() for cell in cells[width:]):
                    line = reader.line_num + 1 + header.told
                    reason = f"has {len(cells)} columns, {width} expected"
                    yield Failure(f"{path.name}, line {line}", reason)
                else:
                    yield f"row {number}", {role: cells[i] for role, i in places.items()}
        except csv.Error as error:
            raise ManifestError(f"{path} cannot be read as a table ({error}).") from error


def _parquet(
    path: Path,
) -> tuple[list[str], Callable[[dict[str, str]], Iterator[Raw]], list[str]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    def read(roles: dict[str, str]) -> Iterator[Raw]:
        for number, row in enumerate(_batches(path, list(roles.values())), 1):
            yield f"row {number}", {role: row[name] for role, name in roles.items()}

    try:
        return pq.ParquetFile(path).schema_arrow.names, read, []
    except (pa.ArrowException, OSError) as error:
        raise _no_parquet(path, error) from error


def _batches(path: Path, names: list[str]) -> Iterator[dict[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        for batch in pq.ParquetFile(path).iter_batches(columns=names):
            yield from batch.to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise _no_parquet(path, error) from error


def _no_parquet(path: Path, error: Exception) -> ManifestError:
    return ManifestError(f"{path} cannot be read as a table: it is no sound Parquet ({error}).")


# ---------------------------------------------------------------- lists


def _list(path: Path, split: str | None, encoding: str) -> Rows:
    lines = partial(_lines, path, encoding)
    some = evenly(lines(), lambda line: not line.startswith("#"))
    parse, root, form = _best_form(some, path.parent)
    return Rows(
        f"the list {path.name}{form}",
        (),
        "",
        root.leads,
        lambda: _line_clips(path, lines(), parse, root, split),
    )


def _best_form(lines: list[str], folder: Path) -> tuple[Callable[[str], Row], Root, str]:
    """Return how lines are read: as ``path label``, unless only another form leads to files."""
    root = find_root([row.path for row in _parsed(lines, parse_line)], folder)
    if root.found <= 0:
        for parse, form in (
            (parse_label_first, " (label path)"),
            (parse_offset, " (folder offset total label)"),
        ):
            other = find_root([row.path for row in _parsed(lines, parse)], folder)
            if other.found > 0:
                return parse, other, form
    return parse_line, root, ""


def _parsed(lines: list[str], parse: Callable[[str], Row]) -> Iterator[Row]:
    for line in lines:
        try:
            yield parse(line)
        except ManifestError:
            continue


def _lines(path: Path, encoding: str) -> Iterator[str]:
    with path.open(encoding=encoding) as file:
        yield from filter(None, map(str.strip, file))


def _line_clips(
    path: Path, lines: Iterator[str], parse: Callable[[str], Row], root: Root, split: str | None
) -> Iterator[Clip | Failure]:
    for line in lines:
        comment = line.startswith("#")
        name = f"{path.name}: {line[:80]}"
        try:
            row = parse(line)
        except ManifestError as error:
            if not comment:
                yield Failure(name, str(error))
            continue
        full = root.path(row.path)
        if comment and not is_there(full):
            continue
        cells = {"label": row.label, "start_frame": row.start_frame, "end_frame": row.end_frame}
        try:
            yield _checked(clip_of(full, cells, split))
        except ValueError as error:
            yield Failure(name, str(error))

"""CSV and Parquet as rows of cells, one after the other."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from vidfit.contracts import Failure
from vidfit.errors import ManifestError
from vidfit.files import enough_memory
from vidfit.manifest.cells import read_cell
from vidfit.manifest.columns import Cells, find_columns
from vidfit.manifest.names import LIST_SUFFIXES, TABLE_SUFFIXES, is_clip

PARQUET = (".parquet", ".pq")
_BATCH_ROWS = 1000
_SEPARATOR = "sep="

Raw = tuple[str, Cells] | Failure
"""The name of a row and what it says, or why it says nothing."""


@dataclass(frozen=True)
class Sheet:
    """A table: the names of its columns, what to know of it, and its rows by role of column."""

    names: list[str]
    notes: tuple[str, ...]
    rows: Callable[[dict[str, str]], Iterator[Raw]]


def open_sheet(path: Path) -> Sheet | None:
    """Open a table; ``None`` where a text file has no first line that names columns.

    Raises
    ------
    ManifestError
        If it cannot be read.
    """
    if path.suffix.lower() in PARQUET:
        return _parquet(path)
    encoding = encoding_of(path, table=path.suffix.lower() in TABLE_SUFFIXES)
    header = _header(path, encoding)
    if header is None:
        return None
    note = (
        f"{path.name} is not UTF-8 and was read as Windows-1252; save it as UTF-8 if names or "
        "labels look wrong."
    )
    notes = (note,) if encoding == LEGACY else ()
    return Sheet(header.names, notes, partial(_csv_rows, path, encoding, header))


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
    if len(between) > 1 or between == '"':
        raise ManifestError(f"{path} says {_SEPARATOR}{between}; valid is one sign, such as sep=;")
    try:
        names = next(csv.reader([first], delimiter=between), [])
    except csv.Error as error:
        raise ManifestError(f"{path} cannot be read as a table ({error}).") from error
    found = find_columns(names).keys() & {"path", "id"}
    if path.suffix.lower() in LIST_SUFFIXES:
        return _Header(names, between, told) if found and len(names) > 1 else None
    a_clip = any(is_clip(word) for cell in names for word in [cell, *cell.split()])
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
                    yield f"row {number}", {role: read_cell(cells[i]) for role, i in places.items()}
        except csv.Error as error:
            raise ManifestError(f"{path} cannot be read as a table ({error}).") from error


def _parquet(path: Path) -> Sheet:
    import pyarrow as pa
    import pyarrow.parquet as pq

    def read(roles: dict[str, str]) -> Iterator[Raw]:
        for number, row in enumerate(_batches(path, list(roles.values())), 1):
            yield f"row {number}", {role: row[name] for role, name in roles.items()}

    try:
        with enough_memory(path):
            return Sheet(pq.ParquetFile(path).schema_arrow.names, (), read)
    except (pa.ArrowException, OSError) as error:
        raise _no_parquet(path, error) from error


def _batches(path: Path, names: list[str]) -> Iterator[dict[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with enough_memory(path):
            for batch in pq.ParquetFile(path).iter_batches(_BATCH_ROWS, columns=names):
                yield from batch.to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise _no_parquet(path, error) from error


def _no_parquet(path: Path, error: Exception) -> ManifestError:
    return ManifestError(f"{path} cannot be read as a table: it is no sound Parquet ({error}).")


_BLOCK_BYTES = 1 << 16
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
LEGACY = "cp1252"
"""What Excel saves as CSV on Windows in western countries."""


def encoding_of(path: Path, *, table: bool) -> str:
    """Return the encoding of a text file; the whole file is looked at.

    UTF-8, with or without a mark, and UTF-16 with one are told for certain. A table in neither
    is taken for Windows-1252, which Excel saves; any other file is refused.

    Raises
    ------
    ManifestError
        If it is none of these.
    """
    with path.open("rb") as file:
        start = file.read(4)
    if start.startswith(_UTF16):
        if why := _trouble(path, "utf-16"):
            raise ManifestError(f"{path} is not sound UTF-16 text ({why}); save it as UTF-8")
        return "utf-16"
    why = _trouble(path, "utf-8")
    if why is None:
        return "utf-8-sig"
    if table and _trouble(path, LEGACY) is None:
        return LEGACY
    raise ManifestError(
        f"{path} is not UTF-8 text ({why}); it may be Windows-1252 or damaged. Save it as UTF-8."
    )


def _trouble(path: Path, encoding: str) -> str | None:
    """Return why a file is not text of an encoding; ``None`` where it is."""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        return str(error)
    return None

"""Videos of a folder or a table, one after the other, however many there are."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from vidfit.errors import ManifestError
from vidfit.manifest.cells import read_cell
from vidfit.manifest.lists import parse_line
from vidfit.manifest.names import LIST_SUFFIXES, TABLE_SUFFIXES, is_video_file, natural_key
from vidfit.manifest.shards import holds_shards, iter_members
from vidfit.manifest.table import COLUMNS, delimiter, find_columns, has_header
from vidfit.manifest.value import absolute, is_url

_PARQUET = (".parquet", ".pq")


def is_list(path: Path) -> bool:
    """Return whether a file is a list or a table, by its name."""
    return path.suffix.lower() in LIST_SUFFIXES | TABLE_SUFFIXES


def iter_videos(source: Path) -> Iterator[str]:
    """Yield the videos of a folder, a table or a list; memory does not grow with their number.

    Parameters
    ----------
    source
        A folder, searched with all that is in it, or of shards; CSV or Parquet with a column for
        the paths; or a list with a path a line. Paths that are not absolute are taken from its
        folder.

    Raises
    ------
    ManifestError
        If a table names no videos, or cannot be read.
    """
    if source.is_dir():
        yield from iter_members(absolute(source)) if holds_shards(source) else _of_folder(source)
        return
    if source.suffix.lower() in _PARQUET:
        paths = _of_parquet(source)
    elif source.suffix.lower() in TABLE_SUFFIXES and has_header(source):
        paths = _of_csv(source)
    else:
        paths = _of_lines(source)
    for path in paths:
        yield path if is_url(path) else str(source.parent / path)


def _of_folder(folder: Path) -> Iterator[str]:
    for root, folders, names in os.walk(folder):
        folders.sort(key=natural_key)
        for name in sorted(names, key=natural_key):
            if is_video_file(Path(root) / name):
                yield str(Path(root) / name)


def _of_parquet(source: Path) -> Iterator[str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(source)
        column = _path_column(source, file.schema_arrow.names)
        for batch in file.iter_batches(columns=[column]):
            yield from (str(path) for path in batch.column(0).to_pylist() if path)
    except (pa.ArrowException, OSError) as error:
        raise ManifestError(f"{source} cannot be read as Parquet: {error}") from error


def _of_csv(source: Path) -> Iterator[str]:
    with source.open(encoding="utf-8-sig", newline="") as stream:
        try:
            header = stream.readline()
            rows = csv.reader(chain([header], stream), delimiter=delimiter(header))
            names = next(rows)
            place = names.index(_path_column(source, names))
            for row in rows:
                if len(row) > place and row[place].strip():
                    yield read_cell(row[place]).strip()
        except (csv.Error, UnicodeDecodeError) as error:
            raise ManifestError(f"{source} cannot be read as CSV in UTF-8: {error}") from error


def _of_lines(source: Path) -> Iterator[str]:
    with source.open(encoding="utf-8-sig") as stream:
        try:
            for line in map(str.strip, stream):
                if line and not line.startswith("#"):
                    yield parse_line(line).path
        except UnicodeDecodeError as error:
            raise ManifestError(f"{source} is not UTF-8 text: {error}") from error


def _path_column(source: Path, names: list[str]) -> str:
    roles = find_columns(names)
    if "path" not in roles:
        raise ManifestError(
            f"{source} has the columns {', '.join(names) or '(none)'}; none names the videos. "
            f"Call that column one of: {', '.join(COLUMNS['path'])}"
        )
    return roles["path"]

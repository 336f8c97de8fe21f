"""Tables of clips: CSV and Parquet, in and out."""

from __future__ import annotations

import csv
import math
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidfit.contracts import Clip
from vidfit.errors import ManifestError
from vidfit.manifest.cells import read_cell, written_cell
from vidfit.manifest.lists import add_clip
from vidfit.manifest.names import is_video, split_word
from vidfit.manifest.roots import resolve_paths
from vidfit.manifest.value import Listing, Manifest, absolute, is_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import pyarrow as pa

COLUMNS = {
    "path": ("path", "file", "video", "filename", "filepath", "file_path", "video_path"),
    "label": ("label", "class", "category", "class_name", "label_name"),
    "group": ("group", "recording", "source", "recording_id", "group_id"),
    "split": ("split", "subset", "partition"),
    "start": ("start_seconds", "start", "start_time", "time_start"),
    "end": ("end_seconds", "end", "end_time", "time_end"),
    "text": ("text", "caption", "transcript"),
}
"""The columns that are read, with the names that each may have; the first found is used."""


def read_table(path: Path, split: str | None = None) -> Listing:
    """Read a CSV or Parquet table with named columns.

    Raises
    ------
    ManifestError
        If the file cannot be parsed, or no column names the videos.
    """
    listing = Listing(path.parent, f"the table {path.name}")
    columns = _load(path, listing)
    roles = find_columns(list(columns))
    if "path" not in roles:
        raise ManifestError(
            f"{path} has the columns {', '.join(columns) or '(none)'}; none names the videos. "
            f"Call that column one of: {', '.join(COLUMNS['path'])}."
        )
    ignored = [name for name in columns if name not in roles.values()]
    if ignored:
        listing.warnings.append(f"Columns of {path.name} that are not used: {', '.join(ignored)}.")
    if "group" in roles:
        listing.grouping = f"from the column {roles['group']!r} of {path.name}"
    _add_rows({role: columns[name] for role, name in roles.items()}, split, listing)
    return listing


def find_columns(names: list[str]) -> dict[str, str]:
    """Return the column that plays each role, whatever its case, spaces and hyphens."""
    plain = {name.strip().lower().replace(" ", "_").replace("-", "_"): name for name in names[::-1]}
    roles = {}
    for role, accepted in COLUMNS.items():
        found = [plain[name] for name in accepted if name in plain]
        if found:
            roles[role] = found[0]
    return roles


def has_header(path: Path) -> bool:
    """Return whether the first line of a CSV names columns, rather than a first clip."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        first = file.readline()
    cells = next(csv.reader([first], delimiter=delimiter(first)), [])
    if "path" in find_columns(cells):
        return True
    return not any(is_video(word) for cell in cells for word in [cell, *cell.split()])


def parse_seconds(value: object) -> float | None:
    """Read seconds, ``MM:SS`` or ``HH:MM:SS``; ``None`` when empty.

    Raises
    ------
    ValueError
        If it is no time, or negative.
    """
    text = "" if value is None else str(value).strip()
    if not text:
        return None
    parts = [float(part) for part in text.split(":")]
    seconds = 0.0
    for part in parts:
        seconds = seconds * 60 + part
    if not math.isfinite(seconds) or min(parts) < 0:
        raise ValueError(f"{text!r} is no time of at least 0 seconds")
    return seconds


def delimiter(header: str) -> str:
    """Return what stands between the cells of a CSV, by its first line."""
    return max(",;\t", key=header.count)


def _load(path: Path, listing: Listing) -> dict[str, list[Any]]:
    """Return the columns of a table; rows that do not parse are rejected."""
    import pyarrow as pa

    parquet = path.suffix.lower() in (".parquet", ".pq")
    try:
        if parquet:
            import pyarrow.parquet as pq

            table = pq.read_table(path)
        else:
            table = _load_csv(path, listing)
    except (pa.ArrowException, OSError) as error:
        raise ManifestError(
            f"{path} cannot be read as a table ({error}). It must be Parquet, or CSV in UTF-8 "
            "with one line of column names."
        ) from error
    columns: dict[str, list[Any]] = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        cells = column.to_pylist()
        columns.setdefault(name, cells if parquet else [read_cell(cell) for cell in cells])
    return columns


def _load_csv(path: Path, listing: Listing) -> pa.Table:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        header = file.readline()
    between = delimiter(header)
    names = next(csv.reader([header], delimiter=between), [])

    def skip(row: Any) -> str:  # noqa: ANN401
        listing.reject(
            f"{path.name}, line {row.number}",
            f"has {row.actual_columns} columns, {row.expected_columns} expected",
        )
        return "skip"

    return arrow_csv.read_csv(
        path,
        # One thread, because only then a bad row knows its line.
        read_options=arrow_csv.ReadOptions(use_threads=False),
        parse_options=arrow_csv.ParseOptions(
            delimiter=between, newlines_in_values=True, invalid_row_handler=skip
        ),
        convert_options=arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
        ),
    )


def _add_rows(columns: Mapping[str, list[Any]], split: str | None, listing: Listing) -> None:
    paths = [_text(value) or "" for value in columns["path"]]
    resolved = resolve_paths([path for path in paths if path], listing.root)
    resolved_paths = iter(resolved)
    for i, path in enumerate(paths):
        row = {role: values[i] for role, values in columns.items()}
        if not path:
            listing.reject(f"row {i + 1}", "names no video")
            continue
        row["path"] = next(resolved_paths)
        try:
            clip = _clip(row, split)
        except ValueError as error:
            listing.reject(f"row {i + 1}: {path}", str(error))
            continue
        add_clip(listing, clip)


def _clip(row: Mapping[str, Any], split: str | None) -> Clip:
    """Build the clip of one row; a ValueError says what is wrong with it."""
    start = parse_seconds(row.get("start")) or 0.0
    end = parse_seconds(row.get("end"))
    if end is not None and end <= start:
        raise ValueError(f"ends at {end:g} s, not after its start at {start:g} s")
    named = _text(row.get("split"))
    if named is not None:
        split = split_word(named)
        if split is None:
            raise ValueError(f"its split {named!r} is none of train, val, test")
    text = row.get("text")
    return Clip(
        path=row["path"],
        start_seconds=start,
        end_seconds=end,
        label=_text(row.get("label")),
        group=_text(row.get("group")),
        split=split,
        text=None if text is None or text == "" else str(text),
    )


def _text(value: object) -> str | None:
    """Return a cell as stripped text; an empty cell (or NaN, as pandas writes) is missing."""
    if value is None or value != value:
        return None
    return str(value).strip() or None


def write_manifest(manifest: Manifest, path: str | Path) -> None:
    """Write the clips as CSV, or as Parquet when the suffix says so; whole or not at all.

    Paths below the folder of the table are written relative to it, so that both can be
    moved together. ``read_manifest`` gives back the same clips.

    Raises
    ------
    ManifestError
        If the suffix is neither ``.csv`` nor ``.parquet``, or the folder does not exist.
    """
    import pyarrow.parquet as pq
    from pyarrow import csv as arrow_csv

    path = Path(path).absolute()
    if path.suffix.lower() not in (".csv", ".parquet"):
        raise ManifestError(f"Cannot write {path}: the name must end in .csv or .parquet.")
    if not path.parent.is_dir():
        raise ManifestError(f"Cannot write {path}: create the folder {path.parent} first.")
    of_cell = written_cell if path.suffix.lower() == ".csv" else str
    table = _table(manifest, path.parent, of_cell)
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=path.suffix)
    os.close(handle)
    try:
        if path.suffix.lower() == ".csv":
            arrow_csv.write_csv(table, temporary)
        else:
            pq.write_table(table, temporary)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)


def _table(manifest: Manifest, folder: Path, of_cell: Callable[[str], str]) -> pa.Table:
    import pyarrow as pa

    def cells(texts: Iterable[str | None]) -> pa.Array:
        return pa.array([None if text is None else of_cell(text) for text in texts], pa.string())

    clips = manifest.clips
    return pa.table(
        {
            "path": cells(_written(clip.path, folder) for clip in clips),
            "label": cells(clip.label for clip in clips),
            "group": cells(manifest.groups),
            "split": cells(clip.split for clip in clips),
            "start_seconds": pa.array([clip.start_seconds for clip in clips], pa.float64()),
            "end_seconds": pa.array([clip.end_seconds for clip in clips], pa.float64()),
            "text": cells(clip.text for clip in clips),
        }
    )


def _written(path: str, folder: Path) -> str:
    """Return the path as a table in ``folder`` should name it."""
    if is_url(path):
        return path
    full = Path(absolute(path))
    if not full.is_relative_to(folder):
        return str(full)
    relative = full.relative_to(folder).as_posix()
    # What reading would alter is written in full.
    plain = relative == relative.strip() and "\\" not in relative and not is_url(relative)
    return relative if plain else str(full)

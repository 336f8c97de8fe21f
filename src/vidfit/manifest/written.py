"""Tables of clips that are written: CSV and Parquet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vidfit.errors import ManifestError
from vidfit.files import new_file
from vidfit.manifest.cells import written_cell
from vidfit.manifest.value import Manifest, absolute, is_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pyarrow as pa


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
    with new_file(path) as stream:
        (arrow_csv.write_csv if path.suffix.lower() == ".csv" else pq.write_table)(table, stream)


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

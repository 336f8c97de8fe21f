"""Where an index of shots lies: told by the names of files alone, for pyarrow takes 40 MB."""

from __future__ import annotations

import re
from pathlib import Path

INDEX = "index"
"""Folder of an index in the output of `vidfit search`, and of `vidfit predict --index`."""

VIDEOS = "videos.json"
_KEY = re.compile(r"[0-9a-f]{16}")


def index_in(folder: Path) -> Path | None:
    """Return the folder of segments of an index: of several, that which was written to last.

    Parameters
    ----------
    folder
        Of an index, or one that has it in ``index``.
    """
    for place in (folder, folder / INDEX):
        try:
            keys = [path for path in place.iterdir() if _KEY.fullmatch(path.name)]
            lists = [path / VIDEOS for path in keys if next(path.glob("*.parquet"), None)]
            found = {path: path.stat().st_mtime_ns for path in lists if path.is_file()}
        except OSError:
            continue
        if found:
            return max(found, key=lambda path: found[path]).parent
    return None

"""Names for the files of a data set that is written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from vidfit.boxes import LabelledFrame


def names_of(paths: Iterable[str]) -> dict[str, str]:
    """Return a name without suffix for each path, with as many folders as tell them apart."""
    listed = list(dict.fromkeys(paths))
    parts = {path: PurePosixPath(path.replace("\\", "/")).with_suffix("").parts for path in listed}
    deepest = max(map(len, parts.values()), default=1)
    found: dict[str, str] = {}
    for depth in range(1, deepest + 1):
        found = {path: _flat(parts[path][-depth:]) for path in listed}
        if len({name.casefold() for name in found.values()}) == len(listed):
            return found
    return {path: f"{name}_{at}" for at, (path, name) in enumerate(found.items())}


def _flat(parts: Sequence[str]) -> str:
    return re.sub(r"[\\/:]+", "_", "_".join(part for part in parts if part not in ("/", "..", ".")))


def picture_names(frames: Sequence[LabelledFrame]) -> list[tuple[LabelledFrame, str]]:
    """Return a file name for each frame: that of a photo, and for a video ``NAME_000012.jpg``."""
    names = names_of(frame.path for frame in frames)
    return [
        (
            frame,
            f"{names[frame.path]}_{frame.index:06d}.jpg"
            if frame.index is not None
            else f"{names[frame.path]}{PurePosixPath(frame.path).suffix or '.jpg'}",
        )
        for frame in frames
    ]

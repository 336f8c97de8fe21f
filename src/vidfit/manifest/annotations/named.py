"""Names for the files of a data set that is written."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from vidfit.boxes import LabelledFrame


def names_of(paths: Iterable[str]) -> dict[str, str]:
    """Return a name without suffix and folders for each path, none of them twice."""
    listed = list(dict.fromkeys(paths))
    stems = Counter(PurePosixPath(path).stem.casefold() for path in listed)
    found: dict[str, str] = {}
    for path in listed:
        pure = PurePosixPath(path)
        alone = stems[pure.stem.casefold()] == 1
        found[path] = pure.stem if alone else re.sub(r"[\\/:]+", "_", path.lstrip("./\\"))
    return found


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

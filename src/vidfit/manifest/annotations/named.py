"""Names for the files of a data set that is written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from vidfit.boxes import LabelledFrame

_LONGEST_BYTES = 200
"""Of a name: with a number and a suffix it stays below the 255 of file systems."""


def names_of(paths: Iterable[str]) -> dict[str, str]:
    """Return a name without suffix for each path, with as many folders as tell them apart.

    Where none do, as of ``a.jpg`` and ``a.png``, a number does. Names hold no sign that a file
    system, or whoever reads a list, may take for something else.
    """
    parts = {path: _parts(path) for path in dict.fromkeys(paths)}
    deepest = max(map(len, parts.values()), default=1)
    found: dict[str, str] = {}
    for depth in range(1, deepest + 1):
        found = {path: _flat(part[-depth:]) for path, part in parts.items()}
        if len({name.casefold() for name in found.values()}) == len(found):
            return found
    used: set[str] = set()
    for at, (path, name) in enumerate(found.items()):
        while name.casefold() in used:
            name = f"{name}_{at}"
        used.add(name.casefold())
        found[path] = name
    return found


def _parts(path: str) -> tuple[str, ...]:
    pure = PurePosixPath(path.replace("\\", "/"))
    return (*pure.parts[:-1], pure.stem)


def _flat(parts: Sequence[str]) -> str:
    plain = "_".join(part for part in parts if part not in ("/", "..", "."))
    safe = re.sub(r"[\x00-\x1f\x7f<>:\"/\\|?*]+", "_", plain).strip(". ")
    return safe.encode("utf-8", "replace")[-_LONGEST_BYTES:].decode("utf-8", "ignore") or "_"


def picture_names(frames: Sequence[LabelledFrame]) -> list[tuple[LabelledFrame, str]]:
    """Return a file name for each frame: that of a photo, and for a video ``NAME_000012.jpg``."""
    names = names_of(frame.path for frame in frames)
    return [
        (
            frame,
            f"{names[frame.path]}_{frame.index:06d}.jpg"
            if frame.index is not None
            else f"{names[frame.path]}{_suffix(frame.path)}",
        )
        for frame in frames
    ]


def _suffix(path: str) -> str:
    found = PurePosixPath(path).suffix.lower()
    return found if re.fullmatch(r"\.[a-z0-9]{1,5}", found) else ".jpg"

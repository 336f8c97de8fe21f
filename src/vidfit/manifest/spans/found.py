"""Videos that lists name without a folder or a suffix: in the folder of the list, or beside it."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path, PurePosixPath

from vidfit.manifest.names import is_junk, is_video
from vidfit.manifest.value import is_there
from vidfit.video.names import natural_key

_LEVELS, _MOST_FILES = 3, 100_000


class Videos:
    """The videos in a folder and, for those that are not there, in the one above it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: list[dict[str, list[str]]] = []

    def path(self, written: str) -> str | None:
        """Return the path of the one video that is called so; ``None`` where there is not one."""
        plain = written.replace("\\", "/").removeprefix("file://")
        for given in (self._folder / plain, self._folder / PurePosixPath(plain).name):
            if is_video(given.name) and is_there(given):
                return str(given)
        name = PurePosixPath(plain).name
        for level in range(2):
            if level == len(self._known):
                self._known.append(_by_name((self._folder, self._folder.parent)[level]))
            for called in (name, PurePosixPath(name).stem if is_video(name) else f"v_{name}"):
                if len(found := self._known[level].get(called, [])) == 1:
                    return found[0]
        return None


def _by_name(folder: Path) -> dict[str, list[str]]:
    """Return the videos in a folder by their names, with and without suffix."""
    found: dict[str, list[str]] = defaultdict(list)
    depth, seen = len(folder.parts), 0
    for here, folders, files in os.walk(folder):
        folders[:] = sorted((f for f in folders if not is_junk(f)), key=natural_key)
        if len(Path(here).parts) - depth >= _LEVELS - 1:
            folders.clear()
        seen += len(files)
        for file in sorted(files, key=natural_key):
            if is_video(file) and not file.startswith("."):
                path = Path(here) / file
                found[file].append(str(path))
                found[path.stem].append(str(path))
        if seen > _MOST_FILES:
            break
    return found

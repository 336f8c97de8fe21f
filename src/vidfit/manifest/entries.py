"""What lies in one folder."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from vidfit.manifest.names import is_image, is_junk, is_video_file, natural_key


@dataclass(frozen=True)
class Entries:
    """What one folder holds, in natural order, without known junk."""

    folders: tuple[Path, ...]
    videos: tuple[Path, ...]
    images: tuple[Path, ...]
    others: tuple[Path, ...]

    @property
    def is_frames(self) -> bool:
        """Whether the folder stands for one video, of which it holds the frames."""
        return bool(self.images) and not self.videos and not self.folders


def list_folder(folder: Path) -> Entries:
    """Sort the entries of a folder into folders, videos, images and others."""
    kinds: dict[str, list[Path]] = {"folders": [], "videos": [], "images": [], "others": []}
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: natural_key(entry.name))
    for entry in found:
        if entry.is_dir():
            kind = "folders"
        elif is_video_file(Path(entry.path)):
            kind = "videos"
        else:
            kind = "images" if is_image(entry.name) else "others"
        hidden = entry.name.startswith(".") or entry.name.lower() == "__macosx"
        if not hidden and not (kind == "others" and is_junk(entry.name)):
            kinds[kind].append(folder / entry.name)
    return Entries(**{kind: tuple(paths) for kind, paths in kinds.items()})


def holds_clips(folder: Path, seen: frozenset[Path] = frozenset()) -> bool:
    """Return whether a folder holds a video or an image, however deep; the first one ends it."""
    real = folder.resolve()
    if real in seen:
        return False
    inner = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(".") or entry.name.lower() == "__macosx":
                continue
            if entry.is_dir():
                inner.append(folder / entry.name)
            elif is_image(entry.name) or is_video_file(Path(entry.path)):
                return True
    return any(holds_clips(sub, seen | {real}) for sub in inner)

"""What lies in one folder, and whether vidfit wrote it itself."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vidfit.manifest.names import is_clip, is_image, is_junk, is_sound, is_video, is_video_file
from vidfit.manifest.value import is_there
from vidfit.video.names import natural_key


@dataclass(frozen=True)
class Entries:
    """What one folder holds, in natural order, without known junk: of files the paths as text.

    Folders that cannot be read, and links that lead nowhere, are among the others: `no_video`
    says why.
    Files of sound count as videos where there are neither videos nor images: beside a video they
    are what was taken out of it.
    """

    folders: tuple[Path, ...]
    videos: tuple[str, ...]
    images: tuple[str, ...]
    others: tuple[str, ...]

    @property
    def is_frames(self) -> bool:
        """Whether the folder stands for one video, of which it holds the frames."""
        return bool(self.images) and not self.videos and not self.folders


def list_folder(folder: Path) -> Entries:
    """Sort the entries of a folder into folders, videos, images and others."""
    kinds: dict[str, list[str]] = {"folders": [], "videos": [], "images": [], "others": []}
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: natural_key(entry.name))
    for entry in found:
        if _is_folder(entry):
            kind = "others" if unreadable(entry.path) else "folders"
        elif is_video(entry.name) or is_video_file(Path(entry.path)):
            kind = "videos"
        else:
            kind = "images" if is_image(entry.name) else "others"
        hidden = entry.name.startswith(".") or entry.name.lower() == "__macosx"
        if not hidden and not (kind == "others" and is_junk(entry.name)):
            kinds[kind].append(entry.path)
    if not kinds["videos"] and not kinds["images"]:
        sounds = [path for path in kinds["others"] if is_sound(path)]
        kinds["videos"] = sounds
        kinds["others"] = [path for path in kinds["others"] if path not in sounds]
    folders, *files = kinds.values()
    return Entries(tuple(map(Path, folders)), *map(tuple, files))


def holds_clips(folder: Path, seen: frozenset[Path] = frozenset()) -> bool:
    """Return whether a folder holds a video, an image or sound, however deep; one ends it."""
    real = folder.resolve()
    if real in seen:
        return False
    inner = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(".") or entry.name.lower() == "__macosx":
                continue
            if _is_folder(entry):
                inner.append(folder / entry.name)
            elif is_clip(entry.name) or is_video_file(Path(entry.path)):
                return True
    return any(holds_clips(sub, seen | {real}) for sub in inner if not unreadable(sub))


def folders_in(folder: Path) -> Iterator[Path]:
    """Yield the folders in a folder that can be read, sorted; none of one that cannot be."""
    if unreadable(folder):
        return
    with os.scandir(folder) as entries:
        found = sorted(folder / entry.name for entry in entries if _is_folder(entry))
    yield from (inner for inner in found if not unreadable(inner))


def unreadable(folder: str | Path) -> str:
    """Return why a folder cannot be read; nothing of one that can be."""
    try:
        with os.scandir(folder):
            entered = os.access(folder, os.X_OK)
    except OSError as error:
        return f"the folder cannot be read ({error.strerror})"
    return "" if entered else f"the folder cannot be read ({os.strerror(errno.EACCES)})"


def no_video(path: str) -> str:
    """Return why something in a folder that is no video, image or folder cannot be a clip."""
    if Path(path).is_dir():
        return unreadable(path) or "a folder that could not be read"
    if Path(path).is_symlink() and not is_there(path):
        return "a link that leads nowhere"
    return f"not a video by its suffix {Path(path).suffix!r}"


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Return whether an entry is a folder, or a link to one; one to itself is none."""
    try:
        return entry.is_dir()
    except OSError:
        return False


SIGNS = frozenset(
    {
        *("report.json", "ranking.json", "fusion.json", "training.json", "compression.json"),
        *("benchmark.json", "model.json", "pixels.json", "export.json", "shards.json"),
        *("to-label.csv", "answers.parquet"),
    }
)
"""Files that vidfit writes at the top of an output folder, or of a folder in it."""

FEATURES = "features"
_TIMELINE = b"vidfit.timeline"
_HEAD_BYTES = 200


def is_own(folder: Path) -> bool:
    """Return whether a folder was written by vidfit: an output, a model, features, shards."""
    names = {entry.name for entry in folder.iterdir()}
    if not SIGNS.isdisjoint(names):
        return True
    if folder.name == FEATURES and next(folder.glob("*/spec.json"), None) is not None:
        return True  # a feature store
    return _are_answers(folder, names)


def _are_answers(folder: Path, names: set[str]) -> bool:
    """Return whether it holds answers of `predict`: a video with a timeline of its name."""
    stems = (name.removesuffix(".mp4") for name in sorted(names) if name.endswith(".mp4"))
    timeline = next((folder / f"{stem}.json" for stem in stems if f"{stem}.json" in names), None)
    if timeline is None:
        return False
    with timeline.open("rb") as file:
        return _TIMELINE in file.read(_HEAD_BYTES)

"""What lies in one folder, and whether vidfit wrote it itself."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from vidfit.manifest.names import is_clip, is_image, is_junk, is_sound, is_video, is_video_file
from vidfit.video.names import natural_key


@dataclass(frozen=True)
class Entries:
    """What one folder holds, in natural order, without known junk: of files the paths as text.

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
        if entry.is_dir():
            kind = "folders"
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
            if entry.is_dir():
                inner.append(folder / entry.name)
            elif is_clip(entry.name) or is_video_file(Path(entry.path)):
                return True
    return any(holds_clips(sub, seen | {real}) for sub in inner)


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

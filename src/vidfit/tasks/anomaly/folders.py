"""Folders of normal videos and of test videos, as data sets lay them out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vidfit.errors import ManifestError
from vidfit.manifest.names import is_image, is_video_file
from vidfit.tasks.anomaly.truths import Flags, frames_of
from vidfit.video.names import natural_key

NORMAL_FOLDERS = ("normal", "train", "training", "training_videos")
TEST_FOLDERS = ("test", "testing", "testing_videos")
_WITHIN = ("videos", "frames")
_MASKS = "_gt"

SPANS_TABLE = "spans.csv"


@dataclass(frozen=True)
class SetFolders:
    """Normal videos, test videos, which frames of those are unusual, and a table of events.

    ``unread`` are folders inside those of videos, with videos that are not taken for either.
    """

    normal: tuple[Path, ...]
    tests: tuple[Path, ...]
    frames: dict[Path, Flags]
    table: Path | None
    unread: tuple[Path, ...] = ()


def found_in(source: Path) -> SetFolders:
    """Return what a folder holds.

    Raises
    ------
    ManifestError
        If it has no folder of normal videos, or what is unusual cannot be read.
    """
    folders = {path.name.casefold(): path for path in sorted(source.iterdir()) if path.is_dir()}
    table = source / SPANS_TABLE
    normal = next((folders[name] for name in NORMAL_FOLDERS if name in folders), None)
    test = next((folders[name] for name in TEST_FOLDERS if name in folders), None)
    if normal is None and not table.is_file():
        raise ManifestError(
            f"{source} has no folder of normal videos; valid names are "
            f"{', '.join(NORMAL_FOLDERS)}, and {', '.join(TEST_FOLDERS)} of test videos"
        )
    tests = videos_in(test) if test else ()
    normals = videos_in(normal) if normal else ()
    if normal is not None and not normals and not table.is_file():
        raise ManifestError(f"{normal} holds no video; put recordings there in which all is usual")
    unread = [path for folder in (normal, test) if folder for path in _unread(folder)]
    is_table = table.is_file()
    return SetFolders(
        normals, tests, frames_of(source, tests), table if is_table else None, tuple(unread)
    )


def videos_in(folder: Path) -> tuple[Path, ...]:
    """Return video files, and folders of frames, in natural order."""
    within = [folder / name for name in _WITHIN if (folder / name).is_dir()]
    found = [
        path
        for place in (within or [folder])
        for path in place.iterdir()
        if not path.name.startswith(".") and _is_recording(path)
    ]
    return tuple(sorted(found, key=lambda path: natural_key(path.name)))


def _unread(folder: Path) -> list[Path]:
    """Return folders of videos inside a folder of recordings."""
    inside = [path for path in sorted(folder.iterdir()) if path.is_dir()]
    return [
        path
        for path in inside
        if path.name not in _WITHIN and any(is_video_file(file) for file in path.iterdir())
    ]


def _is_recording(path: Path) -> bool:
    if path.is_file():
        return is_video_file(path)
    return not path.name.endswith(_MASKS) and any(is_image(file.name) for file in path.iterdir())

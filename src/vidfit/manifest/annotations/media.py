"""Pictures and videos that annotations name: where they are, and how large."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path, PurePosixPath

from vidfit.boxes import LabelledFrame
from vidfit.contracts import Failure
from vidfit.errors import ManifestError, VideoError
from vidfit.manifest.annotations.masks import MaskAnnotations
from vidfit.manifest.annotations.value import Annotations
from vidfit.manifest.names import is_clip, is_image, is_junk
from vidfit.manifest.told import counted, faults_of, listed
from vidfit.manifest.value import absolute, is_there, is_url
from vidfit.video import VideoReader
from vidfit.video.names import is_photo
from vidfit.video.policy import in_force

_BESIDE = (
    ".", "images", "JPEGImages", "videos", "..", "../images", "../JPEGImages", "../videos",
)  # fmt: skip
_MOST_FILES = 200_000
_LEVELS, _LEVELS_ABOVE = 8, 2
"""How deep names are looked for in the folder, and in the one above it, as ``../train2017``."""

_ORIENTATION, _TURNED = 0x0112, range(5, 9)
"""Tag of Exif 2.32, and its values that turn a picture on its side."""


class Media:
    """Pictures and videos below a folder, or beside a file of annotations.

    Parameters
    ----------
    folder
        Where names begin.
    beside
        Whether they may also lie beside it, as in ``../images``.
    """

    def __init__(self, folder: Path, *, beside: bool = True) -> None:
        self.folder = folder
        self._bases = [folder / name for name in (_BESIDE if beside else _BESIDE[:4])]
        above = beside and folder.parent != Path(folder.anchor)
        self._searched = [(folder, _LEVELS), *([(folder.parent, _LEVELS_ABOVE)] if above else [])]
        self._by_name: list[dict[str, list[str]]] = []
        self._found: dict[str, str | None] = {}
        self._videos: dict[str, tuple[tuple[int, int], int] | None] = {}

    def path(self, name: str) -> str | None:
        """Return the path of what is called so; ``None`` where it is not there, or not alone."""
        if name not in self._found:
            self._found[name] = None if is_url(name) else self._path(name)
        return self._found[name]

    def _path(self, name: str) -> str | None:
        plain = name.replace("\\", "/")
        for base in self._bases:
            if is_there(base / plain):
                return absolute(base / plain)
        for level, (folder, levels) in enumerate(self._searched):
            if level == len(self._by_name):
                self._by_name.append(_by_name(folder, levels))
            if alike := self._by_name[level].get(PurePosixPath(plain).name):
                return absolute(alike[0]) if len(alike) == 1 else None
        return None

    def size_pixels(self, name: str) -> tuple[int, int] | None:
        """Return width and height as it is shown; ``None`` where it cannot be read."""
        path = self.path(name)
        if path is None or in_force().refusal(path):
            return None
        if is_photo(Path(path)):
            return picture_size(Path(path))
        facts = self._video(path)
        return facts[0] if facts else None

    def frame_count(self, name: str) -> int | None:
        """Return how many frames a video has; ``None`` where it cannot be read."""
        path = self.path(name)
        if path is None or in_force().refusal(path) or is_photo(Path(path)):
            return None
        facts = self._video(path)
        return facts[1] if facts else None

    def _video(self, path: str) -> tuple[tuple[int, int], int] | None:
        if path not in self._videos:
            self._videos[path] = None
            with suppress(VideoError), VideoReader(path) as reader:
                info = reader.info
                self._videos[path] = (info.width_pixels, info.height_pixels), info.frame_count
        return self._videos[path]


def _by_name(folder: Path, levels: int) -> dict[str, list[str]]:
    """Return the pictures and videos in a folder and below it, by their names."""
    found: dict[str, list[str]] = defaultdict(list)
    seen = 0
    for here, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not is_junk(name))
        if len(Path(here).parts) - len(folder.parts) >= levels - 1:
            folders.clear()
        seen += len(files)
        for file in files:
            if is_clip(file):
                found[file].append(str(Path(here) / file))
        if seen > _MOST_FILES:
            break
    return found


def picture_size(path: Path) -> tuple[int, int] | None:
    """Return width and height of a picture as it is shown; ``None`` where it cannot be read."""
    from PIL import Image

    with suppress(OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        with Image.open(path) as image:
            width, height = image.size
            turned = image.getexif().get(_ORIENTATION) in _TURNED
        return (height, width) if turned else (width, height)
    return None


class Pictures:
    """Pictures by the files of labels that belong to them, as YOLO lays them out."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._by_stem: dict[Path, dict[str, str]] = {}
        self._asked: set[str] = set()

    def of(self, labels: Path) -> str | None:
        """Return the picture of a file, below the folder; ``None`` where there is none."""
        parts = list(labels.relative_to(self._folder).parts[:-1])
        if "labels" in parts:
            last = len(parts) - 1 - parts[::-1].index("labels")
            parts[last] = "images"
        place = Path(*parts)
        if place not in self._by_stem:
            self._by_stem[place] = pictures_of(self._folder / place)
        found = self._by_stem[place].get(labels.stem)
        if found is None:
            return None
        picture = (place / found).as_posix()
        self._asked.add(picture)
        return picture

    def others(self) -> list[str]:
        """Return the pictures in the same folders that no file belongs to."""
        known = [
            (place / name).as_posix()
            for place, names in self._by_stem.items()
            for name in names.values()
        ]
        return [name for name in known if name not in self._asked]


def pictures_of(folder: Path) -> dict[str, str]:
    """Return the pictures of a folder by their names without suffix."""
    if not folder.is_dir():
        return {}
    return {path.stem: path.name for path in sorted(folder.iterdir()) if is_image(path.name)}


def located(annotations: Annotations, media: Media) -> Annotations:
    """Return annotations of pictures and videos that are there, by their absolute paths.

    Raises
    ------
    ManifestError
        If none of them is there, or has the frames that are named.
    """
    paths, missing = _places([frame.path for frame in annotations.frames], media)
    counts = {frame.path for frame in annotations.frames if frame.index is not None} & paths.keys()
    ends = {name: media.frame_count(name) for name in counts}
    frames: list[LabelledFrame] = []
    beyond: dict[str, list[str]] = defaultdict(list)
    for frame in annotations.frames:
        end = ends.get(frame.path)
        if end is not None and frame.index is not None and frame.index >= end:
            beyond[frame.path].append(str(frame.index))
        elif frame.path in paths:
            frames.append(replace(frame, path=paths[frame.path]))
    rejected = tuple(
        Failure(name, f"it has {counted(ends[name] or 0, 'frame')}, and no {listed(indices)}")
        for name, indices in sorted(beyond.items())
    )
    if not frames:
        raise ManifestError("no frame is one of its video", faults_of(rejected))
    rejected = (*annotations.rejected, *rejected)
    return replace(annotations, frames=tuple(frames), rejected=rejected, missing=missing)


def located_masks(masks: MaskAnnotations, media: Media) -> MaskAnnotations:
    """Return masks of pictures and videos that are there, as `located` does."""
    paths, missing = _places([frame.path for frame in masks.frames], media)
    frames = tuple(
        replace(frame, path=paths[frame.path]) for frame in masks.frames if frame.path in paths
    )
    return replace(masks, frames=frames, missing=missing)


def _places(names: Sequence[str], media: Media) -> tuple[dict[str, str], tuple[Failure, ...]]:
    """Return the paths of what is there, and what is not, with how many frames it has."""
    paths: dict[str, str] = {}
    missing: list[Failure] = []
    for name, count in Counter(names).items():
        path = media.path(name)
        refused = in_force().refusal(path or name)
        if path is None or refused:
            why = refused or f"is not there, or not alone, in {media.folder}"
            missing.append(Failure(name, f"{why}; {counted(count, 'labelled frame')} of it"))
        else:
            paths[name] = path
    if not paths:
        raise ManifestError(
            "no picture or video that is named can be used; name the folder that they lie in",
            faults_of(missing),
        )
    return paths, tuple(missing)

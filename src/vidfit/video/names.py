"""Which files are taken for videos and for frames by their names."""

from __future__ import annotations

import os
import re
import unicodedata
from pathlib import Path

from vidfit.shown import name_of

# fmt: off
VIDEO_SUFFIXES = frozenset({
    ".264", ".265", ".3g2", ".3gp", ".3gpp", ".amv", ".asf", ".avi", ".dav", ".divx", ".dv",
    ".f4v", ".flv", ".gif", ".h264", ".h265", ".hevc", ".insv", ".ivf", ".lrv", ".m1v", ".m2t",
    ".m2ts", ".m2v", ".m4v", ".mjpeg", ".mjpg", ".mkv", ".mod", ".mov", ".mp4", ".mp4v", ".mpe",
    ".mpeg", ".mpg", ".mpv", ".mts", ".mxf", ".nut", ".ogm", ".ogv", ".qt", ".rm",
    ".rmvb", ".tod", ".ts", ".vob", ".webm", ".wmv", ".wtv", ".y4m",
})
"""File name endings, in lower case, that are taken for videos; of others the bytes decide."""

SOUND_SUFFIXES = frozenset({
    ".aac", ".aif", ".aiff", ".flac", ".m4a", ".mka", ".mp3", ".oga", ".ogg", ".opus", ".wav",
    ".wma",
})
"""File name endings, in lower case, of sound alone: clips where no videos lie beside them."""

IMAGE_SUFFIXES = frozenset({
    ".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp",
})
"""File name endings, in lower case, of the frames in a folder of frames."""
# fmt: on


def natural_key(name: str) -> tuple[list[str | int], str]:
    """Return a sort key that puts ``clip2`` before ``clip10``, whatever the letters' case."""
    parts = re.split(r"(\d+)", unicodedata.normalize("NFC", name).casefold())
    return [_number(part) if i % 2 else part for i, part in enumerate(parts)], name


def _number(digits: str) -> int:
    """Return a number; of more digits than Python reads, one that is beyond all others."""
    return int(digits) if len(digits) <= _MOST_DIGITS else 10**_MOST_DIGITS


_MOST_DIGITS = 4000


_FLOW = re.compile(r"flow[_-]?[xyuv]?[_-]?\d", re.IGNORECASE)


def is_flow(name: str) -> bool:
    """Return whether an image is named like optical flow, such as ``flow_x_00001.jpg``."""
    return _FLOW.match(name) is not None


def is_photo(path: Path) -> bool:
    """Return whether a path is a file with the suffix of a still image: a clip of one frame."""
    return path.suffix.lower() in IMAGE_SUFFIXES and os.path.isfile(path)  # noqa: PTH113  (see `is_folder`)


def is_folder(path: str) -> bool:
    """Return whether a path is that of a folder; a name that nothing can have is of none."""
    return os.path.isdir(path)  # noqa: PTH112  (Path.is_dir raises for such names)


def is_sound_path(path: str | Path) -> bool:
    """Return whether the name ends like that of a file of sound; the file is not opened."""
    return Path(name_of(str(path))).suffix.lower() in SOUND_SUFFIXES


def is_video_path(path: str | Path) -> bool:
    """Return whether the name ends like that of a video file; the file is not opened."""
    return Path(name_of(str(path))).suffix.lower() in VIDEO_SUFFIXES

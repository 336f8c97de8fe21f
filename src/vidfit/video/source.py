"""Where a video comes from: files, GIFs, folders of frames, URLs and shards, opened for PyAV."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import av
import av.error

from vidfit.errors import VideoError
from vidfit.video.member import is_url as is_url
from vidfit.video.member import openable, split_member

if TYPE_CHECKING:
    from av.container import InputContainer

VIDEO_SUFFIXES = frozenset(
    {
        *(".3gp", ".asf", ".avi", ".flv", ".gif", ".h264", ".h265", ".ivf", ".m2ts", ".m4v"),
        *(".mjpeg", ".mjpg", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".mxf", ".ogg"),
        *(".ogv", ".ts", ".vob", ".webm", ".wmv", ".y4m"),
    }
)
"""File name endings, in lower case, that are taken for videos when a folder is searched."""

IMAGE_SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp"})
"""File name endings, in lower case, of the frames in a folder of frames."""

DECODER_OPTIONS = {"max_pixels": str(1 << 28)}
"""Frames above 16384 x 16384 pixels are refused before memory is asked for."""

# Demuxers that follow names found inside the file, or draw pictures of plain text.
_REFUSED_FORMATS = frozenset({"concat", "dash", "hls", "imf", "sdp", "tty", "txd"})


def is_video_path(path: str | Path) -> bool:
    """Return whether the name ends like that of a video file; the file is not opened."""
    return Path(str(path)).suffix.lower() in VIDEO_SUFFIXES


def natural_key(name: str) -> list[str | int]:
    """Return a sort key under which ``frame_10`` comes after ``frame_9``."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


def frame_files(folder: Path) -> list[Path]:
    """Return the images of a folder of frames, in natural order.

    Raises
    ------
    VideoError
        The folder cannot be listed or holds no images.
    """
    try:
        files = [f for f in folder.iterdir() if f.suffix.lower() in IMAGE_SUFFIXES]
    except OSError as error:
        raise VideoError(f"{folder}: cannot list this folder ({error.strerror})") from error
    if not files:
        known = ", ".join(sorted(IMAGE_SUFFIXES))
        raise VideoError(f"{folder}: this folder holds no frames; expected files named {known}")
    return sorted(files, key=lambda file: natural_key(file.name))


def open_container(path: str, *, look_inside: bool = True) -> InputContainer:
    """Open a video file or URL with PyAV.

    Parameters
    ----------
    path
        File, URL, or member of a shard.
    look_inside
        FFmpeg decodes up to 20 frames of H.264 to guess how far they are out of order. Where
        header and timestamps say so, as in MP4, that can be left out.

    Raises
    ------
    VideoError
        It cannot be opened as a video; the message gives the reason in one line.
    """
    source: object
    if split_member(path):
        source = openable(path)
    else:
        source = _open_url(path) if is_url(path) else _checked_file(path)
    options = DECODER_OPTIONS if look_inside else {**DECODER_OPTIONS, "skip_frame": "all"}
    try:
        container = av.open(source, mode="r", options=options, metadata_errors="replace")
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise VideoError(f"{path}: cannot be read as a video: {reason(error)}") from error
    refused = _refusal(container)
    if refused:
        container.close()
        raise VideoError(f"{path}: {refused}")
    return container


def reason(error: BaseException) -> str:
    """Return what went wrong in one line, without FFmpeg's error numbers."""
    if isinstance(error, av.error.InvalidDataError):
        return "the data is not a known video format, or its header is damaged"
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(text).split())


def _refusal(container: InputContainer) -> str | None:
    names = set(container.format.name.split(","))
    if names & _REFUSED_FORMATS:
        return f"this is a {container.format.name} list or text, not a video; give the video itself"
    if not container.streams.video:
        kinds = ", ".join(sorted({stream.type for stream in container.streams}))
        return f"holds no video stream, only {kinds or 'a header without streams'}"
    return None


def _checked_file(path: str) -> str:
    file = Path(path)
    try:
        size = file.stat().st_size
    except FileNotFoundError as error:
        what = "a link to a file that is gone" if file.is_symlink() else "no such file"
        raise VideoError(f"{path}: {what}; check the path") from error
    except OSError as error:
        raise VideoError(f"{path}: cannot be read ({error.strerror})") from error
    if not file.is_file():
        raise VideoError(f"{path}: not a regular file; give a video file or a folder of frames")
    if size == 0:
        raise VideoError(f"{path}: the file is empty (0 bytes); copy or download it again")
    return str(file) if file.is_absolute() else f"./{path}"


def _open_url(path: str) -> object:
    import fsspec

    try:
        handle = fsspec.open(path, "rb")
        opened = handle.open()
    except Exception as error:  # every fsspec backend has errors of its own
        raise VideoError(f"{path}: cannot be opened: {reason(error)}") from error
    with suppress(AttributeError):  # a member of an archive is closed with its archive
        opened.vidfit_keeps = handle
    return opened

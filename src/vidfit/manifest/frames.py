"""From frame numbers of a list to seconds."""

from __future__ import annotations

from functools import lru_cache

from vidfit.contracts import Seconds
from vidfit.errors import VideoError
from vidfit.video import VideoReader


def seconds_of(path: str, start: int | None, end: int | None) -> tuple[float, float | None]:
    """Return the span from frame ``start`` up to, and without, frame ``end``, in seconds.

    Frames count from 0; times are the timestamps of the video.

    Raises
    ------
    ValueError
        If the video has no such frames, or cannot be read.
    """
    try:
        pts_seconds = _times(path)
    except VideoError as error:
        why = str(error).removeprefix(f"{path}: ")
        raise ValueError(f"its frames cannot be counted: {why}") from error
    count = len(pts_seconds)
    first, last = start or 0, count if end is None else end
    if not 0 <= first < last <= count:
        raise ValueError(f"frames {first} to {last} are asked for, and the video has {count}")
    return float(pts_seconds[first]), None if last == count else float(pts_seconds[last])


@lru_cache(maxsize=4)  # rows of one video mostly stand together
def _times(path: str) -> Seconds:
    with VideoReader(path) as reader:
        return reader.pts_seconds

"""Where the frames lie that a task was judged by, for who looks at the answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

import numpy as np

from vidfit.contracts import Clip, Seconds
from vidfit.errors import VideoError
from vidfit.tasks.task import Judged
from vidfit.video import VideoReader


def placed(judged: Judged) -> Iterator[tuple[int, Mapping[str, object]]]:
    """Yield the place of each frame among those judged, its file, number and time.

    A photo is frame 0. Those whose file can no longer be read are left out.
    """
    times = lru_cache(maxsize=1)(_times)  # frames of a video stand together
    for place, clip in enumerate(judged.clips):
        try:
            frame = _number(clip, times(clip.path))
        except VideoError:  # it was readable a minute ago
            continue
        yield place, {"path": clip.path, "frame": frame, "seconds": clip.start_seconds}


def _times(path: str) -> Seconds:
    with VideoReader(path) as reader:
        return reader.pts_seconds


def _number(clip: Clip, pts_seconds: Seconds) -> int:
    return int(np.abs(pts_seconds - clip.start_seconds).argmin())

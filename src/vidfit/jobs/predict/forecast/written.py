"""Files of frames ahead: JSON, probabilities, a strip, a video, and surprise over time.

Each appears under its name only when it is whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vidfit.contracts import Floats, Frames
from vidfit.documents import to_json
from vidfit.errors import VidfitError
from vidfit.files import new_file, write_whole
from vidfit.pixels.forecast.strips import enlarged, grey_levels, png_of, strip_of
from vidfit.video import write_video

FORMATS = ("json", "mp4", "png", "npy", "csv")
_LEAST_WIDTH, _MOST_WIDTH = 256, 640


@dataclass(frozen=True)
class SurpriseRow:
    """How surprising a frame was, in nats a pixel: 0 where it came as it was said."""

    seconds: float
    frame: int
    nats: float


@dataclass(frozen=True)
class VideoAhead:
    """What is said of one video.

    Parameters
    ----------
    last_seconds
        When its last frame is shown.
    size_pixels
        Width and height of its frames.
    seen_THW
        The last frames, as the network saw them.
    said_AHW
        Probabilities of the pixels ahead.
    surprise
        Of each frame that has enough before it; empty where it was not asked for.
    """

    path: str
    last_seconds: float
    fps: float
    size_pixels: tuple[int, int]
    seen_THW: Frames
    said_AHW: Floats
    surprise: tuple[SurpriseRow, ...] = ()
    notes: tuple[str, ...] = ()


def check_formats(formats: Sequence[str]) -> None:
    """Refuse formats that frames ahead are not written in.

    Raises
    ------
    VidfitError
        Names those that they are.
    """
    for name in formats:
        if name not in FORMATS:
            raise VidfitError(
                f"frames ahead are not written as {name!r}; valid are {', '.join(FORMATS)}"
            )


def write_ahead(found: VideoAhead, stem: Path, formats: Sequence[str]) -> None:
    """Write what is said of a video, in each format.

    Raises
    ------
    StoreError, VideoError
        If the disk is full or the folder cannot be written.
    """

    def path(ending: str) -> Path:
        return stem.with_name(f"{stem.name}.{ending}")

    if "npy" in formats:
        with new_file(path("npy")) as stream:
            np.save(stream, found.said_AHW, allow_pickle=False)
    if "png" in formats:
        rows = [enlarged(found.seen_THW), enlarged(grey_levels(found.said_AHW))]
        write_whole(path("png"), png_of(strip_of(rows)))
    if "mp4" in formats:
        write_video(path("mp4"), _as_video(found), max(found.fps, 0.1))
    if "csv" in formats:
        lines = [f"{row.seconds:.3f},{row.frame},{row.nats:.6f}\n" for row in found.surprise]
        write_whole(path("csv"), ("seconds,frame,surprise\n" + "".join(lines)).encode())
    if "json" in formats:
        write_whole(path("json"), (to_json(as_data(found), indent=1) + "\n").encode())


def as_data(found: VideoAhead) -> dict[str, Any]:
    """Return what is said of a video as JSON takes it, in short."""
    return {
        "path": found.path,
        "last_seconds": round(found.last_seconds, 6),
        "fps": round(found.fps, 6),
        "frames": [
            {
                "seconds": round(found.last_seconds + (number + 1) / found.fps, 6),
                "brightness": round(float(frame.mean()), 6),
                "unsure": round(float(((frame > 0.05) & (frame < 0.95)).mean()), 6),
            }
            for number, frame in enumerate(found.said_AHW)
        ],
        "notes": list(found.notes),
    }


def _as_video(found: VideoAhead) -> Iterator[Frames]:
    """Yield the frames ahead in the shape of the video, at most 640 pixels wide."""
    import cv2

    width, height = found.size_pixels
    wide = min(max(width, _LEAST_WIDTH), _MOST_WIDTH)
    size = (wide, max(2, round(wide * height / width)))
    for frame in grey_levels(found.said_AHW):
        large = cv2.resize(frame, size, interpolation=cv2.INTER_LINEAR)
        yield np.ascontiguousarray(np.repeat(large[..., None], 3, axis=2), np.uint8)

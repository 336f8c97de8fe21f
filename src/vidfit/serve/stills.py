"""The poster of a clip, and a strip of ten of its frames, as small JPEGs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vidfit.contracts import Clip, Frames, Preprocessing, Sampling
from vidfit.documents import to_json
from vidfit.errors import VideoError
from vidfit.files import write_whole
from vidfit.report.thumbnail import jpeg
from vidfit.video import VideoReader

POSTER, STRIP, FACTS, TIMES = "poster.jpg", "strip.jpg", "facts.json", "times.json"
FRAME = "frame.jpg"
STRIP_FRAMES, STRIP_FRAME_PIXELS, POSTER_PIXELS = 10, 160, 320
MOST_PIXELS = 7680 * 4320
"""Of a picture: 8K. A decoder takes about 5 bytes a pixel for each frame that it holds back."""

MOST_FRAMES = 2_000_000
"""Of a video: 18 hours at 30 a second."""


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """What is known of the video of a clip; sizes as it is shown, times in seconds."""

    width_pixels: int
    height_pixels: int
    duration_seconds: float
    frame_count: int
    average_fps: float
    codec: str


def make_stills(path: str, start_seconds: float, end_seconds: float | None, folder: Path) -> None:
    """Write poster, strip and facts of a clip into a folder; the facts come last.

    Raises
    ------
    VideoError
        If the video cannot be read, or has larger pictures than `MOST_PIXELS`.
    """
    with VideoReader(path) as reader:
        info = reader.info
        check_size(path, info.width_pixels, info.height_pixels)
        sampling = Sampling(clip_len=1, num_clips=STRIP_FRAMES)
        chosen = reader.choose(Clip(path, start_seconds, end_seconds), sampling).ravel()
        pixels = _fitted(info.width_pixels, info.height_pixels, POSTER_PIXELS)
        size = Preprocessing(pixels[1], pixels[0])
        seen = {f.index: f.rgb(size) for f in reader.frames(np.unique(chosen))}
    frames = [seen[int(index)] for index in chosen]
    write_whole(folder / POSTER, jpeg(frames[STRIP_FRAMES // 2], pixels[0]))
    strip_HWC = np.concatenate([_halved(frame) for frame in frames], axis=1)
    write_whole(folder / STRIP, jpeg(strip_HWC, strip_HWC.shape[1]))
    facts = VideoFacts(
        info.width_pixels, info.height_pixels, info.duration_seconds, info.frame_count,
        info.average_fps, info.codec,
    )  # fmt: skip
    fields = {name: getattr(facts, name) for name in VideoFacts.__slots__}
    write_whole(folder / FACTS, to_json(fields).encode())


def make_frame(path: str, number: int, folder: Path) -> None:
    """Write one frame of a video, or a photo, as large as it is.

    Raises
    ------
    VideoError
        If it cannot be read, has no such frame, or more pixels than `MOST_PIXELS`.
    """
    with VideoReader(path) as reader:
        count = len(reader.pts_seconds)
        if not 0 <= number < count:
            raise VideoError(f"{path}: it has {count:,} frames, and none of number {number}")
        check_size(path, reader.info.width_pixels, reader.info.height_pixels)
        frame_HWC = next(iter(reader.frames(np.array([number])))).rgb(None)
    write_whole(folder / FRAME, jpeg(frame_HWC, frame_HWC.shape[1]))


def make_times(path: str, folder: Path) -> None:
    """Write when each frame of a video is shown, in seconds from the first.

    Raises
    ------
    VideoError
        If the video cannot be read, or has more than `MOST_FRAMES`.
    """
    with VideoReader(path) as reader:
        check_count(path, len(reader.pts_seconds))
        times = [round(float(at), 6) for at in reader.pts_seconds]
        found = {"pts_seconds": times, "duration_seconds": round(reader.duration_seconds, 6)}
    write_whole(folder / TIMES, to_json(found).encode())


def check_size(path: str, width_pixels: int, height_pixels: int) -> None:
    """Raise VideoError where pictures are larger than what is shown."""
    if width_pixels * height_pixels > MOST_PIXELS:
        raise VideoError(
            f"{path}: its pictures have {width_pixels} x {height_pixels} pixels; at most "
            f"{MOST_PIXELS:,} are shown: make it smaller"
        )


def check_count(path: str, frames: int) -> None:
    """Raise VideoError where a video has more than `MOST_FRAMES`."""
    if frames > MOST_FRAMES:
        raise VideoError(
            f"{path}: has {frames:,} frames; at most {MOST_FRAMES:,} are shown: cut it in parts"
        )


def _fitted(width: int, height: int, longest: int) -> tuple[int, int]:
    """Return width and height of a picture whose width is ``longest``, or its height if taller."""
    scale = longest / max(width, height)
    return max(2, round(width * scale)), max(2, round(height * scale))


def _halved(frame_HWC: Frames) -> Frames:
    import cv2

    height, width = (
        max(1, side * STRIP_FRAME_PIXELS // POSTER_PIXELS) for side in frame_HWC.shape[:2]
    )
    return np.asarray(cv2.resize(frame_HWC, (width, height), interpolation=cv2.INTER_AREA))

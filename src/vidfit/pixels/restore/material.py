"""Pairs of small and large frames that clips make of themselves.

Of each clip stretches of consecutive frames are read, evenly spread. A stretch is degraded as a
whole, as compression needs neighbouring frames; each frame of it makes a pair.

Shape letters: T frames of a stretch, H rows, W columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from vidfit.contracts import Clip, Failure, Frames, Preprocessing
from vidfit.errors import VideoError
from vidfit.metrics.pictures import luma
from vidfit.pixels.restore.degrade import Degradation, Luma, fitting
from vidfit.video import VideoReader

STRETCH_FRAMES = 7
_LEAST_PIXELS = 16
"""Of a side of the small picture."""

FLAT_LEVELS = 1.0
"""Standard deviation below which a frame has nothing to restore: black, or one colour."""


@dataclass(frozen=True)
class Stretch:
    """Consecutive frames of a clip, large, and as they would have been seen.

    Parameters
    ----------
    clip, recording
        The clip's path, and the recording that it was cut from.
    large_THW, small_THW
        Luma.
    colour_HWC
        The large frame in the middle in colour, RGB.
    """

    clip: str
    recording: str
    large_THW: Luma
    small_THW: Luma
    colour_HWC: Frames

    @property
    def middle(self) -> int:
        """Place of the frame in the middle."""
        return len(self.small_THW) // 2


@dataclass(frozen=True)
class Stretches:
    """Stretches of clips, and what could not be used."""

    stretches: tuple[Stretch, ...]
    failures: tuple[Failure, ...] = ()

    @property
    def recordings(self) -> tuple[str, ...]:
        """Those that have a stretch, sorted."""
        return tuple(sorted({one.recording for one in self.stretches}))

    def of(self, recordings: Sequence[str]) -> list[Stretch]:
        """Return the stretches of some recordings."""
        return [one for one in self.stretches if one.recording in recordings]


def read_stretches(
    clips: Sequence[Clip], degradation: Degradation, most_bytes: int, most_stretches: int = 16
) -> Stretches:
    """Read stretches of clips; the same clips give the same.

    Parameters
    ----------
    most_bytes
        That all large frames together may take.
    most_stretches
        Of a recording.
    """
    stretches: list[Stretch] = []
    failures: list[Failure] = []
    recordings = [clip.recording for clip in clips]
    for number, clip in enumerate(clips):
        count = max(1, most_stretches // recordings.count(clip.recording))
        try:
            found = list(_of_clip(clip, count, most_bytes // len(clips), degradation.scale))
        except VideoError as error:
            failures.append(Failure(clip.path, str(error).removeprefix(f"{clip.path}: ")))
            continue
        kept = [one for one in found if float(one[0].std()) >= FLAT_LEVELS]
        if not kept:
            failures.append(Failure(clip.path, "all of it is of one colour: nothing to restore"))
        for part, (large, colour) in enumerate(kept):
            small = degradation.applied(large, seed=1000 * number + part)
            fit = fitting(large, degradation.scale)
            stretches.append(Stretch(clip.path, clip.recording, fit, small, colour))
    return Stretches(tuple(stretches), tuple(failures))


def _of_clip(clip: Clip, count: int, most_bytes: int, scale: int) -> Iterator[tuple[Luma, Frames]]:
    """Yield the luma of stretches, evenly spread over a clip, and the middle one in colour.

    Raises
    ------
    VideoError
        If it cannot be read, or its frames are too small.
    """
    with VideoReader(clip.path) as reader:
        first, last = reader.span_of(clip)
        frames = last - first + 1
        size = _stored_size(reader)
        height, width = size.height_pixels, size.width_pixels
        if min(height, width) < _LEAST_PIXELS * scale:
            raise VideoError(
                f"{clip.path}: {width}x{height} pixels; {_LEAST_PIXELS * scale} or more of each "
                f"side are needed to learn a scale of {scale}"
            )
        length = min(STRETCH_FRAMES, frames)
        affordable = max(1, most_bytes // (length * height * width))
        count = min(count, affordable, max(1, frames // length))
        for start in np.linspace(first, last - length + 1, count).round().astype(int):
            frames_THWC = [f.rgb(size) for f in reader.frames(range(start, start + length))]
            colour = frames_THWC[length // 2]
            height, width = (side // scale * scale for side in colour.shape[:2])
            yield rounded_luma(frames_THWC), colour[:height, :width]


def _stored_size(reader: VideoReader) -> Preprocessing:
    """Return the size at which a video is stored: where pixels are not square none is made up."""
    info = reader.info
    height, width = info.height_pixels, info.width_pixels
    if info.rotation_degrees % 180:
        return Preprocessing(round(height / info.pixel_aspect), width)
    return Preprocessing(height, round(width / info.pixel_aspect))


def rounded_luma(frames_THWC: Sequence[Frames]) -> Luma:
    """Return the luma of RGB frames, 16 to 235, rounded as a video of 8 bits has it."""
    return np.stack([np.round(luma(one)[..., 0]).astype(np.uint8) for one in frames_THWC])

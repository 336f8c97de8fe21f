"""What is known of a video before its frames are decoded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vidfit.contracts import Seconds


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """The facts of one video.

    ``width_pixels`` and ``height_pixels`` are of the picture as it is shown: with square
    pixels (coded columns are made wider or narrower by ``pixel_aspect``, the sample aspect
    ratio), mirrored left to right if ``is_mirrored``, and then turned by ``rotation_degrees``
    clockwise (0, 90, 180 or 270), all as the file asks for.
    ``frame_count`` counts the frames that can be read, from the packets and not from the
    header; ``duration_seconds`` runs from the first frame to the end of the last.
    """

    path: str
    width_pixels: int
    height_pixels: int
    rotation_degrees: int
    is_mirrored: bool
    pixel_aspect: float
    codec: str
    pixel_format: str
    frame_count: int
    duration_seconds: float
    average_fps: float
    is_variable_rate: bool
    keyframe_count: int


@dataclass(frozen=True, slots=True)
class Timing:
    """When the frames of a video are shown.

    ``pts_seconds_F`` starts at 0; ``last_seconds`` is how long the last frame stays;
    ``tick_seconds`` is the resolution of the timestamps.
    """

    pts_seconds_F: Seconds
    last_seconds: float
    tick_seconds: float

    @property
    def duration_seconds(self) -> float:
        """Time from the first frame to the end of the last."""
        return float(self.pts_seconds_F[-1]) + self.last_seconds

    @property
    def is_variable_rate(self) -> bool:
        """Whether intervals differ by more than the rounding of timestamps and 5 %."""
        intervals = np.diff(self.pts_seconds_F)
        if len(intervals) < 2:
            return False
        median = float(np.median(intervals))
        allowed = max(1.5 * self.tick_seconds, 0.05 * median)
        return bool(np.abs(intervals - median).max() > allowed)

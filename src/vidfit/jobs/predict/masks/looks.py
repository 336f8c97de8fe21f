"""Frames that are looked at, one in memory at a time, and the class of each of their pixels.

Shape letters: Y, X pixels of a frame.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from vidfit.contracts import Clip, Frames
from vidfit.jobs.predict.masks.finder import MaskFinder
from vidfit.metrics.areas import Labels
from vidfit.video import VideoReader

LOOKS_A_SECOND = 5.0
"""Unless it is said which frames are looked at."""


@dataclass(frozen=True)
class MaskLook:
    """A frame that was looked at: when, which, what is seen, and the class of each pixel."""

    index: int
    pts_seconds: float
    picture_YX3: Frames
    labels_YX: Labels


def step_of(reader: VideoReader, every: int | None) -> int:
    """Return how many frames lie between looks."""
    if every is not None:
        return every
    return max(1, round((reader.info.average_fps or 1.0) / LOOKS_A_SECOND))


def look_at(reader: VideoReader, clip: Clip, finder: MaskFinder, step: int) -> Iterator[MaskLook]:
    """Yield looks in order; in place of a damaged frame the next sound one is looked at."""
    first, last = reader.span_of(clip)
    due = first
    for frame in reader.sound_frames():
        if frame.index > last:
            return
        if frame.index >= due:
            picture_YX3 = frame.rgb(None)
            labels_YX = finder.labels(frame, picture_YX3)
            yield MaskLook(frame.index, frame.pts_seconds, picture_YX3, labels_YX)
            due = first + step * ((frame.index - first) // step + 1)


def shares(labels_YX: Labels, classes: int) -> list[float]:
    """Return the share of the pixels of each class."""
    counts_C = np.bincount(labels_YX.ravel(), minlength=classes)
    return [float(count) / labels_YX.size for count in counts_C[:classes]]

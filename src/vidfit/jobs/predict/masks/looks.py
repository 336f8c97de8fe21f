"""Frames that are looked at, one in memory at a time, and the class of each of their pixels.

Shape letters: Y, X pixels of a frame.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vidfit.contracts import Backbone, Clip, Floats, Frames
from vidfit.errors import ModelError
from vidfit.features.places import Places
from vidfit.metrics.areas import Labels, pixels_of
from vidfit.model import Model
from vidfit.runtime import accelerate
from vidfit.study.opened_model import open_model
from vidfit.tasks.segment.head import PlaceHead
from vidfit.video import VideoReader
from vidfit.video.frame import DecodedFrame
from vidfit.video.sample import frames_of_span

LOOKS_A_SECOND = 5.0
"""Unless it is said which frames are looked at."""


@dataclass(frozen=True)
class Segmenter:
    """A loaded model of masks, whose networks are open."""

    model: Model
    members: tuple[Backbone, ...]
    head: PlaceHead

    def labels(self, frame: DecodedFrame, picture_YX3: Frames) -> Labels:
        """Return the class of each pixel of a frame."""
        return pixels_of(self.log_probabilities(frame, picture_YX3), picture_YX3.shape[:2])

    def log_probabilities(self, frame: DecodedFrame, picture_YX3: Frames) -> Floats:
        """Return those of the cells of a frame, [rows, columns, C]."""
        seen = []
        for member in self.members:
            sized = member.spec.preprocessing.of(*picture_YX3.shape[:2])
            tokens_BND = member.forward(frame.rgb(sized)[None, None])
            seen.append(Places.of(tokens_BND[0]))
        return self.head.of_places(seen)


@dataclass(frozen=True)
class MaskLook:
    """A frame that was looked at: when, which, what is seen, and the class of each pixel."""

    index: int
    pts_seconds: float
    picture_YX3: Frames
    labels_YX: Labels


def open_segmenter(model: str, own: Sequence[str]) -> Segmenter:
    """Open a model directory.

    Raises
    ------
    ModelError
        If it is damaged, or answers with something else than masks.
    """
    opened = open_model(Path(model), own)
    if not isinstance(opened.head, PlaceHead):
        raise ModelError(f"{model} does not answer with masks; fit one with --task segment")
    return Segmenter(opened.model, tuple(map(accelerate, opened.members)), opened.head)


def step_of(reader: VideoReader, every: int | None) -> int:
    """Return how many frames lie between looks."""
    if every is not None:
        return every
    return max(1, round((reader.info.average_fps or 1.0) / LOOKS_A_SECOND))


def look_at(reader: VideoReader, clip: Clip, segmenter: Segmenter, step: int) -> Iterator[MaskLook]:
    """Yield looks in order; in place of a damaged frame the next sound one is looked at."""
    first, last = frames_of_span(reader.pts_seconds, clip.start_seconds, clip.end_seconds)
    due = first
    for frame in reader.sound_frames():
        if frame.index > last:
            return
        if frame.index >= due:
            picture_YX3 = frame.rgb(None)
            labels_YX = segmenter.labels(frame, picture_YX3)
            yield MaskLook(frame.index, frame.pts_seconds, picture_YX3, labels_YX)
            due = first + step * ((frame.index - first) // step + 1)


def shares(labels_YX: Labels, classes: int) -> list[float]:
    """Return the share of the pixels of each class."""
    counts_C = np.bincount(labels_YX.ravel(), minlength=classes)
    return [float(count) / labels_YX.size for count in counts_C[:classes]]

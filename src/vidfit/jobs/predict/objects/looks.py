"""Frames that are looked at: which, what was found in them, and where the scene changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from vidfit.contracts import Clip, Frames, Indices
from vidfit.errors import VideoError
from vidfit.jobs.predict.objects.finder import ObjectFinder
from vidfit.threads import in_threads
from vidfit.tracking.cuts import Thumbnail, is_cut, thumbnail
from vidfit.tracking.tracker import FoundBoxes, TrackerSettings
from vidfit.video import DecodedFrame, VideoReader

LOOKS_A_SECOND = 10.0
"""Frames that are looked at where it is not said how many; a person walks a fifth of his height."""

_LEAST_SCORE = TrackerSettings().unsure_score


@dataclass(frozen=True, slots=True)
class ObjectLook:
    """What was found in one frame.

    Parameters
    ----------
    index
        Place of the frame in the video.
    is_cut
        Whether another scene begins between the look before and this one.
    found
        Boxes in pixels, to a hundredth, and scores to a ten-thousandth.
    """

    index: int
    is_cut: bool
    found: FoundBoxes

    def row(self) -> dict[str, Any]:
        """Return it as JSON takes it."""
        return {
            "index": self.index,
            "cut": self.is_cut,
            "edges": self.found.edges_M4.tolist(),
            "scores": self.found.scores_M.tolist(),
            "classes": self.found.classes_M.tolist(),
        }

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> ObjectLook:
        """Return what `row` gave."""
        found = FoundBoxes(
            np.array(row["edges"], np.float64).reshape(-1, 4),
            np.array(row["scores"], np.float64),
            np.array(row["classes"], np.int64),
        )
        return cls(int(row["index"]), bool(row["cut"]), found)


def wanted_frames(reader: VideoReader, clip: Clip, every: int | None) -> Indices:
    """Return the frames of a span that are looked at: every Nth, from its first.

    Parameters
    ----------
    every
        1 for all; ``None`` for those that make about `LOOKS_A_SECOND`.

    Raises
    ------
    VideoError
        If the span holds no frame.
    """
    first, last = reader.span_of(clip)
    rate = len(reader.pts_seconds) / max(reader.duration_seconds, 1e-6)
    return np.arange(first, last + 1, every or max(1, round(rate / LOOKS_A_SECOND)))


def look_at(
    reader: VideoReader, finder: ObjectFinder, wanted: Indices, workers: int
) -> Iterator[ObjectLook]:
    """Yield what is found in frames, in their order; damaged ones are left out.

    This thread decodes while others find; a few frames are in memory at a time.

    Raises
    ------
    VideoError
        If no frame is sound.
    """
    info = reader.info

    def one(frame: tuple[int, list[Frames]]) -> tuple[int, Thumbnail, FoundBoxes]:
        index, sizes = frame
        found = finder.find(sizes, info.width_pixels, info.height_pixels)
        return index, thumbnail(sizes[0]), _rounded(found)

    pictures = (
        (frame.index, [frame.rgb(size) for size in finder.preprocessings])
        for frame in sound_frames(reader, wanted)
    )
    before: Thumbnail | None = None
    for index, picture, found in in_threads(one, pictures, workers):
        yield ObjectLook(index, before is not None and is_cut(before, picture), found)
        before = picture


def _rounded(found: FoundBoxes) -> FoundBoxes:
    """Return what is kept of the boxes; what is too unsure for any track is not."""
    sure = found.chosen(found.scores_M >= _LEAST_SCORE)
    return FoundBoxes(sure.edges_M4.round(2), sure.scores_M.round(4), sure.classes_M)


def sound_frames(reader: VideoReader, wanted: Indices) -> Iterator[DecodedFrame]:
    """Yield those of the frames that are not damaged."""
    following, found = 0, False
    while following < len(wanted):
        try:
            for frame in reader.frames(wanted[following:]):
                found, following = True, following + 1
                yield frame
        except VideoError:
            following += 1
            if following == len(wanted) and not found:
                raise

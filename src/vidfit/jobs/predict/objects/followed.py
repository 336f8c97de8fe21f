"""From looks to tracked frames and to what is told of each track; in one pass and little memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from vidfit.contracts import Seconds
from vidfit.jobs.predict.objects.looks import ObjectLook
from vidfit.jobs.predict.objects.value import ObjectTrack
from vidfit.tracking.filled import Filled, TrackedFrame
from vidfit.tracking.tracker import Tracker, TrackerSettings


def followed(
    looks: Iterable[ObjectLook],
    pts_seconds_F: Seconds,
    classes: Sequence[str],
    span: tuple[int, int],
    settings: TrackerSettings = TrackerSettings(),
) -> Iterator[TrackedFrame]:
    """Yield each frame of a span with its tracked boxes; no track goes across a cut.

    Parameters
    ----------
    pts_seconds_F
        When each frame of the video is shown.
    span
        First and last frame.
    """
    tracker, filled = Tracker(settings), Filled(pts_seconds_F, classes, *span)
    for look in looks:
        if look.is_cut:
            tracker.cut()
            yield from filled.cut()
        tracked = tracker.look(float(pts_seconds_F[look.index]), look.found)
        yield from filled.add(look.index, tracked)
    yield from filled.end()


@dataclass(slots=True)
class _TrackSum:
    """What is told of one track so far; ``scores`` are those of its boxes that were found."""

    label: str
    first: int
    last: int
    frames: int = 0
    scores: float = 0.0
    scored: int = 0


class TrackCount:
    """What is told of each track, while frames go by."""

    def __init__(self) -> None:
        self._tracks: dict[int, _TrackSum] = {}

    def counted(self, frames: Iterable[TrackedFrame]) -> Iterator[TrackedFrame]:
        """Yield frames as they are."""
        for frame in frames:
            for box in frame.boxes:
                new = _TrackSum(box.label, frame.index, frame.index)
                of = self._tracks.setdefault(box.track or 0, new)
                of.last, of.frames = frame.index, of.frames + 1
                if box.score is not None:
                    of.scores, of.scored = of.scores + box.score, of.scored + 1
            yield frame

    def tracks(self, pts_seconds_F: Seconds, end_seconds: float) -> tuple[ObjectTrack, ...]:
        """Return the tracks of all frames that went by.

        Parameters
        ----------
        pts_seconds_F
            When each frame of the video is shown.
        end_seconds
            When the last of them leaves the screen.
        """
        ends = np.append(pts_seconds_F[1:], end_seconds)
        return tuple(
            ObjectTrack(
                number,
                of.label,
                float(pts_seconds_F[of.first]),
                float(ends[of.last]),
                of.frames,
                of.scores / max(of.scored, 1),
            )
            for number, of in sorted(self._tracks.items())
        )

"""From looks to all frames of a video: boxes between two looks lie on the line between them.

Boxes of a track that was out of sight are filled in, too, once it comes back, as ByteTrack does
(Zhang et al. 2022, section 4.2, tracklet interpolation). Frames come out in order, as late as a
track may be lost, so that memory does not grow with the video.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from vidfit.boxes import Box
from vidfit.contracts import Seconds
from vidfit.tracking.tracker import TrackedLook


@dataclass(frozen=True, slots=True)
class TrackedFrame:
    """The tracked boxes of one frame.

    Parameters
    ----------
    index
        Place of the frame in its video, from 0.
    seconds
        When it is shown.
    boxes
        Each with the number of its track. A box that was filled in has no score.
    """

    index: int
    seconds: float
    boxes: tuple[Box, ...]


@dataclass(slots=True)
class _Strand:
    """What is known of one track: its last box, and those that wait for the track to be sure."""

    last_index: int
    last: Box
    waiting: list[tuple[int, Box]]
    number: int | None = None

    @property
    def known_index(self) -> int:
        """The frame up to which all boxes of the track are told."""
        return self.waiting[0][0] - 1 if self.waiting else self.last_index


class Filled:
    """All frames of a video from those that were looked at.

    Parameters
    ----------
    pts_seconds_F
        When each frame of the video is shown.
    classes
        Names of the classes.
    first, last
        Frames from and to which boxes are told, both included.
    """

    def __init__(
        self,
        pts_seconds_F: Seconds,
        classes: Sequence[str],
        first: int = 0,
        last: int | None = None,
    ) -> None:
        self._pts_F, self._classes = pts_seconds_F, classes
        self._frames: deque[list[Box]] = deque()
        self._first = first
        self._last = len(pts_seconds_F) - 1 if last is None else last
        self._strands: dict[int, _Strand] = {}
        self._numbers = 0

    def add(self, index: int, look: TrackedLook) -> Iterator[TrackedFrame]:
        """Take a look; yield the frames of which all is known now.

        Parameters
        ----------
        index
            Frame that was looked at; later than the one before.
        """
        self._reach(index)
        rows = zip(
            look.tracks_M.tolist(),
            look.boxes.edges_M4.tolist(),
            look.boxes.scores_M.tolist(),
            look.boxes.classes_M.tolist(),
            strict=True,
        )
        for key, edges, score, number in rows:
            self._see(key, index, _box(self._classes[number], edges, score))
        for key in sorted(look.confirmed):
            self._confirm(self._strands[key])
        for key in [key for key in self._strands if key not in look.living]:
            del self._strands[key]
        yield from self._known(min([index, *(s.known_index for s in self._strands.values())]))

    def cut(self) -> Iterator[TrackedFrame]:
        """End all tracks; yield the frames that waited for them."""
        self._strands.clear()
        yield from self._known(self._first + len(self._frames) - 1)

    def end(self) -> Iterator[TrackedFrame]:
        """Yield all frames that are left."""
        self._reach(self._last)
        yield from self.cut()

    def _reach(self, index: int) -> None:
        """Begin the frames up to one."""
        while self._first + len(self._frames) <= min(index, self._last):
            self._frames.append([])

    def _see(self, key: int, index: int, box: Box) -> None:
        strand = self._strands.get(key)
        if strand is None:
            strand = self._strands[key] = _Strand(index, box, [(index, box)])
            return
        span = self._pts_F[strand.last_index : index + 1]
        for at, share in enumerate((span[1:-1] - span[0]) / (span[-1] - span[0])):
            strand.waiting.append((strand.last_index + 1 + at, _between(strand.last, box, share)))
        strand.waiting.append((index, box))
        strand.last_index, strand.last = index, box

    def _confirm(self, strand: _Strand) -> None:
        """Tell the boxes of a track that is sure; it gets its number with the first of them."""
        if strand.number is None:
            self._numbers += 1
            strand.number = self._numbers
        for index, box in strand.waiting:
            self._frames[index - self._first].append(replace(box, track=strand.number))
        strand.waiting.clear()

    def _known(self, index: int) -> Iterator[TrackedFrame]:
        while self._frames and self._first <= index:
            boxes = tuple(sorted(self._frames.popleft(), key=lambda box: box.track or 0))
            yield TrackedFrame(self._first, float(self._pts_F[self._first]), boxes)
            self._first += 1


def _box(label: str, edges: Sequence[float], score: float | None) -> Box:
    left, top, right, bottom = edges
    return Box(label, left, top, right, bottom, score)


def _between(first: Box, second: Box, share: float) -> Box:
    """Return the box at a share of the way from one to another; its label is that of both."""
    pairs = zip(first.edges, second.edges, strict=True)
    return _box(first.label, [(1 - share) * a + share * b for a, b in pairs], None)

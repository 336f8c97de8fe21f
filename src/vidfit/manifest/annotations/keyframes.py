"""Boxes of one object at some frames of a video, and those between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from vidfit.boxes import LabelledFrame

Sides = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class KeyBox:
    """Where an object is at a frame.

    Parameters
    ----------
    index
        Number of the frame, from 0.
    sides
        Left, top, right, bottom.
    outside
        Whether the object is not there from this frame on, until the next box.
    score, ignored
        As `vidfit.boxes.Box` has them; they hold until the next box.
    """

    index: int
    sides: Sides
    outside: bool = False
    score: float | None = None
    ignored: bool = False


def between(keys: Sequence[KeyBox], frames: range) -> Iterator[KeyBox]:
    """Yield the box of each frame at which the object is there.

    Sides move evenly from one box to the next; the last one stays to the end, unless it is
    outside.

    Parameters
    ----------
    keys
        By their frames, none twice.
    frames
        Those that are known of.
    """
    ends = [*(key.index for key in keys[1:]), frames.stop][: len(keys)]
    for place, (key, end) in enumerate(zip(keys, ends, strict=True)):
        if key.outside:
            continue
        next_ = keys[place + 1] if place + 1 < len(keys) else key
        span = max(end - key.index, 1)
        for index in _within(frames, key.index, end):
            share = (index - key.index) / span
            yield replace(key, index=index, sides=_mixed(key.sides, next_.sides, share))


def _within(frames: range, first: int, stop: int) -> range:
    """Return those of the frames that lie in a span."""
    ahead = max(-(-(first - frames.start) // frames.step), 0)
    return range(frames.start + ahead * frames.step, min(stop, frames.stop), frames.step)


def _mixed(first: Sides, last: Sides, share: float) -> Sides:
    if not share:
        return first
    left, top, right, bottom = (a + share * (b - a) for a, b in zip(first, last, strict=True))
    return left, top, right, bottom


def tracks_of(
    frames: Iterable[LabelledFrame],
) -> Iterator[tuple[str, int | None, list[KeyBox]]]:
    """Yield label, number and boxes of each track of a video; a box without one is its own."""
    found: dict[tuple[str, int], list[KeyBox]] = {}
    for frame in frames:
        index = frame.index or 0
        for box in frame.boxes:
            key = KeyBox(index, box.edges, score=box.score, ignored=box.ignored)
            if box.track is None:
                yield box.label, None, [key]
            else:
                found.setdefault((box.label, box.track), []).append(key)
    for (label, track), keys in found.items():
        yield label, track, keys


def with_ends(keys: Sequence[KeyBox], last: int) -> Iterator[KeyBox]:
    """Yield the boxes of a track with those that say where it is not there, up to a last frame."""
    following = [key.index for key in keys[1:]] + [last + 1]
    for key, next_ in zip(keys, following, strict=True):
        yield key
        if next_ > key.index + 1:
            yield replace(key, index=key.index + 1, outside=True)

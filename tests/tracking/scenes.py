"""Scenes of boxes whose truth is known: objects that move, hide and are found with scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from vidfit.tracking.filled import Filled, TrackedFrame
from vidfit.tracking.tracker import FoundBoxes, Tracker

HEIGHT = 80.0


@dataclass(frozen=True)
class Walker:
    """Somebody who walks at constant velocity, in pixels a second, and is found with a score."""

    x: float
    y: float
    velocity: float = 0.0
    score: Callable[[float], float] = lambda _: 0.9
    label: int = 0

    def edges(self, seconds: float) -> tuple[float, float, float, float]:
        x = self.x + self.velocity * seconds
        return x - HEIGHT / 5, self.y - HEIGHT, x + HEIGHT / 5, self.y


def found_at(walkers: Sequence[Walker], seconds: float) -> FoundBoxes:
    """Return the boxes at a time; a score of 0 is no box."""
    there = [w for w in walkers if w.score(seconds) > 0]
    return FoundBoxes(
        np.array([w.edges(seconds) for w in there], float).reshape(-1, 4),
        np.array([w.score(seconds) for w in there], float),
        np.array([w.label for w in there], np.int64),
    )


def tracked(
    walkers: Sequence[Walker], seconds: float, rate: float = 10.0, every: int = 1, cut: float = -1.0
) -> list[TrackedFrame]:
    """Return all frames of a scene of some seconds, with tracks; ``cut`` is when another begins."""
    pts_seconds_F = np.arange(round(seconds * rate)) / rate
    tracker, filled = Tracker(), Filled(pts_seconds_F, ("person", "dog"))
    frames: list[TrackedFrame] = []
    for index in range(0, len(pts_seconds_F), every):
        now = float(pts_seconds_F[index])
        if cut >= 0 and now >= cut:
            tracker.cut()
            frames += filled.cut()
            cut = -1.0
        frames += filled.add(index, tracker.look(now, found_at(walkers, now)))
    return [*frames, *filled.end()]


def numbers(frames: Sequence[TrackedFrame]) -> list[int]:
    """Return the tracks, in the order in which they appear."""
    return list(dict.fromkeys(box.track for frame in frames for box in frame.boxes))


def of(frames: Sequence[TrackedFrame], walker: Walker) -> list[int]:
    """Return the tracks that a walker is given, in order, each time he is given another."""
    given = []
    for frame in frames:
        edges = walker.edges(frame.seconds)
        for box in frame.boxes:
            if np.allclose(box.edges, edges, atol=8.0) and given[-1:] != [box.track]:
                given.append(box.track)
    return given

"""Frames between looks."""

from __future__ import annotations

import numpy as np
from tests.tracking.scenes import Walker, found_at, tracked

from vidfit.tracking.filled import Filled
from vidfit.tracking.tracker import Tracker


def test_a_gap_is_filled_once_its_track_is_back_and_not_where_it_never_is():
    walker = Walker(50, 150, 20, lambda seconds: 0.9 * (not 1 <= seconds < 1.6 and seconds < 3))
    frames = tracked([walker], 4)
    gap = [box for frame in frames[10:16] for box in frame.boxes]
    assert [box.score for box in gap] == [None] * 6
    assert np.allclose(gap[2].edges, walker.edges(1.2))
    assert [len(frame.boxes) for frame in frames[30:]] == [0] * 10


def test_frames_come_in_order_once_each_and_no_track_twice_in_one():
    rng = np.random.default_rng(0)
    walkers = [
        Walker(float(rng.uniform(0, 600)), float(rng.uniform(100, 400)), float(rng.normal(0, 30)),
               lambda seconds, seed=i: 0.95 * (hash((seed, round(seconds, 3))) % 5 > 0))
        for i in range(12)
    ]  # fmt: skip
    frames = tracked(walkers, 12, 25, 2)
    assert [frame.index for frame in frames] == list(range(300))
    for frame in frames:
        tracks = [box.track for box in frame.boxes]
        assert len(set(tracks)) == len(tracks) and tracks == sorted(tracks)


def test_a_span_and_times_that_are_not_even():
    pts_seconds_F = np.array([0.0, 0.1, 0.4, 0.5, 0.9, 1.0])
    tracker, filled, walker = Tracker(), Filled(pts_seconds_F, ("person",), 1, 4), Walker(0, 90, 10)
    frames = []
    for index in (1, 4):
        now = float(pts_seconds_F[index])
        frames += filled.add(index, tracker.look(now, found_at([walker], now)))
    frames += filled.end()
    assert [frame.index for frame in frames] == [1, 2, 3, 4]
    assert all(np.allclose(f.boxes[0].edges, walker.edges(f.seconds)) for f in frames)


def test_waiting_frames_are_those_of_a_second():
    filled, tracker, most = Filled(np.arange(500) / 10, ("person",)), Tracker(), 0
    told = 0
    for index in range(500):
        now = index / 10
        walkers = [Walker(100, 100), Walker(900.0 * index, 100)]
        told += len(list(filled.add(index, tracker.look(now, found_at(walkers, 0.0)))))
        most = max(most, index + 1 - told)
    assert most <= 11

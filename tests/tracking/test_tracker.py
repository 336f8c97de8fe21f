"""What becomes of objects that cross, hide, are found badly, or come back."""

from __future__ import annotations

import numpy as np
import pytest
from tests.tracking.scenes import HEIGHT, Walker, found_at, numbers, of, tracked

from vidfit.tracking.tracker import FoundBoxes, Tracker


def hidden(start, end, score=0.0):
    return lambda seconds: score if start <= seconds < end else 0.9


def test_who_cross_keep_their_numbers():
    left, right = Walker(100, 200, 60), Walker(340, 212, -60)
    frames = tracked([left, right], 4)
    assert of(frames, left) == [1] and of(frames, right) == [2]
    assert numbers(frames) == [1, 2]


def test_who_comes_back_within_a_second_is_the_same_and_later_another():
    short, long = Walker(50, 150, 20, hidden(1, 1.8)), Walker(50, 400, 20, hidden(1, 2.5))
    frames = tracked([short, long], 4)
    assert of(frames, short) == [1]
    assert of(frames, long) == [2, 3]


def test_an_unsure_box_keeps_a_track_and_begins_none():
    faint, ghost = Walker(50, 150, 20, hidden(1, 3, 0.2)), Walker(300, 300, 0, lambda _: 0.4)
    frames = tracked([faint, ghost], 4)
    assert numbers(frames) == [1]
    assert all(len(frame.boxes) == 1 and frame.boxes[0].score for frame in frames)


def test_what_is_found_once_is_no_track_and_at_first_is():
    flash = Walker(50, 150, 0, lambda seconds: 0.9 * (1.0 <= seconds < 1.1))
    assert numbers(tracked([flash], 2)) == []
    assert numbers(tracked([Walker(50, 150)], 0.1)) == [1]


def test_no_track_goes_across_a_cut_or_to_another_class():
    still = Walker(50, 150)
    assert of(tracked([still], 3, cut=1.5), still) == [1, 2]
    person, dog = Walker(50, 150, 0, hidden(1, 9)), Walker(50, 150, 0, hidden(0, 1), label=1)
    frames = tracked([person, dog], 3)
    assert numbers(frames) == [1, 2]
    assert {(box.track, box.label) for f in frames for box in f.boxes} == {
        (1, "person"),
        (2, "dog"),
    }


@pytest.mark.parametrize(("rate", "every"), [(30, 1), (30, 3), (25, 2), (5, 1)])
def test_the_rate_does_not_change_the_tracks(rate, every):
    walkers = [Walker(60, 200, 30, hidden(1, 1.8)), Walker(300, 215, -30), Walker(500, 400, 10)]
    frames = tracked(walkers, 4, rate, every)
    assert [of(frames, walker) for walker in walkers] == [[1], [2], [3]]
    assert numbers(frames) == [1, 2, 3] and len(frames) == 4 * rate
    for frame in frames[: 4 * rate - every]:
        for box, walker in zip(frame.boxes, walkers, strict=True):
            assert np.allclose(box.edges, walker.edges(frame.seconds), atol=1e-6)


def test_the_order_of_boxes_does_not_matter(rng):
    def run(shuffle):
        tracker, noise, found = Tracker(), np.random.default_rng(1), []
        for step in range(30):
            walkers = [Walker(60 * i, 300, 20 - 5 * i) for i in range(8)]
            boxes = found_at(walkers, step / 10)
            edges = boxes.edges_M4 + noise.normal(0, 3, boxes.edges_M4.shape)
            order = rng.permutation(8) if shuffle and step else np.arange(8)
            look = tracker.look(
                step / 10, FoundBoxes(edges[order], boxes.scores_M, boxes.classes_M)
            )
            found.append(sorted(zip(look.tracks_M, map(tuple, look.boxes.edges_M4), strict=True)))
        return found

    assert run(False) == run(False) == run(True)


def test_frames_without_boxes_and_boxes_without_an_area():
    tracker, none = Tracker(), found_at([], 0)
    assert tracker.look(0.0, none).living == frozenset()
    flat = FoundBoxes(
        np.array([[5.0, 5, 5, 9], [np.nan, 0, 1, 1], [9, 0, 1, 5], [0, 0, 20, 40]]),
        np.full(4, 0.9), np.zeros(4, np.int64),
    )  # fmt: skip
    look = tracker.look(0.1, flat)
    assert look.boxes.edges_M4.tolist() == [[0, 0, 20, 40]]
    assert len(tracker.look(0.2, none).living) == 0  # it was not sure


def test_a_thousand_boxes_keep_their_numbers(rng):
    x, y = np.meshgrid(np.arange(40) * HEIGHT / 2, np.arange(25) * HEIGHT)
    walkers = [Walker(a, b, 5) for a, b in zip(x.ravel(), y.ravel(), strict=True)]
    tracker = Tracker()
    first = tracker.look(0.0, found_at(walkers, 0.0))
    later = [tracker.look(i / 10, found_at(walkers, i / 10)) for i in range(1, 4)]
    assert len(first.tracks_M) == 1000
    assert all(np.array_equal(look.tracks_M, first.tracks_M) for look in later)


def test_who_is_lost_for_good_is_forgotten():
    tracker = Tracker()
    for step in range(200):
        look = tracker.look(step / 10, found_at([Walker(90 * step, 100)], 0.0))
        assert len(look.living) <= 12

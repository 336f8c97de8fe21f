"""Every beginning is a fair sample of the whole."""

from __future__ import annotations

import numpy as np
import pytest

from vidfit.selection.order import first_size, in_two_parts, round_sizes, spread_order


def data(clips=120, classes=3, recordings=20, seed=0):
    rng = np.random.default_rng(seed)
    group_M = rng.integers(0, recordings, clips)
    return group_M % classes, [f"r{g}" for g in group_M]


def test_it_is_a_permutation_that_repeats_and_depends_on_the_seed():
    labels_M, groups = data()
    order = spread_order(labels_M, groups, seed=3)
    assert sorted(order) == list(range(120))
    np.testing.assert_array_equal(order, spread_order(labels_M, groups, seed=3))
    assert (order != spread_order(labels_M, groups, seed=4)).any()


@pytest.mark.parametrize("size", [6, 12, 18, 30])
def test_beginnings_hold_all_classes_alike(size):
    labels_M, groups = data()
    counts = np.bincount(labels_M[spread_order(labels_M, groups)[:size]], minlength=3)
    assert counts.max() - counts.min() <= 1


def test_a_second_clip_of_a_recording_waits_for_the_first_of_every_other():
    labels_M, groups = data()
    first = spread_order(labels_M, groups)[:18]  # 20 recordings, each of one class
    assert len({groups[i] for i in first}) == 18


def test_when_a_class_is_used_up_the_others_go_on():
    labels_M = np.array([0] * 10 + [1] * 2)
    order = spread_order(labels_M, [f"r{i}" for i in range(12)])
    assert sorted(labels_M[order[:4]]) == [0, 0, 1, 1]
    assert (labels_M[order[4:]] == 0).all()


@pytest.mark.parametrize(
    ("clips", "classes", "sizes"),
    [
        (10, 2, (10,)),
        (24, 2, (24,)),
        (60, 2, (24, 60)),
        (300, 2, (24, 72, 300)),
        (300, 8, (48, 144, 300)),
        (1000, 2, (24, 72, 216, 648, 1000)),
    ],
)
def test_rounds_grow_threefold_up_to_all_clips(clips, classes, sizes):
    assert round_sizes(clips, first_size(clips, classes)) == sizes


def test_the_first_half_shows_nothing_of_the_recordings_of_the_second():
    groups = [f"r{i // 6}" for i in range(120)]
    labels_M = np.arange(120) % 3
    order = in_two_parts(labels_M, groups)
    assert sorted(order) == list(range(120))
    first, second = ({groups[i] for i in rows} for rows in (order[:60], order[60:]))
    assert len(first) == len(second) == 10 and not first & second
    assert {labels_M[i] for i in order[:6]} == {0, 1, 2}


def test_recordings_that_do_not_hold_all_classes_twice_are_not_parted():
    groups = [f"r{i // 6}" for i in range(36)]
    labels_M = np.array([0] * 24 + [1] * 12)
    assert in_two_parts(labels_M, groups).tolist() == spread_order(labels_M, groups).tolist()

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidfit.contracts import Clip
from vidfit.errors import NotEnoughDataError
from vidfit.manifest import Manifest, grouped_folds, holdout, random_folds


@st.composite
def data(draw):
    """Labels and groups where each class has 3 to 8 recordings of 1 to 6 clips."""
    labels, groups = [], []
    for label in "abc"[: draw(st.integers(1, 3))]:
        for recording in range(draw(st.integers(3, 8))):
            size = draw(st.integers(1, 6))
            labels += [label] * size
            groups += [f"{label}{recording}"] * size
    order = draw(st.permutations(range(len(labels))))
    return [labels[i] for i in order], [groups[i] for i in order]


def sides(groups, test):
    return {g for g, t in zip(groups, test, strict=True) if t}, {
        g for g, t in zip(groups, test, strict=True) if not t
    }


@settings(max_examples=40, deadline=None)
@given(data=data(), seed=st.integers(0, 99))
def test_folds_never_cut_a_recording_and_train_on_every_class(data, seed):
    labels, groups = data
    fold_M = grouped_folds(labels, groups, folds=3, seed=seed)
    assert fold_M.dtype == np.int64
    assert set(fold_M) == {0, 1, 2}
    for fold in range(3):
        held, kept = sides(groups, fold_M == fold)
        assert not held & kept
        assert {label for label, f in zip(labels, fold_M, strict=True) if f != fold} == set(labels)
    np.testing.assert_array_equal(fold_M, grouped_folds(labels, groups, folds=3, seed=seed))


@settings(max_examples=40, deadline=None)
@given(data=data(), fraction=st.floats(0.1, 0.6), seed=st.integers(0, 99))
def test_holdout_never_cuts_a_recording_and_has_every_class_on_both_sides(data, fraction, seed):
    labels, groups = data
    clips = [
        Clip(f"/{i}.mp4", label=a, group=g) for i, (a, g) in enumerate(zip(*data, strict=True))
    ]
    split = holdout(Manifest(tuple(clips)), fraction, seed)
    test = [clip.split == "test" for clip in split.clips]
    held, kept = sides(groups, test)
    assert not held & kept
    assert [clip.path for clip in split.clips] == [clip.path for clip in clips]
    for side in (True, False):
        assert {a for a, t in zip(labels, test, strict=True) if t == side} == set(labels)


def test_folds_are_balanced_when_they_can_be():
    labels = [c for c in "ab" for _ in range(100)]
    groups = [f"{i // 5}" for i in range(200)]
    fold_M = grouped_folds(labels, groups, folds=5, seed=0)
    assert set(Counter(zip(labels, fold_M, strict=True)).values()) == {20}


def test_a_share_is_held_out_of_each_class():
    clips = [Clip(f"/{i}", label="ab"[i % 2], group=str(i // 4)) for i in range(400)]
    counts = Counter((c.label, c.split) for c in holdout(Manifest(tuple(clips)), 0.25, 3).clips)
    assert counts[("a", "test")] == counts[("b", "test")] == 50


def test_seeds_differ():
    labels, groups = ["a", "b"] * 50, [str(i) for i in range(100)]
    first, second = (grouped_folds(labels, groups, folds=5, seed=seed) for seed in (0, 1))
    assert (first != second).any()


def test_recordings_with_several_classes_are_spread():
    # Every class has two recordings only, each shared with the next class in a ring of four.
    labels, groups = list("abbccdda"), list("11223344")
    for seed in range(5):
        fold_M = grouped_folds(labels, groups, folds=2, seed=seed)
        assert all(fold_M[i] != fold_M[i + 1] for i in (1, 3, 5))
        assert fold_M[0] != fold_M[7]


def test_recordings_that_cannot_be_spread_fail():
    # A ring of three: two folds must have two neighbours, and the class that these share.
    labels, groups = list("abbcca"), list("112233")
    with pytest.raises(NotEnoughDataError, match="cannot be spread over 2 folds"):
        grouped_folds(labels, groups, folds=2, seed=0)


def test_fewer_recordings_than_folds_lower_the_folds():
    labels, groups = list("aaaabbb"), list("1234567")
    with pytest.warns(UserWarning, match="5 folds lowered to 3: class 'b'"):
        fold_M = grouped_folds(labels, groups, folds=5, seed=0)
    assert set(fold_M) == {0, 1, 2}


def test_a_class_of_one_recording_fails():
    labels, groups = list("aabb"), list("1233")
    with pytest.raises(NotEnoughDataError, match="'b': all clips come from one recording"):
        grouped_folds(labels, groups, folds=2, seed=0)


def test_a_class_of_one_recording_is_not_held_out():
    clips = [Clip(f"/{a}{g}", label=a, group=g) for a, g in ("a1", "a2", "b3", "b3", "b3")]
    for seed in range(5):
        split = holdout(Manifest(tuple(clips)), 0.5, seed).clips
        assert sorted(clip.split or "" for clip in split if clip.label == "a") == ["test", "train"]
        assert {clip.split for clip in split if clip.label == "b"} == {"train"}


def test_a_hold_out_that_would_be_empty_fails():
    clips = (Clip("/1", label="a", group="1"), Clip("/2", label="b", group="2"))
    with pytest.raises(NotEnoughDataError, match="No recording of 2 can be held out"):
        holdout(Manifest(clips), 0.5, 0)


def test_bad_arguments_fail():
    with pytest.raises(ValueError, match="at least 2"):
        grouped_folds(["a", "a"], ["1", "2"], folds=1, seed=0)
    with pytest.raises(ValueError, match="2 labels need as many groups; got 1"):
        grouped_folds(["a", "a"], ["1"], folds=2, seed=0)
    with pytest.raises(ValueError, match="fraction"):
        holdout(Manifest((Clip("/a"),)), 1.0, 0)
    with pytest.raises(NotEnoughDataError, match="no clips"):
        grouped_folds([], [], folds=2, seed=0)


@given(counts=st.lists(st.integers(2, 20), min_size=1, max_size=4), folds=st.integers(2, 6))
def test_random_folds_spread_each_class_evenly(counts, folds):
    labels = [str(k) for k, count in enumerate(counts) for _ in range(count)]
    fold_M = random_folds(labels, folds, 0)
    for k, count in enumerate(counts):
        sizes = np.bincount(fold_M[[a == str(k) for a in labels]], minlength=folds)
        assert sizes.sum() == count
        assert sizes.max() - sizes.min() <= 1


def test_random_folds_fail_for_a_single_clip():
    with pytest.raises(NotEnoughDataError, match="'b' has one clip"):
        random_folds(["a", "a", "b"], 2, 0)

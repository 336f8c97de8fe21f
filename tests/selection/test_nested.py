"""The claimed score is honest: what cannot be learned is not claimed."""

from __future__ import annotations

import numpy as np
import pytest

from vidfit.contracts import Cost
from vidfit.evaluate import merge_groups
from vidfit.metrics import share_interval
from vidfit.reported import NearDuplicate
from vidfit.selection import FUSION, SINGLE, Rows, Rule, Terms, hits, nested
from vidfit.study.folds import Folds

pytestmark = pytest.mark.slow

FOLDS = Folds(("no", "yes"))
METHODS = ("concat", "stack", "cascade")


def terms(vectors, methods=METHODS):
    return Terms(dict.fromkeys(vectors, Cost(0.01, 0.02)), methods, Rule(cheapest=False))


def score(vectors, labels_M, groups, folds=FOLDS, methods=METHODS):
    rows = Rows(vectors, labels_M, groups)
    by = terms(vectors, methods)
    found = nested(rows, folds.by_recording, by, inner_folds=folds.to_choose)
    return found, share_interval(hits(found.chosen_MK, labels_M), groups)


def noise(rng, clips, candidates, dim=4):
    return {
        f"candidate {i}": rng.normal(size=(clips, dim)).astype(np.float32)
        for i in range(candidates)
    }


def test_random_labels_score_at_chance_whatever_is_tried():
    """The best of 12 noise candidates looks good to whoever chose it, but is claimed at 50 %."""
    labels_M = np.arange(60) % 2
    groups = [f"r{i // 2 % 15}{labels_M[i]}" for i in range(60)]
    claimed, best = [], []
    for seed in range(10):
        vectors = noise(np.random.default_rng(seed), 60, 12)
        found, estimate = score(vectors, labels_M, groups, methods=("concat", "stack"))
        claimed.append(estimate.value)
        best.append(
            max(hits(answer_MK, labels_M).mean() for answer_MK in found.answers_MK.values())
        )
    # One claim spreads by about 0.09, the mean of ten by 0.03.
    assert abs(np.mean(claimed) - 0.5) < 3 * 0.03
    assert np.mean(best) > 0.6  # what choosing by the score itself would have claimed


def test_every_clip_is_answered_once_with_probabilities():
    rng = np.random.default_rng(1)
    labels_M = np.arange(40) % 2
    found, _ = score(noise(rng, 40, 2), labels_M, [f"r{i}" for i in range(40)])
    np.testing.assert_allclose(np.exp(found.chosen_MK).sum(axis=1), 1.0, atol=1e-5)
    assert len(found.chosen_by_fold) == 5
    fusions = {"concat-2", "stack-2", "cascade-2"}
    assert set(found.answers_MK) == {"candidate 0", "candidate 1", SINGLE, FUSION, *fusions}
    assert set(found.seconds_M) == {"candidate 0", "candidate 1", *fusions}
    assert (found.seconds_M["stack-2"] > found.seconds_M["candidate 0"]).all()


def test_a_signal_is_found_and_named():
    rng = np.random.default_rng(2)
    labels_M = np.arange(60) % 2
    vectors = noise(rng, 60, 3)
    vectors["candidate 1"] = vectors["candidate 1"] + 3 * labels_M[:, None].astype(np.float32)
    found, estimate = score(vectors, labels_M, [f"r{i}" for i in range(60)])
    assert estimate.value > 0.95
    assert set(found.chosen_by_fold) == {"candidate 1"}


@pytest.mark.parametrize("grouped", [True, False])
def test_copies_in_other_recordings_are_harmless_once_grouped(grouped):
    """Each clip of noise stands in two recordings: split apart, one answers the other."""
    rng = np.random.default_rng(3)
    labels_M = np.tile(rng.permutation(np.arange(50) % 2), 2)
    x_MD = np.tile(rng.normal(size=(50, 200)), (2, 1)).astype(np.float32)
    keys = [f"clip{i}" for i in range(100)]
    groups = [f"r{i}" for i in range(100)]
    if grouped:
        pairs = [NearDuplicate(keys[i], keys[i + 50], 0.0) for i in range(50)]
        groups = merge_groups(keys, groups, pairs)
    _, estimate = score({"only": x_MD}, labels_M, groups)
    if grouped:
        assert estimate.low <= 0.5 <= estimate.high
    else:
        assert estimate.low > 0.8


def test_labels_of_a_fold_have_no_part_in_its_answers():
    rng = np.random.default_rng(4)
    labels_M = np.arange(40) % 2
    vectors = noise(rng, 40, 2)
    fold_M = np.arange(40) // 2 % 4

    def fixed(labels, groups, seed):
        return np.array([int(group) for group in groups])

    groups = [str(fold) for fold in fold_M]
    first = nested(Rows(vectors, labels_M, groups), fixed, terms(vectors))
    other_M = np.where(fold_M == 3, 1 - labels_M, labels_M)
    second = nested(Rows(vectors, other_M, groups), fixed, terms(vectors))
    for name in (SINGLE, FUSION, "stack-2"):
        ours_MK, theirs_MK = first.answers_MK[name], second.answers_MK[name]
        np.testing.assert_array_equal(ours_MK[fold_M == 3], theirs_MK[fold_M == 3])
        assert np.abs(ours_MK[fold_M != 3] - theirs_MK[fold_M != 3]).max() > 1e-3


def knows(labels_M, classes, rng, noise):
    """Features that tell ``classes`` apart, and nothing of the others."""
    hot_MK = np.eye(4)[labels_M] * np.isin(np.arange(4), classes)
    return (hot_MK + noise * rng.normal(size=hot_MK.shape)).astype(np.float32)


def four_classes(clips=160, recordings=40):
    recording_M = np.arange(clips) % recordings
    return recording_M % 4, [f"r{g}" for g in recording_M], Folds(("a", "b", "c", "d"))


def test_members_that_know_different_things_have_a_proven_gain():
    rng = np.random.default_rng(5)
    labels_M, groups, folds = four_classes()
    vectors = {
        "first": knows(labels_M, (0, 1), rng, 0.3),
        "second": knows(labels_M, (2, 3), rng, 0.3),
    }
    found, estimate = score(vectors, labels_M, groups, folds)
    assert found.gain is not None and found.gain.proven
    assert found.gain.points.low > 0.1
    assert not {"first", "second"} & set(found.chosen_by_fold)
    assert estimate.value == hits(found.answers_MK[FUSION], labels_M).mean()


@pytest.mark.parametrize("seed", range(2))
def test_redundant_members_have_no_gain(seed):
    rng = np.random.default_rng(seed)
    labels_M, groups, folds = four_classes()
    base = knows(labels_M, (0, 1, 2, 3), rng, 0.6)
    vectors = {name: base + 0.01 * rng.normal(size=base.shape).astype(np.float32) for name in "abc"}
    found, estimate = score(vectors, labels_M, groups, folds)
    assert found.gain is not None and not found.gain.proven
    assert set(found.chosen_by_fold) <= {"a", "b", "c"}
    assert estimate.value == hits(found.answers_MK[SINGLE], labels_M).mean()


def test_one_candidate_has_no_gain_to_prove():
    rng = np.random.default_rng(6)
    labels_M = np.arange(40) % 2
    found, _ = score(noise(rng, 40, 1), labels_M, [f"r{i}" for i in range(40)])
    assert found.gain is None
    assert FUSION not in found.answers_MK
    assert set(found.chosen_by_fold) == {"candidate 0"}


def test_each_outer_fold_is_shown_with_what_it_left_out():
    rng = np.random.default_rng(7)
    labels_M = np.arange(40) % 2
    vectors, seen = noise(rng, 40, 2), []
    rows = Rows(vectors, labels_M, [f"r{i}" for i in range(40)])
    nested(rows, FOLDS.by_recording, terms(vectors), look=seen.append)
    assert np.sum([outer.test_M for outer in seen], axis=0).tolist() == [1] * 40
    for outer in seen:
        assert not set(outer.train.groups) & set(outer.test.groups)
        assert len(outer.inner_M) == len(outer.train.labels_M)

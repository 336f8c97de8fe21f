"""The claimed score is honest: what cannot be learned is not claimed."""

from __future__ import annotations

import numpy as np
import pytest

from vidfit.contracts import NearDuplicate
from vidfit.evaluate import merge_groups
from vidfit.jobs.folds import Folds
from vidfit.metrics import mean_interval
from vidfit.selection import nested
from vidfit.selection.compare import hits

FOLDS = Folds(("no", "yes"))


def score(vectors, labels_M, groups):
    found = nested((vectors, labels_M, groups), FOLDS.by_recording, inner_folds=FOLDS.to_choose)
    return found, mean_interval(hits(found.chosen_MK, labels_M), groups)


def noise(rng, clips, candidates, dim=4):
    return {
        f"candidate {i}": rng.normal(size=(clips, dim)).astype(np.float32)
        for i in range(candidates)
    }


def test_random_labels_score_at_chance_whatever_is_tried():
    """The best of 20 noise candidates looks good to whoever chose it, but is claimed at 50 %."""
    rng = np.random.default_rng(0)
    labels_M = np.arange(60) % 2
    groups = [f"r{i // 2 % 15}{labels_M[i]}" for i in range(60)]
    found, estimate = score(noise(rng, 60, 20), labels_M, groups)
    assert estimate.low <= 0.5 <= estimate.high
    best = max(hits(answers_MK, labels_M).mean() for answers_MK in found.answers_MK.values())
    assert best > estimate.value  # what choosing by the score itself would have claimed


def test_every_clip_is_answered_once_with_probabilities():
    rng = np.random.default_rng(1)
    labels_M = np.arange(40) % 2
    found, _ = score(noise(rng, 40, 2), labels_M, [f"r{i}" for i in range(40)])
    np.testing.assert_allclose(np.exp(found.chosen_MK).sum(axis=1), 1.0, atol=1e-5)
    assert len(found.chosen_by_fold) == 5
    assert set(found.answers_MK) == {"candidate 0", "candidate 1", "concat", "stack"}


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
    first = nested((vectors, labels_M, groups), fixed)
    other_M = np.where(fold_M == 3, 1 - labels_M, labels_M)
    second = nested((vectors, other_M, groups), fixed)
    np.testing.assert_array_equal(first.chosen_MK[fold_M == 3], second.chosen_MK[fold_M == 3])
    assert np.abs(first.chosen_MK[fold_M != 3] - second.chosen_MK[fold_M != 3]).max() > 1e-3

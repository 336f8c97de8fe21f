from __future__ import annotations

import numpy as np
import pytest
from tests.selection.scores.problems import folds, problem

from vidfit.errors import NotEnoughDataError
from vidfit.selection.scores import knn


def by_loop(x_MD, labels_M, folds_M, k):
    x_MD, hits = x_MD.astype(np.float64), 0
    for i in range(len(x_MD)):
        others = np.flatnonzero(folds_M != folds_M[i])
        z_MD = (x_MD - x_MD[others].mean(axis=0)) / x_MD[others].std(axis=0)
        unit_MD = z_MD / np.linalg.norm(z_MD, axis=1, keepdims=True)
        distance = 1 - unit_MD[others] @ unit_MD[i]
        votes = {}
        for j in np.argsort(distance)[:k]:
            label = labels_M[others[j]]
            votes[label] = votes.get(label, 0.0) + 1 / distance[j]
        hits += max(votes, key=votes.get) == labels_M[i]
    return hits / len(x_MD)


@pytest.mark.parametrize("k", [1, 5, 200])
@pytest.mark.parametrize(("clips", "dim", "classes"), [(60, 8, 3), (40, 120, 4)])
def test_equal_to_a_loop_over_clips(clips, dim, classes, k):
    x_MD, labels_M = problem(clips, dim, classes, signal=0.7)
    folds_M = folds(labels_M)
    # Exact: a count of hits.
    assert knn(x_MD, labels_M, folds_M, k=k) == by_loop(x_MD, labels_M, folds_M, k)


def test_a_huge_dimension_of_noise_does_not_decide():
    x_MD, labels_M = problem(80, 20, 2, signal=1.5)
    noisy_MD = x_MD.copy()
    noisy_MD[:, 0] = 1e4 * np.random.default_rng(0).normal(size=80)
    assert knn(noisy_MD, labels_M, folds(labels_M)) > 0.9


def test_a_copy_in_the_same_fold_is_no_neighbour():
    x_MD, labels_M = problem(60, 30, 2, signal=0.0)
    folds_M = folds(labels_M)
    twice = np.tile(x_MD, (2, 1)), np.tile(labels_M, 2)
    assert knn(*twice, np.tile(folds_M, 2)) < 0.7
    assert knn(*twice, np.repeat([0, 1], 60)) == 1.0  # apart, each answers the other


def test_features_that_are_all_alike_do_not_beat_the_largest_class():
    labels_M = np.arange(30) % 3
    assert knn(np.ones((30, 4)), labels_M, np.arange(30) // 3 % 5) <= 1 / 3 + 1e-9


def test_one_fold_is_refused():
    x_MD, labels_M = problem(20, 4, 2)
    with pytest.raises(NotEnoughDataError, match="at least 2 folds"):
        knn(x_MD, labels_M, np.zeros(20, int))


def test_no_neighbours_are_refused():
    x_MD, labels_M = problem(20, 4, 2)
    with pytest.raises(ValueError, match="k is 0"):
        knn(x_MD, labels_M, folds(labels_M), k=0)

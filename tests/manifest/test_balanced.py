"""Folds of recordings whose clips are in several strata."""

from __future__ import annotations

import numpy as np
import pytest

from vidfit.errors import NotEnoughDataError
from vidfit.manifest import balanced_folds


def test_no_recording_is_cut_and_rare_strata_are_spread(rng):
    group_M = rng.integers(0, 20, 300)
    strata_MX = rng.random((300, 3)) < [0.5, 0.2, 0.05]
    groups = [f"r{g}" for g in group_M]
    fold_M = balanced_folds(strata_MX, groups, folds=5, seed=0)
    assert sorted(set(fold_M)) == [0, 1, 2, 3, 4]
    assert all(len(set(fold_M[group_M == g])) == 1 for g in range(20))
    share_FX = np.array([strata_MX[fold_M == f].sum(axis=0) for f in range(5)])
    share_FX = share_FX / strata_MX.sum(axis=0)
    assert (share_FX > 0).all() and np.abs(share_FX[:, 0] - 0.2).max() < 0.06
    shuffled = [
        np.array([strata_MX[(group_M * 7 + s) % 5 == f].sum(axis=0) for f in range(5)])
        / strata_MX.sum(axis=0)
        for s in range(5)
    ]
    assert np.square(share_FX - 0.2).sum() < min(np.square(x - 0.2).sum() for x in shuffled)


def test_the_same_seed_deals_the_same_and_another_may_not(rng):
    strata_MX, groups = rng.random((60, 2)) < 0.5, [f"r{i // 3}" for i in range(60)]
    deals = [balanced_folds(strata_MX, groups, folds=4, seed=s).tolist() for s in (1, 1, 2)]
    assert deals[0] == deals[1] != deals[2]


def test_few_recordings_lower_the_folds_and_one_is_refused():
    strata_MX = np.array([[True], [False], [True]])
    fold_M = balanced_folds(strata_MX, ["a", "b", "c"], folds=5, seed=0)
    assert sorted(fold_M) == [0, 1, 2]
    with pytest.raises(NotEnoughDataError, match="one recording"):
        balanced_folds(strata_MX, ["a"] * 3, folds=5, seed=0)

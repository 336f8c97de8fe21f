"""Folds of whole recordings where a clip is in several strata: labels, or parts of a number.

Recordings are dealt one after the other, the largest first, each to the fold that needs its strata
most (after Sechidis, Tsoumakas and Vlahavas 2011, "On the stratification of multi-label data"), and
then moved while that makes the folds better (`vidfit.manifest.splits`).

Shape letters: M clips, X strata, G recordings, F folds.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Indices
from vidfit.errors import NotEnoughDataError
from vidfit.manifest.splits import GROUPS_IMPROVED, TRIALS, best_of


def balanced_folds(
    strata_MX: NDArray[np.bool_], groups: Sequence[str], *, folds: int, seed: int
) -> Indices:
    """Deal clips to folds so that strata are balanced and no recording is cut.

    Parameters
    ----------
    strata_MX
        Which strata each clip is in.
    groups
        One recording a clip [M].
    folds
        At least 2; lowered to the recordings that there are.
    seed
        The same seed gives the same folds.

    Returns
    -------
    numpy.ndarray
        The fold of each clip, int64 [M], in ``[0, folds)``.

    Raises
    ------
    NotEnoughDataError
        If all clips are of one recording.
    """
    counts_GX, group_M = counted_strata(strata_MX, groups)
    if len(counts_GX) < 2:
        raise NotEnoughDataError(
            "all clips come from one recording, so none could be tested on a recording not seen "
            "in training. Add clips of a second recording."
        )
    folds = min(folds, len(counts_GX))
    trials = TRIALS if len(counts_GX) <= GROUPS_IMPROVED else 1
    options = [_dealt(counts_GX, folds, seed + 7919 * trial) for trial in range(trials)]
    return best_of(options, counts_GX, folds)[group_M]


def counted_strata(strata_MX: NDArray[np.bool_], groups: Sequence[str]) -> tuple[Indices, Indices]:
    """Return clips per recording and stratum [G, X], and the number of each clip's recording [M].

    Strata without clips are left out; the last holds all clips, so that parts are of one size.
    """
    names, group_M = np.unique(np.asarray(groups, dtype=object), return_inverse=True)
    held_MX = np.column_stack([strata_MX[:, strata_MX.any(axis=0)], np.ones(len(groups), np.bool_)])
    counts_GX = np.zeros((len(names), held_MX.shape[1]), np.int64)
    np.add.at(counts_GX, group_M, held_MX)
    return counts_GX, group_M.astype(np.int64)


def _dealt(counts_GX: Indices, folds: int, seed: int) -> Indices:
    """Return the fold of each recording [G]."""
    random = np.random.default_rng(seed)
    share_GX = counts_GX / counts_GX.sum(axis=0)
    have_FX = np.zeros((folds, counts_GX.shape[1]))
    fold_G = np.zeros(len(counts_GX), np.int64)
    shuffled = random.permutation(len(counts_GX))
    for group in shuffled[np.argsort(-counts_GX[shuffled].sum(axis=1), kind="stable")]:
        # What is added to the sum of squares: the least where the fold has least of these strata.
        fold = int(np.argmin(have_FX @ share_GX[group]))
        fold_G[group] = fold
        have_FX[fold] += share_GX[group]
    return fold_G

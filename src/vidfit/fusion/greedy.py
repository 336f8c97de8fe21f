"""Ensemble selection: members are drawn one by one, each the one that helps most.

Caruana, Niculescu-Mizil, Crew and Ksikes (2004), Ensemble selection from libraries of models:
with replacement, started from the best members, averaged over bags. A bag is half of the clips
rather than half of the members: of two members, half would be one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Floats, Indices
from vidfit.fusion.average import fit_linear_pool, probability_of_label, without_small
from vidfit.fusion.member import Fitted, Training

_BAGS, _DRAWS = 20, 20


def fit_greedy(training: Training) -> Fitted:
    """Select from out-of-fold answers; members that are hardly drawn are left out."""
    return fit_linear_pool(training, draws)


def draws(answers_SMK: Floats, labels_M: Indices) -> Floats:
    """Return how often each member is drawn, over all bags, as shares [S]."""
    p_SM = probability_of_label(answers_SMK, labels_M)
    rng = np.random.default_rng(0)
    clips = p_SM.shape[1]
    weights_S = np.zeros(len(p_SM))
    for _ in range(_BAGS):
        bag = rng.choice(clips, max(clips // 2, 1), replace=False)
        counts_S = climb(p_SM[:, bag])
        weights_S += counts_S / counts_S.sum() / _BAGS
    return without_small(weights_S)


def climb(p_SM: NDArray[np.float64]) -> Indices:
    """Return how often each member is drawn for the lowest log-loss of the average.

    Parameters
    ----------
    p_SM
        The probability, above zero, that each member gave to the true class.
    """
    order = np.argsort(_losses(p_SM), kind="stable")
    best_of_N = np.cumsum(p_SM[order], axis=0) / np.arange(1, len(order) + 1)[:, None]
    first = int(np.argmin(_losses(best_of_N))) + 1
    counts_S = np.zeros(len(p_SM), np.int64)
    counts_S[order[:first]] = 1
    sum_M = p_SM[order[:first]].sum(axis=0)
    best_S, lowest = counts_S.copy(), _losses(sum_M[None] / first)[0]
    for drawn in range(first + 1, first + _DRAWS + 1):
        losses_S = _losses((sum_M + p_SM) / drawn)
        pick = int(np.argmin(losses_S))
        counts_S[pick] += 1
        sum_M = sum_M + p_SM[pick]
        if losses_S[pick] < lowest:
            best_S, lowest = counts_S.copy(), losses_S[pick]
    return best_S


def _losses(p_SM: NDArray[np.float64]) -> NDArray[np.float64]:
    losses_S: NDArray[np.float64] = -np.log(p_SM).mean(axis=1)
    return losses_S

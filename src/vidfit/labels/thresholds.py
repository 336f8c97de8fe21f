"""From which probability on a class is said, where a clip may have several.

For each class the threshold of the best F1 on held-out answers. The best lies at half of the F1
that it reaches (Lipton, Elkan and Naryanaswamy 2014, "Optimal thresholding of classifiers to
maximize F1 measure"), so that 0.5 is too high for rare classes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Floats, Indices
from vidfit.labels.kind import Doubles, Mask


def log_sigmoid(scores_MK: NDArray[np.floating]) -> Floats:
    """Return log-probabilities of classes that stand by themselves, from their log-odds."""
    result: Floats = -np.logaddexp(0.0, -scores_MK).astype(np.float32, copy=False)
    return result


def odds(answers_MK: NDArray[np.floating]) -> Doubles:
    """Return the log-odds of log-probabilities of classes that stand by themselves."""
    log_MK = np.minimum(np.asarray(answers_MK, np.float64), -1e-12)
    result: Doubles = log_MK - np.log(-np.expm1(log_MK))
    return result


def f1_thresholds(answers_MK: Floats, there_MK: Mask) -> Doubles:
    """Return by class the log-odds [K] above which it is said for the best F1.

    Even odds for a class that no clip has.
    """
    odds_MK = odds(answers_MK)
    each = [_best(odds_MK[:, k], there_MK[:, k]) for k in range(there_MK.shape[1])]
    return np.array(each, np.float64)


def _best(odds_M: Doubles, there_M: Mask) -> float:
    if not there_M.any():
        return 0.0
    order_M = np.argsort(-odds_M, kind="stable")
    sorted_M, found_M = odds_M[order_M], np.cumsum(there_M[order_M])
    said_M = np.arange(1, len(order_M) + 1)
    f1_M = 2 * found_M / (said_M + there_M.sum())
    # Equal odds are said together, or not at all.
    next_M = np.append(sorted_M[1:], sorted_M[-1] - 2.0)
    f1_M = np.where(next_M < sorted_M, f1_M, -1.0)
    best = int(np.argmax(f1_M))
    return float((sorted_M[best] + next_M[best]) / 2)


def shifted(answers_MK: Floats, thresholds_K: NDArray[np.floating]) -> Floats:
    """Return answers whose odds are even where a class begins to be said."""
    return log_sigmoid(odds(answers_MK) - thresholds_K)


def held_out_thresholds(answers_MK: Floats, there_MK: Mask, folds_M: Indices) -> Doubles:
    """Return for each clip the thresholds [M, K] that the answers to the other folds ask for."""
    found_MK = np.zeros(answers_MK.shape)
    for fold in np.unique(folds_M):
        others_M = folds_M != fold
        found_MK[~others_M] = f1_thresholds(answers_MK[others_M], there_MK[others_M])
    return found_MK

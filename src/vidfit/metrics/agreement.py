"""What the answers of models have in common: where they agree, err together, and could help.

Two models of the same accuracy are worth combining when they err on different clips. Figures
here are of answers to recordings that neither has learned from; on its own training clips a
model agrees with every other.

Shape letters: S models, M clips.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from vidfit.contracts import Floats


def kappa(answers_a_M: ArrayLike, answers_b_M: ArrayLike, classes: int) -> float:
    """Return Cohen's kappa (1960): agreement beyond what chance would give.

    ``(observed - expected) / (1 - expected)``, where ``expected`` is the agreement of two models
    that answer each class as often as these, but independently of the clip.

    Parameters
    ----------
    answers_a_M, answers_b_M
        Class numbers in ``[0, classes)``.
    classes
        How many classes there are.

    Returns
    -------
    float
        In [-1, 1]: 1 for the same answers, 0 for chance. Where both always give the same one
        class chance explains all, but the answers are the same: 1.

    Raises
    ------
    ValueError
        If there are no clips, or not as many answers of each.
    """
    a_M, b_M = _paired(answers_a_M, answers_b_M)
    observed = float((a_M == b_M).mean())
    share_a_K = np.bincount(a_M, minlength=classes) / len(a_M)
    share_b_K = np.bincount(b_M, minlength=classes) / len(b_M)
    expected = float(share_a_K @ share_b_K)
    return 1.0 if observed == 1.0 else (observed - expected) / (1.0 - expected)


def error_correlation(hits_a_M: ArrayLike, hits_b_M: ArrayLike) -> float:
    """Return Pearson's correlation of two models' errors (phi of the 2 x 2 table).

    Parameters
    ----------
    hits_a_M, hits_b_M
        1 where the answer is right, 0 where it is wrong.

    Returns
    -------
    float
        In [-1, 1]; NaN where one never errs or always errs.

    Raises
    ------
    ValueError
        If there are no clips, or not as many hits of each.
    """
    a_M, b_M = (np.asarray(hits, np.float64) for hits in _paired(hits_a_M, hits_b_M))
    a_M, b_M = a_M - a_M.mean(), b_M - b_M.mean()
    spread = math.sqrt(float((a_M @ a_M) * (b_M @ b_M)))
    return float(a_M @ b_M) / spread if spread > 0 else math.nan


def oracle_hits(hits_SM: ArrayLike) -> Floats:
    """Return 1 where at least one of the models is right, 0 elsewhere, [M].

    No choice between their answers can do better; a fusion of their probabilities can.

    Raises
    ------
    ValueError
        If there is no model.
    """
    hits = np.asarray(hits_SM, np.float32)
    if hits.ndim != 2 or len(hits) == 0:
        raise ValueError(f"hits of shape {hits.shape}; valid is [models, clips], one model or more")
    best_M: Floats = hits.max(axis=0)
    return best_M


def _paired(a: ArrayLike, b: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return both as arrays, which must be of the same clips."""
    a_M, b_M = np.asarray(a), np.asarray(b)
    if a_M.ndim != 1 or a_M.shape != b_M.shape or len(a_M) == 0:
        raise ValueError(
            f"values of shape {a_M.shape} and {b_M.shape}; valid is one value a clip of each, "
            "for the same clips"
        )
    return a_M, b_M

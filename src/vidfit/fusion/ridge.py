"""Ridge regression of a number on standardised vectors (Hoerl and Kennard 1970)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vidfit.fusion.descent import Numbers
from vidfit.fusion.regression import Weights


def ridge(
    x_MR: Numbers,
    value_M: NDArray[np.float64],
    penalty: float,
    tolerance: float = 0.0,
    *,
    start: Weights | None = None,
) -> Weights:
    """Return weights [1, R] and a bias [1] of the least penalised squared error.

    The target is standardised, so that a penalty means the same for numbers of any unit. It is
    solved in closed form: ``tolerance`` and ``start``, which other fits have, change nothing.

    Parameters
    ----------
    penalty
        Inverse strength of the L2 penalty: scikit-learn's ``alpha`` is one divided by it.
    """
    from scipy.linalg import solve

    mean, spread = float(value_M.mean()), float(value_M.std()) or 1.0
    middle_R = x_MR.mean(axis=0, dtype=np.float64)
    centred_MR = x_MR.astype(np.float64) - middle_R
    target_M = (value_M - mean) / spread
    square_RR = centred_MR.T @ centred_MR
    square_RR[np.diag_indices_from(square_RR)] += 1.0 / penalty
    weight_R = spread * solve(square_RR, centred_MR.T @ target_M, assume_a="pos")
    bias = mean - weight_R @ middle_R
    return weight_R[None].astype(x_MR.dtype), np.array([bias], x_MR.dtype)

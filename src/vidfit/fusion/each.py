"""Logistic regressions of several classes that stand by themselves (Bernoulli), in one fit.

The losses of the classes do not touch each other, so that the minimum is that of each class alone:
scikit-learn's ``LogisticRegression`` with the same ``C``. A class that all clips have, or none,
gets no weights and the log-odds of its smoothed share: a bias without a penalty would run away.

Shape letters: M clips, K classes, R inputs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vidfit.fusion.descent import Numbers, minimise
from vidfit.fusion.regression import Weights


def each_regression(
    x_MR: Numbers,
    there_MK: NDArray[np.bool_],
    penalty: float,
    tolerance: float,
    *,
    start: Weights | None = None,
) -> Weights:
    """Return weights [K, R] and biases [K] that make it most likely which classes are there.

    Parameters
    ----------
    there_MK
        Whether each class is there.
    penalty
        Inverse strength of the L2 penalty (scikit-learn's ``C``).
    start
        Weights and biases of the same classes.
    """
    clips, count_K = len(x_MR), there_MK.sum(axis=0)
    bias_K = np.log((count_K + 0.5) / (clips - count_K + 0.5))
    weight_KR = np.zeros((len(count_K), x_MR.shape[1]))
    open_K = np.flatnonzero((count_K > 0) & (count_K < clips))
    if len(open_K):
        first = (weight_KR[open_K], bias_K[open_K])
        if start is not None:
            first = (start[0][open_K].astype(np.float64), start[1][open_K].astype(np.float64))
        found = _minimised(x_MR, there_MK[:, open_K], 1.0 / (penalty * clips), tolerance, first)
        weight_KR[open_K], bias_K[open_K] = found[:, :-1], found[:, -1]
    return weight_KR.astype(x_MR.dtype), bias_K.astype(x_MR.dtype)


def _minimised(
    x_MR: Numbers,
    there_MK: NDArray[np.bool_],
    strength: float,
    tolerance: float,
    first: tuple[Numbers, Numbers],
) -> Numbers:
    """Return weights and biases [K, R + 1] of the least loss.

    In units of its own curvature, at most a quarter of the mean square, each is as easily moved.
    """
    design_MX = np.column_stack([x_MR, np.ones(len(x_MR), x_MR.dtype)]).astype(np.float64)
    unit_X = np.sqrt(np.einsum("mx,mx->x", design_MX, design_MX) / (4 * len(x_MR)) + strength)
    pull_X = np.append(np.full(x_MR.shape[1], strength), 0.0) / unit_X**2
    design_MX /= unit_X
    targets_MK = there_MK.astype(np.float64)

    def loss(flat: Numbers) -> tuple[float, Numbers]:
        weight_KX = flat.reshape(targets_MK.shape[1], -1)
        logits_MK = design_MX @ weight_KX.T
        pulled_KX = weight_KX * pull_X
        likely = np.logaddexp(0.0, logits_MK).sum() - np.vdot(targets_MK, logits_MK)
        value = float(likely) / len(design_MX) + 0.5 * float(np.vdot(weight_KX, pulled_KX))
        error_MK = 1.0 / (1.0 + np.exp(-logits_MK)) - targets_MK
        return value, (error_MK.T @ design_MX / len(design_MX) + pulled_KX).ravel()

    start_KX = np.column_stack(first) * unit_X
    found: Numbers = minimise(loss, start_KX.ravel(), tolerance).reshape(start_KX.shape) / unit_X
    return found

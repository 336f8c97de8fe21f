"""A linear softmax of cells whose labels are soft: shares of classes, each class with a weight.

Minimised by L-BFGS (Liu and Nocedal 1989) along axes in which the cells have unit variance, so
that few steps suffice. Shape letters: S cells, F numbers of a cell, X those and a one, C classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Floats

Doubles = NDArray[np.float64]

MOST_STEPS = 25
"""Of one fit: along these axes twenty change what is answered by as much as sixty."""


@dataclass(frozen=True)
class CellWeights:
    """Weights and biases of classes, of standardised numbers of a cell."""

    weight_FC: Floats
    bias_C: Floats

    def scores(self, x_SF: Floats) -> Floats:
        """Return the scores [S, C] of cells."""
        scores_SC: Floats = x_SF @ self.weight_FC + self.bias_C
        return scores_SC


def class_weights(shares_SC: Floats, power: float = 0.5) -> Floats:
    """Return a weight for each class: its share of the cells to minus a power; 0 if it has none."""
    total_C = shares_SC.sum(axis=0, dtype=np.float64)
    known = total_C > 0
    weight_C = np.zeros(len(total_C))
    weight_C[known] = (total_C[known] / total_C.sum()) ** -power
    return (weight_C / max(float((weight_C * total_C).sum() / total_C.sum()), 1e-12)).astype(
        np.float32
    )


_AT_ONCE = 8192
"""Cells that are weighed at a time: no copy of all is made."""


def fit_path(x_SX: Floats, targets_SC: Floats, penalties: Sequence[float]) -> list[CellWeights]:
    """Fit with each penalty, from the strongest on, each from where the one before ended.

    Parameters
    ----------
    x_SX
        Standardised numbers of cells, and a last column of ones.
    targets_SC
        Shares of classes times the weights of classes.
    penalties
        Of the squared weights, beside the mean loss of a cell; descending.
    """
    mass_S1 = targets_SC.sum(axis=1, keepdims=True)
    total = float(mass_S1.sum())
    gram_XX = np.zeros((x_SX.shape[1],) * 2)
    for s in range(0, len(x_SX), _AT_ONCE):
        some = slice(s, s + _AT_ONCE)
        gram_XX += (x_SX[some] * mass_S1[some]).T @ x_SX[some]
    gram_XX /= total
    found, start_XC = [], np.zeros((x_SX.shape[1], targets_SC.shape[1]))
    for penalty in penalties:
        start_XC = _minimised(x_SX, targets_SC, (gram_XX, total, penalty), start_XC)
        weight_XC = start_XC.astype(np.float32)
        found.append(CellWeights(weight_XC[:-1], weight_XC[-1]))
    return found


def _minimised(
    x_SX: Floats, targets_SC: Floats, terms: tuple[Doubles, float, float], start_XC: Doubles
) -> Doubles:
    from scipy.linalg import cholesky, solve_triangular
    from scipy.optimize import minimize

    gram_XX, total, penalty = terms
    strength_X = np.full(len(gram_XX), penalty)
    strength_X[-1] = 0.0
    axes_XX = cholesky(gram_XX + np.diag(strength_X + 1e-6), lower=True)
    mass_S1 = targets_SC.sum(axis=1, keepdims=True)
    shape = start_XC.shape

    def at(point: Doubles) -> tuple[float, Doubles]:
        weight_XC = solve_triangular(axes_XX.T, point.reshape(shape), lower=False)
        scores_SC = x_SX @ weight_XC.astype(np.float32)
        scores_SC -= scores_SC.max(axis=1, keepdims=True)
        exp_SC = np.exp(scores_SC)
        sum_S1 = exp_SC.sum(axis=1, keepdims=True)
        lost = float((mass_S1 * np.log(sum_S1)).sum(dtype=np.float64))
        lost -= float((targets_SC * scores_SC).sum(dtype=np.float64))
        error_SC = exp_SC * (mass_S1 / sum_S1) - targets_SC
        gradient_XC = (x_SX.T @ error_SC).astype(np.float64) / total
        gradient_XC += strength_X[:, None] * weight_XC
        value = lost / total + 0.5 * float((strength_X[:, None] * weight_XC**2).sum())
        return value, solve_triangular(axes_XX, gradient_XC, lower=True).ravel()

    first = (axes_XX.T @ start_XC).ravel()
    options = {"maxiter": MOST_STEPS, "ftol": 1e-5, "maxcor": 10}
    found = minimize(at, first, jac=True, method="L-BFGS-B", options=options)
    weight_XC: Doubles = solve_triangular(axes_XX.T, found.x.reshape(shape), lower=False)
    return weight_XC

"""A linear softmax of cells whose labels are soft: shares of classes, each class with a weight.

Minimised by L-BFGS (Liu and Nocedal 1989) along axes in which the cells have unit variance, so
that few steps suffice. Shape letters: S cells, F numbers of a cell, X those and a one, C classes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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


_AT_ONCE, _MEMORY, _HALVINGS, _LEAST_GAIN = 2048, 10, 12, 1e-5
"""Cells that are weighed at a time, whose numbers stay in the cache; steps that are remembered; how
often a step is halved; share of the loss that a step must gain."""


def fit_path(x_SX: Floats, targets_SC: Floats, penalties: Sequence[float]) -> list[CellWeights]:
    """Fit with each penalty, all at once: cells are read once for the steps of all.

    Parameters
    ----------
    x_SX
        Standardised numbers of cells, and a last column of ones.
    targets_SC
        Shares of classes times the weights of classes.
    penalties
        Of the squared weights, beside the mean loss of a cell.
    """
    loss = _CellLoss(x_SX, targets_SC, penalties)
    weight_PXC = loss.weights(_minimised(loss, loss.start)).astype(np.float32)
    return [CellWeights(weight_XC[:-1], weight_XC[-1]) for weight_XC in weight_PXC]


class _CellLoss:
    """The penalised loss by penalty, at points along the axes; P penalties."""

    def __init__(self, x_SX: Floats, targets_SC: Floats, penalties: Sequence[float]) -> None:
        from scipy.linalg import cholesky

        self.x_SX, self.target_C1S = x_SX, np.ascontiguousarray(targets_SC.T)[:, None]
        self.mass_S = targets_SC.sum(axis=1)
        self.total = float(self.mass_S.sum())
        gram_XX = np.zeros((x_SX.shape[1],) * 2)
        for some in self._blocks():
            gram_XX += (x_SX[some] * self.mass_S[some, None]).T @ x_SX[some]
        self.strength_PX = np.repeat(np.array(penalties)[:, None], x_SX.shape[1], axis=1)
        self.strength_PX[:, -1] = 0.0
        self.axes_PXX = [
            cholesky(gram_XX / self.total + np.diag(strength_X + 1e-6), lower=True)
            for strength_X in self.strength_PX
        ]

    @property
    def start(self) -> Doubles:
        return np.zeros((len(self.axes_PXX), self.x_SX.shape[1], len(self.target_C1S)))

    def weights(self, point_PXC: Doubles) -> Doubles:
        """Return the weights of points."""
        return self._solved(point_PXC, turned=True)

    def at(self, point_PXC: Doubles) -> tuple[Doubles, Doubles]:
        """Return the loss [P] and its gradient."""
        weight_PXC = self.weights(point_PXC)
        penalties, numbers, classes = weight_PXC.shape
        # Classes come first: along them what is read lies side by side.
        weight_QX = weight_PXC.transpose(2, 0, 1).reshape(-1, numbers).astype(np.float32)
        lost_P, gradient_QX = np.zeros(penalties), np.zeros(weight_QX.shape)
        for some in self._blocks():
            x_SX, mass_S, target_C1S = (
                self.x_SX[some],
                self.mass_S[some],
                self.target_C1S[..., some],
            )
            scores_CPS = (weight_QX @ x_SX.T).reshape(classes, penalties, -1)
            scores_CPS -= scores_CPS.max(axis=0)
            lost_P -= (target_C1S * scores_CPS).sum(axis=0).sum(axis=1, dtype=np.float64)
            np.exp(scores_CPS, out=scores_CPS)
            sum_PS = scores_CPS.sum(axis=0)
            lost_P += (mass_S * np.log(sum_PS)).sum(axis=1, dtype=np.float64)
            scores_CPS *= mass_S / sum_PS
            scores_CPS -= target_C1S
            gradient_QX += scores_CPS.reshape(-1, len(x_SX)) @ x_SX
        gradient_PXC = gradient_QX.reshape(classes, penalties, numbers).transpose(1, 2, 0)
        pull_PXC = self.strength_PX[..., None] * weight_PXC
        value_P = lost_P / self.total + 0.5 * (pull_PXC * weight_PXC).sum(axis=(1, 2))
        return value_P, self._solved(gradient_PXC / self.total + pull_PXC, turned=False)

    def _solved(self, right_PXC: Doubles, *, turned: bool) -> Doubles:
        from scipy.linalg import solve_triangular

        pairs = zip(self.axes_PXX, right_PXC, strict=True)
        return np.stack(
            [solve_triangular(axes, right, lower=True, trans=int(turned)) for axes, right in pairs]
        )

    def _blocks(self) -> Iterator[slice]:
        return (slice(s, s + _AT_ONCE) for s in range(0, len(self.x_SX), _AT_ONCE))


def _minimised(loss: _CellLoss, point_PXC: Doubles) -> Doubles:
    """Return where each loss is least: L-BFGS, a step of each at a time, halved until it gains."""
    value_P, slope_PXC = loss.at(point_PXC)
    known: list[list[tuple[Doubles, Doubles]]] = [[] for _ in value_P]
    open_P = np.ones(len(value_P), np.bool_)
    for _ in range(MOST_STEPS):
        step_PXC = np.stack([_step(*pair) for pair in zip(slope_PXC, known, strict=True)])
        promised_P = (step_PXC * slope_PXC).sum(axis=(1, 2))
        length_P = open_P.astype(np.float64)
        for _ in range(_HALVINGS):
            new_PXC = point_PXC + length_P[:, None, None] * step_PXC
            found_P, found_PXC = loss.at(new_PXC)
            short_P = open_P & (found_P > value_P + 1e-4 * length_P * promised_P)
            if not short_P.any():
                break
            length_P[short_P] /= 2
        open_P &= ~short_P
        for p in np.flatnonzero(open_P):
            known[p].append((new_PXC[p] - point_PXC[p], found_PXC[p] - slope_PXC[p]))
            del known[p][:-_MEMORY]
        gained_P = (value_P - found_P) / np.maximum(np.abs(value_P), 1e-12)
        point_PXC = np.where(open_P[:, None, None], new_PXC, point_PXC)
        slope_PXC = np.where(open_P[:, None, None], found_PXC, slope_PXC)
        value_P = np.where(open_P, found_P, value_P)
        open_P &= gained_P > _LEAST_GAIN
        if not open_P.any():
            break
    return point_PXC


def _step(slope_XC: Doubles, known: Sequence[tuple[Doubles, Doubles]]) -> Doubles:
    """Return the next step, by the last ones and how the slope changed along them.

    Before there are any: along these axes the curvature is at most a half (Boehning 1992).
    """
    step_XC, weights = -slope_XC, []
    for moved_XC, changed_XC in reversed(known):
        weight = float((moved_XC * step_XC).sum() / (moved_XC * changed_XC).sum())
        weights.append(weight)
        step_XC = step_XC - weight * changed_XC
    if known:
        moved_XC, changed_XC = known[-1]
        step_XC = step_XC * float((moved_XC * changed_XC).sum() / (changed_XC**2).sum())
    else:
        step_XC = 2.0 * step_XC
    for (moved_XC, changed_XC), weight in zip(known, reversed(weights), strict=True):
        back = float((changed_XC * step_XC).sum() / (moved_XC * changed_XC).sum())
        step_XC = step_XC + (weight - back) * moved_XC
    found: Doubles = step_XC
    return found

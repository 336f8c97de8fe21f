"""The weights of members whose answers are classes that stand by themselves, or a number.

As `vidfit.fusion.stack` for one class: a weight for each member that is not below zero, a bias for
each answer, and a pull to the plain average. Several classes are averaged by their log-odds,
numbers as they are.

Shape letters: S members, M clips, K answers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
Point = tuple[float, Doubles]


def pooled(
    scores_SMK: Doubles,
    truth: Any,  # noqa: ANN401
    weight_penalty: float,
    bias_penalty: float,
) -> tuple[Doubles, Doubles]:
    """Return weights [S] and biases [K] of the least penalised loss.

    Parameters
    ----------
    scores_SMK
        The members' log-odds of classes, or their numbers.
    truth
        Whether each class is there, [M, K], or the numbers, [M].
    """
    if truth.ndim == 2:
        return _minimised(scores_SMK, _bernoulli(truth), weight_penalty, bias_penalty)
    mean, spread = float(truth.mean()), float(truth.std()) or 1.0
    standard_SMK = (scores_SMK - mean) / spread
    error = _squared((truth - mean) / spread)
    weights_S, bias_K = _minimised(standard_SMK, error, weight_penalty, bias_penalty)
    return weights_S, bias_K * spread + mean * (1.0 - weights_S.sum())


def _bernoulli(there_MK: NDArray[np.bool_]) -> Callable[[Doubles], Point]:
    target_MK = there_MK.astype(np.float64)

    def at(score_MK: Doubles) -> Point:
        lost_MK = np.logaddexp(0.0, score_MK) - target_MK * score_MK
        error_MK = (1.0 / (1.0 + np.exp(-score_MK)) - target_MK) / target_MK.size
        return float(lost_MK.mean()), error_MK

    return at


def _squared(target_M: Doubles) -> Callable[[Doubles], Point]:
    def at(score_M1: Doubles) -> Point:
        error_M1 = score_M1 - target_M[:, None]
        return 0.5 * float((error_M1**2).mean()), error_M1 / len(target_M)

    return at


def _minimised(
    scores_SMK: Doubles,
    loss: Callable[[Doubles], Point],
    weight_penalty: float,
    bias_penalty: float,
) -> tuple[Doubles, Doubles]:
    from scipy.optimize import minimize

    count, _, classes = scores_SMK.shape
    centre = np.repeat([1.0 / count, 0.0], [count, classes])
    strength = np.repeat([weight_penalty, bias_penalty], [count, classes])

    def penalised(x: Doubles) -> Point:
        value, error_MK = loss(np.tensordot(x[:count], scores_SMK, axes=1) + x[count:])
        of_weights = np.tensordot(scores_SMK, error_MK, axes=([1, 2], [0, 1]))
        gradient = np.concatenate([of_weights, error_MK.sum(axis=0)])
        pull = x - centre
        return value + float(strength @ pull**2), gradient + 2 * strength * pull

    bounds = [(0.0, None)] * count + [(None, None)] * classes
    found: Doubles = minimize(penalised, centre, jac=True, bounds=bounds, method="L-BFGS-B").x
    return found[:count], found[count:]

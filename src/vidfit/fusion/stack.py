"""A weighted product of the members' answers: a learned linear average of log-odds.

The stacked answer is ``softmax(sum_s w_s log p_s + b)`` with one weight ``w_s >= 0`` a member
and one bias a class. Weights are not negative, after Breiman (1996), Stacked regressions: so
few and such bounded parameters can silence a useless member, but hardly overfit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Floats, Indices
from vidfit.fusion.answers import FLOOR, OverAnswers, fit_over_answers, probes_of
from vidfit.fusion.linear import log_softmax
from vidfit.fusion.member import Fitted, Training

_WEIGHT_PENALTY = 0.003
_BIAS_PENALTY = 0.1


@dataclass(frozen=True)
class LogPool:
    """The weight of each member, and a bias for each class."""

    weights_S: Floats
    bias_K: Floats

    def combine(self, answers_SMK: Floats) -> Floats:
        """Return the weighted product, normalised."""
        floored_SMK = np.maximum(answers_SMK, FLOOR)
        return log_softmax(np.tensordot(self.weights_S, floored_SMK, axes=1) + self.bias_K)

    def state(self) -> dict[str, Floats]:
        """Return weights and biases."""
        return {"weights_S": self.weights_S, "bias_K": self.bias_K}


def fit_stack(training: Training) -> Fitted:
    """Fit weights and biases on the members' out-of-fold answers."""
    return fit_over_answers(training, fit_log_pool)


def restore(state: Mapping[str, Floats]) -> OverAnswers:
    """Return the fusion whose ``state`` this is."""
    return OverAnswers(probes_of(state), LogPool(state["weights_S"], state["bias_K"]))


def fit_log_pool(answers_SMK: Floats, labels_M: Indices, folds_M: Indices) -> LogPool:
    """Minimise the log-loss plus a pull of the weights to the plain average."""
    from scipy.optimize import minimize

    floored_SMK = np.maximum(answers_SMK, FLOOR).astype(np.float64)
    count, clips, classes = floored_SMK.shape
    clips = max(clips, 1)  # of no clips, what two folds leave, the pull alone makes the average
    target_MK = np.eye(classes)[labels_M]

    def loss(x: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights_S, bias_K = x[:count], x[count:]
        log_p_MK = log_softmax(np.tensordot(weights_S, floored_SMK, axes=1) + bias_K)
        error_MK = (np.exp(log_p_MK) - target_MK) / clips
        pull_S = weights_S - 1.0 / count
        value = -(log_p_MK * target_MK).sum() / clips
        value += _WEIGHT_PENALTY * pull_S @ pull_S + _BIAS_PENALTY * bias_K @ bias_K
        gradient = np.concatenate(
            [
                np.tensordot(floored_SMK, error_MK, axes=2) + 2 * _WEIGHT_PENALTY * pull_S,
                error_MK.sum(axis=0) + 2 * _BIAS_PENALTY * bias_K,
            ]
        )
        return float(value), gradient

    start = np.concatenate([np.full(count, 1.0 / count), np.zeros(classes)])
    bounds = [(0.0, None)] * count + [(None, None)] * classes
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    return LogPool(found[:count].astype(np.float32), found[count:].astype(np.float32))

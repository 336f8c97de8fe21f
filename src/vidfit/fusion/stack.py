"""A weighted product of the members' answers: a learned linear average of log-odds.

The stacked answer is ``softmax(sum_s w_s log p_s + b)`` with one weight ``w_s >= 0`` a member
and one bias a class. Weights are not negative, after Breiman (1996), Stacked regressions: so
few and such bounded parameters can silence a useless member, but hardly overfit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Floats, Indices
from vidfit.fusion.answers import FLOOR, OverAnswers, fit_over_answers, probes_of
from vidfit.fusion.member import Fitted, Training
from vidfit.fusion.pooled import pooled
from vidfit.labels import ONE, Kind

_WEIGHT_PENALTY = 0.003
_BIAS_PENALTY = 0.1

_TOLERANCE = 1e-5
"""Largest entry of the gradient where the fit ends."""

_MOST_STEPS, _MOST_HALVINGS = 50, 20

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class LogPool:
    """The weight of each member, and a bias for each answer."""

    weights_S: Floats
    bias_K: Floats
    kind: Kind = ONE

    def combine(self, answers_SMK: Floats) -> Floats:
        """Return the weighted product, normalised; of numbers the weighted sum."""
        scores_SMK = self.kind.weighed(answers_SMK, FLOOR)
        return self.kind.linked(np.tensordot(self.weights_S, scores_SMK, axes=1) + self.bias_K)

    def state(self) -> dict[str, Floats]:
        """Return weights and biases."""
        return {"weights_S": self.weights_S, "bias_K": self.bias_K}


def fit_stack(training: Training) -> Fitted:
    """Fit weights and biases on the members' out-of-fold answers."""
    return fit_over_answers(training, partial(fit_log_pool, kind=training.kind))


def restore(state: Mapping[str, Floats], kind: Kind = ONE) -> OverAnswers:
    """Return the fusion whose ``state`` this is."""
    pool = LogPool(state["weights_S"], state["bias_K"], kind)
    return OverAnswers(probes_of(state, kind), pool)


def fit_log_pool(
    answers_SMK: Floats, labels_M: Indices, folds_M: Indices, *, kind: Kind = ONE
) -> LogPool:
    """Minimise the loss plus a pull of the weights to the plain average."""
    if kind.exclusive:
        return _newton(answers_SMK, labels_M)
    scores_SMK = kind.weighed(answers_SMK, FLOOR).astype(np.float64)
    weights_S, bias_K = pooled(scores_SMK, labels_M, _WEIGHT_PENALTY, _BIAS_PENALTY)
    return LogPool(weights_S.astype(np.float32), bias_K.astype(np.float32), kind)


def _newton(answers_SMK: Floats, labels_M: Indices) -> LogPool:
    """Fit a pool of answers of one class.

    By Newton's method, which takes five to ten passes over the answers; weights that would fall
    below zero are held there (projected Newton, Bertsekas 1982).
    """
    loss = _Loss(np.maximum(answers_SMK, FLOOR), labels_M)
    count, classes = loss.count, answers_SMK.shape[2]
    x = np.concatenate([np.full(count, 1.0 / count), np.zeros(classes)])
    value, gradient, p_MK = loss.at(x)
    for _ in range(_MOST_STEPS):
        free = np.ones(len(x), bool)
        free[:count] = (x[:count] > 0) | (gradient[:count] < 0)
        if np.abs(gradient[free]).max(initial=0.0) < _TOLERANCE:
            break
        step = np.zeros(len(x))
        step[free] = np.linalg.solve(loss.curvature(p_MK)[np.ix_(free, free)], -gradient[free])
        for length in 0.5 ** np.arange(_MOST_HALVINGS):
            tried = x + length * step
            tried[:count] = np.maximum(tried[:count], 0.0)
            found = loss.at(tried)
            if found[0] <= value + 1e-4 * gradient @ (tried - x) + 1e-6 * abs(value):
                break
        x, (value, gradient, p_MK) = tried, found
    return LogPool(x[:count].astype(np.float32), x[count:].astype(np.float32))


class _Loss:
    """The penalised log-loss of weights and biases [S + K] on clips.

    Answers stay in single precision, sums are in double.
    """

    def __init__(self, answers_SMK: Floats, labels_M: Indices) -> None:
        self.answers_SMK, self.labels_M = answers_SMK, labels_M
        self.count, clips, classes = answers_SMK.shape
        self.clips = max(clips, 1)  # of no clips, what two folds leave, the pull alone decides
        self.share_K = np.bincount(labels_M, minlength=classes) / self.clips
        given_SM = answers_SMK[:, np.arange(clips), labels_M]
        self.given_S = given_SM.sum(axis=1, dtype=np.float64) / self.clips
        self.strength = np.repeat([_WEIGHT_PENALTY, _BIAS_PENALTY], [self.count, classes])
        self.centre = np.repeat([1.0 / self.count, 0.0], [self.count, classes])

    def at(self, x: Doubles) -> tuple[float, Doubles, Floats]:
        """Return the value, the gradient, and the probabilities [M, K]."""
        weights_S, bias_K = np.split(x.astype(np.float32), [self.count])
        logits_MK = np.tensordot(weights_S, self.answers_SMK, axes=1) + bias_K
        logits_MK -= logits_MK.max(axis=1, keepdims=True)
        true_M = logits_MK[np.arange(len(self.labels_M)), self.labels_M]
        p_MK = np.exp(logits_MK, out=logits_MK)
        total_M1 = p_MK.sum(axis=1, keepdims=True)
        value = float(np.log(total_M1).sum(dtype=np.float64) - true_M.sum(dtype=np.float64))
        p_MK /= total_M1
        pull = x - self.centre
        expected_S = [float(np.vdot(p_MK, answer_MK)) for answer_MK in self.answers_SMK]
        gradient = np.concatenate(
            [
                np.array(expected_S) / self.clips - self.given_S,
                p_MK.sum(axis=0, dtype=np.float64) / self.clips - self.share_K,
            ]
        )
        gradient += 2 * self.strength * pull
        return value / self.clips + float(self.strength @ pull**2), gradient, p_MK

    def curvature(self, p_MK: Floats) -> Doubles:
        """Return the matrix of second derivatives [S + K, S + K]."""
        count = self.count
        weighed_SMK = self.answers_SMK * p_MK
        mean_SM = weighed_SMK.sum(axis=2)
        second = np.diag(2 * self.strength)
        both_SS = np.tensordot(weighed_SMK, self.answers_SMK, axes=([1, 2], [1, 2]))
        second[:count, :count] += (both_SS - mean_SM @ mean_SM.T) / self.clips
        across_SK = (weighed_SMK.sum(axis=1) - mean_SM @ p_MK) / self.clips
        second[:count, count:] += across_SK
        second[count:, :count] += across_SK.T
        second[count:, count:] += (np.diag(p_MK.sum(axis=0)) - p_MK.T @ p_MK) / self.clips
        return second

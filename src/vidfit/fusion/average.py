"""Averages of the members' probabilities (linear pool).

A linear pool believes whoever is sure; a logarithmic pool (`vidfit.fusion.stack`) lets each
member rule a class out (Genest and Zidek 1986, Combining probability distributions).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Floats, Indices
from vidfit.fusion.answers import FLOOR, OverAnswers, fit_over_answers, probes_of
from vidfit.fusion.linear import log_softmax
from vidfit.fusion.member import Fitted, Training

LEAST_WEIGHT = 0.02
"""A member of less weight is left out: it costs its full time and can hardly change an answer."""

_PRIOR_CLIPS = 1.0
"""The pull to the uniform average, as clips that each member is given beforehand."""

_STEPS, _TOLERANCE = 500, 1e-6


@dataclass(frozen=True)
class LinearPool:
    """Weights of the members, not negative, with sum 1."""

    weights_S: Floats

    def combine(self, answers_SMK: Floats) -> Floats:
        """Return the logarithm of the weighted average of probabilities, normalised."""
        asked_S = self.weights_S > 0
        answers_SMK = answers_SMK[asked_S].astype(np.float64)
        largest_MK = answers_SMK.max(axis=0)  # e^-1e4 is zero, but its logarithm is not infinite
        ratio_MK = np.tensordot(self.weights_S[asked_S], np.exp(answers_SMK - largest_MK), axes=1)
        return log_softmax(np.log(ratio_MK) + largest_MK).astype(np.float32)

    def state(self) -> dict[str, Floats]:
        """Return the weights."""
        return {"weights_S": self.weights_S}


def fit_average(training: Training) -> Fitted:
    """Average probabilities: nothing is learned from the labels."""
    return fit_linear_pool(training, lambda answers_SMK, _: _even(answers_SMK))


def fit_weighted(training: Training) -> Fitted:
    """Average probabilities with the weights that make the labels most likely."""
    return fit_linear_pool(training, mixture_weights)


def fit_linear_pool(training: Training, weigh: Callable[[Floats, Indices], Floats]) -> Fitted:
    """Weigh the members by their out-of-fold answers; those of weight zero are left out.

    Parameters
    ----------
    weigh
        Answers [S, M, K] and labels [M] -> weights [S], not negative, with sum 1.
    """

    def pool(answers_SMK: Floats, labels_M: Indices, _folds: Indices) -> LinearPool:
        return LinearPool(weigh(answers_SMK, labels_M))

    out_MK = fit_over_answers(training, pool).out_of_fold_MK
    weights_S = weigh(training.answers_SMK, training.labels_M)
    used = tuple(int(i) for i in np.flatnonzero(weights_S))
    probes = tuple(training.members[i].probe for i in used)
    return Fitted(OverAnswers(probes, LinearPool(weights_S[list(used)])), out_MK, used)


def restore(state: Mapping[str, Floats]) -> OverAnswers:
    """Return the fusion whose ``state`` this is."""
    return OverAnswers(probes_of(state), LinearPool(state["weights_S"]))


def mixture_weights(answers_SMK: Floats, labels_M: Indices) -> Floats:
    """Return the most likely weights of a mixture of the members.

    Expectation maximisation (Dempster, Laird and Rubin 1977): the share of member s in clip m is
    ``r_sm = w_s p_sm / sum_t w_t p_tm`` with ``p_sm`` its probability of the true class; the
    weight is its mean share, with a Dirichlet prior that pulls to the uniform average.
    """
    p_SM = probability_of_label(answers_SMK, labels_M)
    weights_S = np.full(len(p_SM), 1.0 / len(p_SM))
    for _ in range(_STEPS):
        shares_SM = weights_S[:, None] * p_SM
        shares_S = (shares_SM / shares_SM.sum(axis=0)).sum(axis=1) + _PRIOR_CLIPS
        last_S, weights_S = weights_S, shares_S / shares_S.sum()
        if np.abs(weights_S - last_S).max() < _TOLERANCE:
            break
    return without_small(weights_S)


def probability_of_label(answers_SMK: Floats, labels_M: Indices) -> NDArray[np.float64]:
    """Return the probability [S, M] that each member gave to the true class, at least e^-8."""
    log_p_SM = answers_SMK[:, np.arange(len(labels_M)), labels_M].astype(np.float64)
    p_SM: NDArray[np.float64] = np.exp(np.maximum(log_p_SM, FLOOR))
    return p_SM


def without_small(weights_S: NDArray[np.float64]) -> Floats:
    """Return weights of sum 1 in which those below `LEAST_WEIGHT` are zero."""
    kept_S = np.where(weights_S >= min(LEAST_WEIGHT, weights_S.max()), weights_S, 0.0)
    kept_S /= kept_S.sum()
    return kept_S.astype(np.float32)


def _even(answers_SMK: Floats) -> Floats:
    return np.full(len(answers_SMK), 1.0 / len(answers_SMK), np.float32)

"""Out-of-fold stacking: a weighted product of the members' answers.

The stacked answer is ``softmax(sum_m w_m log p_m + b)`` with one weight ``w_m >= 0`` a
member and one bias a class, fitted on answers that each member gave to clips of recordings
it was not fitted on: in-sample answers would teach it to trust the member that overfits
most (Wolpert 1992). Weights are not negative, after Breiman (1996), Stacked regressions: so
few and such bounded parameters can silence a useless member, but hardly overfit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Floats, Indices
from vidfit.fusion.linear import Linear, log_softmax

_FLOOR = -8.0
_WEIGHT_PENALTY = 0.003
_BIAS_PENALTY = 0.1


@dataclass(frozen=True)
class Stack:
    """Fitted members, the weight of each, and a bias for each class."""

    members: tuple[Linear, ...]
    weights: Floats
    bias_K: Floats

    def log_probabilities(self, blocks: Sequence[Floats]) -> Floats:
        """Return log-probabilities [M, K] of vectors [M, D_i] of each member."""
        answers = [
            member.log_probabilities([block])
            for member, block in zip(self.members, blocks, strict=True)
        ]
        return _pool(answers, self.weights, self.bias_K)

    def novelty(self, blocks: Sequence[Floats]) -> Floats:
        """Return the mean of the members' novelty, [M]."""
        each = [member.novelty([block]) for member, block in zip(self.members, blocks, strict=True)]
        result: Floats = np.mean(each, axis=0)
        return result

    def state(self) -> dict[str, Floats]:
        """Return the arrays that ``restore`` needs."""
        arrays = {"weights": self.weights, "bias_K": self.bias_K}
        for i, member in enumerate(self.members):
            arrays |= {f"member{i}.{name}": array for name, array in member.state().items()}
        return arrays


def fit_stack(
    members: Sequence[Linear],
    out_of_fold_answers: Sequence[Floats],
    labels_M: Indices,
    folds_M: Indices,
) -> tuple[Stack, Floats]:
    """Fit the weights on the members' out-of-fold log-probabilities [M, K].

    Returns
    -------
    tuple
        The fitted stack and its own out-of-fold log-probabilities [M, K].
    """
    out_MK = np.empty_like(out_of_fold_answers[0])
    for fold in np.unique(folds_M):
        train, test = folds_M != fold, folds_M == fold
        weights, bias_K = _fit([answer[train] for answer in out_of_fold_answers], labels_M[train])
        out_MK[test] = _pool([answer[test] for answer in out_of_fold_answers], weights, bias_K)
    weights, bias_K = _fit(out_of_fold_answers, labels_M)
    return Stack(tuple(members), weights, bias_K), out_MK


def restore(state: Mapping[str, Floats]) -> Stack:
    """Return the stack whose ``state`` this is."""
    weights = state["weights"]
    members = [
        Linear(**{name: state[f"member{i}.{name}"] for name in Linear.__dataclass_fields__})
        for i in range(len(weights))
    ]
    return Stack(tuple(members), weights, state["bias_K"])


def _pool(answers: Sequence[Floats], weights: Floats, bias_K: Floats) -> Floats:
    """Weigh log-probabilities, each cut at e^-8 so that no single sure error rules."""
    return log_softmax(np.tensordot(weights, np.maximum(answers, _FLOOR), axes=1) + bias_K)


def _fit(answers: Sequence[Floats], labels_M: Indices) -> tuple[Floats, Floats]:
    """Minimise the log-loss plus a pull of the weights to the plain average."""
    from scipy.optimize import minimize

    answers_SMK = np.maximum(answers, _FLOOR).astype(np.float64)
    count, clips, classes = answers_SMK.shape
    target_MK = np.eye(classes)[labels_M]

    def loss(x: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights, bias_K = x[:count], x[count:]
        log_p_MK = log_softmax(np.tensordot(weights, answers_SMK, axes=1) + bias_K)
        error_MK = (np.exp(log_p_MK) - target_MK) / clips
        pull = weights - 1.0 / count
        value = -(log_p_MK * target_MK).sum() / clips
        value += _WEIGHT_PENALTY * pull @ pull + _BIAS_PENALTY * bias_K @ bias_K
        gradient = np.concatenate(
            [
                np.tensordot(answers_SMK, error_MK, axes=2) + 2 * _WEIGHT_PENALTY * pull,
                error_MK.sum(axis=0) + 2 * _BIAS_PENALTY * bias_K,
            ]
        )
        return float(value), gradient

    start = np.concatenate([np.full(count, 1.0 / count), np.zeros(classes)])
    bounds = [(0.0, None)] * count + [(None, None)] * classes
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    return found[:count].astype(np.float32), found[count:].astype(np.float32)

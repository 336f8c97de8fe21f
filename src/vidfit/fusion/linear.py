"""Standardise, scale by block, concatenate, and fit a multinomial logistic regression.

With one member this is the linear probe; with several it is fusion by concatenation. Each
block is divided by the square root of its width, so that a wide member does not drown a
narrow one and the strength of the penalty means the same for every width.

With fewer clips than dimensions the fit runs in the span of the clips: the minimiser of an
L2-penalised loss lies there (representer theorem), and a 300-clip problem has 300 unknowns
instead of thousands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Floats, Indices

PENALTIES = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
"""Inverse strengths of the L2 penalty that are tried (scikit-learn's ``C``)."""


@dataclass(frozen=True)
class Linear:
    """A fitted probe: means and scales of the features, weights and biases of the classes."""

    mean_D: Floats
    scale_D: Floats
    weight_KD: Floats
    bias_K: Floats

    def log_probabilities(self, blocks: Sequence[Floats]) -> Floats:
        """Return log-probabilities [M, K] of vectors [M, D_i] of each member."""
        x_MD = (np.concatenate(blocks, axis=1) - self.mean_D) * self.scale_D
        return log_softmax(x_MD @ self.weight_KD.T + self.bias_K)

    def novelty(self, blocks: Sequence[Floats]) -> Floats:
        """Return the mean squared standard score [M] of the clips' features."""
        x_MD = (np.concatenate(blocks, axis=1) - self.mean_D) * self.scale_D
        result: Floats = (x_MD**2).sum(axis=1) / len(blocks)
        return result

    def state(self) -> dict[str, Floats]:
        """Return the arrays that ``Linear(**state)`` needs."""
        return {
            "mean_D": self.mean_D,
            "scale_D": self.scale_D,
            "weight_KD": self.weight_KD,
            "bias_K": self.bias_K,
        }


def fit_linear(
    blocks: Sequence[Floats], labels_M: Indices, penalties: Sequence[float] = PENALTIES
) -> Iterator[Linear]:
    """Yield one fitted probe for each penalty, in the order given.

    Parameters
    ----------
    blocks
        Vectors [M, D_i] of each member.
    labels_M
        Class numbers 0..K-1; classes without a clip get no probability.
    penalties
        Inverse penalty strengths, ascending: each fit starts from the last.
    """
    from sklearn.linear_model import LogisticRegression

    mean_D, scale_D = _standardise(blocks)
    x_MD = (np.concatenate(blocks, axis=1) - mean_D) * scale_D
    coordinates_MR, basis_RD = _span(x_MD)
    regression = LogisticRegression(max_iter=2000, tol=1e-5, warm_start=True)
    for penalty in penalties:
        regression.set_params(C=penalty)
        regression.fit(coordinates_MR, labels_M)
        weight_KD, bias_K = _all_classes(
            regression.classes_, regression.coef_ @ basis_RD, regression.intercept_
        )
        yield Linear(mean_D, scale_D, weight_KD, bias_K)


def out_of_fold(
    blocks: Sequence[Floats],
    labels_M: Indices,
    folds_M: Indices,
    penalties: Sequence[float] = PENALTIES,
) -> tuple[float, Floats]:
    """Choose the penalty by cross-validation.

    Returns
    -------
    tuple
        The penalty with the lowest out-of-fold log-loss, and the out-of-fold
        log-probabilities [M, K] with it.
    """
    classes = int(labels_M.max()) + 1
    out_PMK = np.full((len(penalties), len(labels_M), classes), -20.0, np.float32)
    for fold in np.unique(folds_M):
        train, test = folds_M != fold, folds_M == fold
        test_blocks = [block[test] for block in blocks]
        fits = fit_linear([block[train] for block in blocks], labels_M[train], penalties)
        for p, fitted in enumerate(fits):
            answer_MK = fitted.log_probabilities(test_blocks)
            out_PMK[p, test, : answer_MK.shape[1]] = answer_MK
    losses = [log_loss(out_MK, labels_M) for out_MK in out_PMK]
    best = int(np.argmin(losses))
    return penalties[best], out_PMK[best]


def log_loss(log_probabilities_MK: Floats, labels_M: Indices) -> float:
    """Return the mean negative log-probability of the true class, each at most 20 nats."""
    of_label_M = log_probabilities_MK[np.arange(len(labels_M)), labels_M]
    return float(-np.clip(of_label_M, -20.0, None).mean())


def log_softmax(logits_MK: NDArray[np.floating]) -> Floats:
    """Return log-probabilities of logits, stable for large values."""
    shifted = logits_MK - logits_MK.max(axis=1, keepdims=True)
    result: Floats = (shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))).astype(
        np.float32
    )
    return result


def restore(state: Mapping[str, Floats]) -> Linear:
    """Return the probe whose ``state`` this is."""
    return Linear(**state)


def _standardise(blocks: Sequence[Floats]) -> tuple[Floats, Floats]:
    """Return mean and inverse scale [D]: unit variance, divided by the root of the width."""
    scales = []
    for block in blocks:
        deviation = block.std(axis=0)
        # A feature that never changes in training says nothing and must not explode later.
        alive = deviation > 1e-6 * (np.abs(block).max(initial=0.0) + 1e-12)
        width = max(int(alive.sum()), 1)
        scales.append(np.where(alive, 1.0 / np.where(alive, deviation, 1.0), 0.0) / np.sqrt(width))
    means = [block.mean(axis=0) for block in blocks]
    return np.concatenate(means).astype(np.float32), np.concatenate(scales).astype(np.float32)


def _span(x_MD: Floats) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return coordinates [M, R] and an orthonormal basis [R, D] of the rows' span."""
    x = x_MD.astype(np.float64)
    if x.shape[0] >= x.shape[1]:
        return x, np.eye(x.shape[1])
    values, vectors = np.linalg.eigh(x @ x.T)
    keep = values > values[-1] * 1e-9
    singular = np.sqrt(values[keep])
    coordinates_MR = vectors[:, keep] * singular
    return coordinates_MR, (vectors[:, keep] / singular).T @ x


def _all_classes(
    present: Indices, coef: NDArray[np.float64], intercept: NDArray[np.float64]
) -> tuple[Floats, Floats]:
    """Return weights and biases with a row for each class number up to the last present."""
    if len(present) == 2:  # scikit-learn gives one row: the log-odds of the second class
        coef = np.concatenate([np.zeros_like(coef), coef])
        intercept = np.concatenate([np.zeros_like(intercept), intercept])
    classes = int(present.max()) + 1
    weight_KD = np.zeros((classes, coef.shape[1]), np.float32)
    bias_K = np.full(classes, -1e4, np.float32)  # a class without a clip is never answered
    weight_KD[present], bias_K[present] = coef, intercept
    return weight_KD, bias_K

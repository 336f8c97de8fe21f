"""Standardise, scale by block, concatenate, and fit a multinomial logistic regression.

With one member this is the linear probe; with several it is fusion by concatenation. Each
block is divided by the square root of its width, so that a wide member does not drown a
narrow one and the strength of the penalty means the same for every width.

The fit runs in the span of the clips: the minimiser of an L2-penalised loss lies there
(representer theorem), and a 300-clip problem has 300 unknowns instead of thousands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Floats, Indices
from vidfit.fusion.regression import TO_CHOOSE, TO_KEEP, regressions

PENALTIES = (0.5, 3.0, 20.0, 100.0)
"""Inverse strengths of the L2 penalty that are tried (scikit-learn's ``C``)."""

_MOST_AXES = 2048
"""Finding so many principal axes takes about two seconds; the time grows with the cube."""


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


def fit_linear(blocks: Sequence[Floats], labels_M: Indices, penalty: float) -> Linear:
    """Fit a probe.

    Parameters
    ----------
    blocks
        Vectors [M, D_i] of each member.
    labels_M
        Class numbers 0..K-1; classes without a clip get no probability.
    penalty
        Inverse strength of the L2 penalty.
    """
    span = Span.of(blocks)
    ((weight_KR, bias_K),) = regressions(span.coordinates_MR, labels_M, [penalty], TO_KEEP)
    return span.probe(weight_KR, bias_K)


def cross_fit(
    blocks: Sequence[Floats],
    labels_M: Indices,
    folds_M: Indices,
    penalties: Sequence[float] = PENALTIES,
) -> tuple[Linear, Floats]:
    """Choose the penalty by cross-validation and fit a probe with it.

    Only means and scales of the features are shared between the folds; they know no label.

    Returns
    -------
    tuple
        The probe, and log-probabilities [M, K] of each clip by a fit without its fold, with
        the penalty of the lowest out-of-fold log-loss.
    """
    span = Span.of(blocks)
    best = penalties[0] if len(penalties) == 1 else _best(span, labels_M, folds_M, penalties)
    ((weight_KR, bias_K),) = regressions(span.coordinates_MR, labels_M, [best], TO_KEEP)
    (out_MK,) = _out_of_fold(span, labels_M, folds_M, [best], TO_KEEP)
    return span.probe(weight_KR, bias_K), out_MK


def _best(span: Span, labels_M: Indices, folds_M: Indices, penalties: Sequence[float]) -> float:
    """Return the penalty of the lowest out-of-fold log-loss."""
    out_PMK = _out_of_fold(span, labels_M, folds_M, penalties, TO_CHOOSE)
    return penalties[int(np.argmin([log_loss(out_MK, labels_M) for out_MK in out_PMK]))]


def _out_of_fold(
    span: Span, labels_M: Indices, folds_M: Indices, penalties: Sequence[float], tolerance: float
) -> Floats:
    """Return log-probabilities [P, M, K] of each clip by fits without its fold."""
    classes = int(labels_M.max()) + 1
    out_PMK = np.full((len(penalties), len(labels_M), classes), -20.0, np.float32)
    for fold in np.unique(folds_M):
        train, test = folds_M != fold, folds_M == fold
        fits = regressions(span.coordinates_MR[train], labels_M[train], penalties, tolerance)
        for p, (weight_KR, bias_K) in enumerate(fits):
            answer_MK = log_softmax(span.coordinates_MR[test] @ weight_KR.T + bias_K)
            out_PMK[p, test, : answer_MK.shape[1]] = answer_MK
    return out_PMK


def held_out_novelty(blocks: Sequence[Floats], folds_M: Indices) -> Floats:
    """Return the novelty [M] of each clip to the clips of the other folds.

    Means and scales that were fitted on a clip make it look familiar: of 60 surveillance clips
    seen by EfficientNet-Lite0, the largest novelty is 1.8 in training and 5.3 held out.
    """
    novelty_M = np.zeros(len(folds_M), np.float32)
    for fold in np.unique(folds_M):
        train, test = folds_M != fold, folds_M == fold
        for block in blocks:
            standard = (block[test] - block[train].mean(axis=0)) * _scale(block[train])
            novelty_M[test] += (standard**2).sum(axis=1) / len(blocks)
    return novelty_M


def log_loss(log_probabilities_MK: Floats, labels_M: Indices) -> float:
    """Return the mean negative log-probability of the true class, each at most 20 nats."""
    of_label_M = log_probabilities_MK[np.arange(len(labels_M)), labels_M]
    return float(-np.clip(of_label_M, -20.0, None).mean())


def log_softmax(logits_MK: NDArray[np.floating]) -> Floats:
    """Return log-probabilities of logits, stable for large values."""
    shifted = logits_MK - logits_MK.max(axis=1, keepdims=True)
    log_MK: Floats = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return log_MK.astype(np.float32, copy=False)


def restore(state: Mapping[str, Floats]) -> Linear:
    """Return the probe whose ``state`` this is."""
    return Linear(**state)


@dataclass(frozen=True)
class Span:
    """Standardised clips as coordinates [M, R] along the principal axes [R, D] of their span.

    Along them the regression's directions hardly disturb one another, which saves it most of its
    steps (`vidfit.fusion.regression`). ``basis_RD`` is ``None`` where finding the axes would take
    longer than that: the coordinates are the features.
    """

    mean_D: Floats
    scale_D: Floats
    coordinates_MR: NDArray[np.float64]
    basis_RD: NDArray[np.float64] | None

    @classmethod
    def of(cls, blocks: Sequence[Floats]) -> Span:
        """Standardise and scale vectors [M, D_i] of each member, and find their span."""
        mean_D = np.concatenate([block.mean(axis=0) for block in blocks])
        scale_D = np.concatenate([_scale(block) for block in blocks])
        x_MD = ((np.concatenate(blocks, axis=1) - mean_D) * scale_D).astype(np.float64)
        clips, dim = x_MD.shape
        if min(clips, dim) > _MOST_AXES:
            return cls(mean_D, scale_D, x_MD, None)
        values, vectors = np.linalg.eigh(x_MD @ x_MD.T if clips < dim else x_MD.T @ x_MD)
        keep = values > max(values[-1] * 1e-9, 1e-12)
        if not keep.any():  # all clips are alike: there is no span
            return cls(mean_D, scale_D, x_MD, None)
        axes = vectors[:, keep]
        basis_RD = (axes / np.sqrt(values[keep])).T @ x_MD if clips < dim else axes.T
        return cls(mean_D, scale_D, x_MD @ basis_RD.T, basis_RD)

    def probe(self, weight_KR: NDArray[np.float64], bias_K: NDArray[np.float64]) -> Linear:
        """Return the probe of vectors that weights of the coordinates amount to."""
        weight_KD = weight_KR if self.basis_RD is None else weight_KR @ self.basis_RD
        return Linear(
            self.mean_D, self.scale_D, weight_KD.astype(np.float32), bias_K.astype(np.float32)
        )


def _scale(block: Floats) -> Floats:
    """Return inverse scales [D]: to unit variance, divided by the root of the width."""
    deviation = block.std(axis=0)
    # A feature that never changes in training says nothing and must not explode later.
    alive = deviation > 1e-6 * (np.abs(block).max(initial=0.0) + 1e-12)
    width = max(int(alive.sum()), 1)
    inverse = np.where(alive, 1.0 / np.where(alive, deviation, 1.0), 0.0)
    result: Floats = (inverse / np.sqrt(width)).astype(np.float32)
    return result

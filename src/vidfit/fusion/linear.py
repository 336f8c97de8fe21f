"""A linear probe on standardised vectors of one or several members.

Of one class it is a multinomial logistic regression, of several classes a logistic regression of
each, of a number a ridge regression (`vidfit.labels`).

With one member this is the linear probe; with several it is fusion by concatenation. The fit runs
along the principal axes of the clips (`vidfit.fusion.span`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Floats, Indices
from vidfit.fusion.each import each_regression
from vidfit.fusion.regression import TO_KEEP, Weights, regression, to_choose
from vidfit.fusion.ridge import ridge
from vidfit.fusion.span import Rows, Span, inverse_scale, standardised, with_vector
from vidfit.labels import ONE, UNSEEN, Kind, mean_loss

PENALTIES = (0.5, 3.0, 20.0, 100.0)
"""Inverse strengths of the L2 penalty that are tried (scikit-learn's ``C``)."""

_TRIED: dict[str, tuple[float, ...]] = {
    "one": PENALTIES,
    "several": PENALTIES,
    "number": (0.005, 0.03, 0.2, 1.0, 5.0, 30.0),
}
_FITS: dict[str, Callable[..., Weights]] = {
    "one": regression,
    "several": each_regression,
    "number": ridge,
}


@dataclass(frozen=True)
class Linear:
    """A fitted probe: means and scales of the features, weights and biases of the answers."""

    mean_D: Floats
    scale_D: Floats
    weight_KD: Floats
    bias_K: Floats
    kind: Kind = ONE

    @classmethod
    def of(cls, state: Mapping[str, Floats], kind: Kind = ONE) -> Linear:
        """Return the probe whose ``state`` this is."""
        return cls(**state, kind=kind)

    def log_probabilities(self, blocks: Sequence[Floats]) -> Floats:
        """Return answers [M, K], log-probabilities or numbers, to vectors [M, D_i]."""
        x_MD = standardised(blocks, self.mean_D, self.scale_D)
        return self.kind.linked(x_MD @ self.weight_KD.T + self.bias_K)

    def novelty(self, blocks: Sequence[Floats]) -> Floats:
        """Return the mean squared standard score [M] of the clips' features."""
        x_MD = standardised(blocks, self.mean_D, self.scale_D)
        result: Floats = (x_MD**2).sum(axis=1) / len(blocks)
        return result

    def state(self) -> dict[str, Floats]:
        """Return the arrays that `of` needs."""
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
    return probe_of(span, regression(span.coordinates_MR, labels_M, penalty, TO_KEEP))


def cross_fit(
    blocks: Sequence[Floats],
    labels_M: Indices,
    folds_M: Indices,
    penalties: Sequence[float] = (),
    kind: Kind = ONE,
) -> tuple[Linear, Floats]:
    """Choose the penalty by cross-validation and fit a probe with it.

    Only means, scales and axes of the features are shared between the folds; they know no label.

    Parameters
    ----------
    penalties
        Inverse strengths, ascending; none means those that suit the kind of label.

    Returns
    -------
    tuple
        The probe, and log-probabilities [M, K] of each clip by a fit without its fold, with
        the penalty of the lowest out-of-fold log-loss.
    """
    span = Span.of(blocks)
    parts = parts_of(span, labels_M, folds_M, penalties, kind)
    return cross_fit_span(span, labels_M, parts)


def answers_by_penalty(
    blocks: Sequence[Floats],
    labels_M: Indices,
    folds_M: Indices,
    penalties: Sequence[float] = (),
    kind: Kind = ONE,
) -> list[Floats]:
    """Return log-probabilities [M, K] by fits without a clip's fold, for each penalty tried.

    Those of `cross_fit` are the ones of the lowest log-loss.
    """
    parts = parts_of(Span.of(blocks), labels_M, folds_M, penalties, kind)
    return tried_out_of_fold(parts, labels_M)


def cross_fit_span(span: Span, labels_M: Indices, parts: Sequence[Part]) -> tuple[Linear, Floats]:
    """Do as `cross_fit` on clips whose span is known, with one part for each fold."""
    best, out_MK = out_of_fold(parts, labels_M)
    kind, penalty = parts[0].path.kind, parts[0].path.penalties[best]
    whole = _FITS[kind.name](span.coordinates_MR, labels_M, penalty, TO_KEEP)
    return probe_of(span, whole, kind), out_MK


def parts_of(
    span: Span,
    labels_M: Indices,
    folds_M: Indices,
    penalties: Sequence[float] = (),
    kind: Kind = ONE,
) -> list[Part]:
    """Return for each fold the fits without it and what they are asked."""
    x_MR, penalties = span.coordinates_MR, penalties or _TRIED[kind.name]
    return [
        Part(
            Path(x_MR, labels_M, penalties, folds_M != fold, kind),
            x_MR[folds_M == fold],
            folds_M == fold,
        )
        for fold in np.unique(folds_M)
    ]


@dataclass(frozen=True)
class Path:
    """Regressions on clips for ascending penalties, each from the last, fitted when asked for.

    A fit depends on its clips and the penalties alone, whoever asks first.

    Parameters
    ----------
    x_MR
        Coordinates of all clips.
    rows_M
        Those that are learned from; all where it is ``None``.
    """

    x_MR: Floats
    labels_M: Indices
    penalties: Sequence[float]
    rows_M: Rows | None = None
    kind: Kind = ONE
    _known: dict[int, Weights] = field(default_factory=dict)

    def weights(self, which: int) -> Weights:
        """Return weights for a penalty, near enough to choose by and to answer clips left out."""
        if which not in self._known:
            rows = slice(None) if self.rows_M is None else self.rows_M
            self._known[which] = _FITS[self.kind.name](
                self.x_MR[rows],
                self.labels_M[rows],
                self.penalties[which],
                to_choose(_sharing(self.labels_M, self.kind)),
                start=self.weights(which - 1) if which else None,
            )
        return self._known[which]


@dataclass(frozen=True)
class Part:
    """Fits without a fold, and the coordinates of its clips: ``test_M`` of all."""

    path: Path
    asked_MR: Floats
    test_M: Rows


def out_of_fold(parts: Sequence[Part], labels_M: Indices) -> tuple[int, Floats]:
    """Return which penalty has the lowest out-of-fold log-loss, and its answers [M, K]."""
    tried = tried_out_of_fold(parts, labels_M)
    best = int(np.argmin([mean_loss(out_MK, labels_M, parts[0].path.kind) for out_MK in tried]))
    return best, tried[best]


def tried_out_of_fold(parts: Sequence[Part], labels_M: Indices) -> list[Floats]:
    """Return out-of-fold answers [M, K] for each penalty that is tried, ascending.

    Along ascending penalties the loss falls, then rises: none is tried beyond the first rise.
    """
    tried: list[Floats] = []
    losses: list[float] = []
    for which in range(len(parts[0].path.penalties)):
        tried.append(_answers(parts, labels_M, which))
        losses.append(mean_loss(tried[-1], labels_M, parts[0].path.kind))
        if losses[-1] > min(losses):
            break
    return tried


def _answers(parts: Sequence[Part], labels_M: Indices, which: int) -> Floats:
    """Return log-probabilities [M, K] of each clip by fits without its fold."""
    kind = parts[0].path.kind
    out_MK = np.full((len(labels_M), kind.columns(labels_M)), UNSEEN, np.float32)
    for part in parts:
        weight_KR, bias_K = part.path.weights(which)
        answer_MK = kind.linked(part.asked_MR @ weight_KR.T + bias_K)
        out_MK[part.test_M, : answer_MK.shape[1]] = answer_MK
    return out_MK


def probe_of(span: Span, weights: Weights, kind: Kind = ONE) -> Linear:
    """Return the probe of vectors that weights of the coordinates amount to."""
    weight_KR, bias_K = weights
    return Linear(
        span.mean_D,
        span.scale_D,
        span.weights(weight_KR),
        bias_K.astype(np.float32, copy=False),
        kind,
    )


def held_out_novelty(
    blocks: Sequence[Floats], folds_M: Indices, learned_M: Rows | None = None
) -> Floats:
    """Return the novelty [M] of each clip to the clips of the other folds.

    Means and scales that were fitted on a clip make it look familiar: of 60 surveillance clips
    seen by EfficientNet-Lite0, the largest novelty is 1.8 in training and 5.3 held out.

    Parameters
    ----------
    learned_M
        Clips that may be learned from; all where it is ``None``.
    """
    novelty_M = np.zeros(len(folds_M), np.float32)
    for fold in np.unique(folds_M):
        train, test = folds_M != fold, folds_M == fold
        if learned_M is not None:
            train &= learned_M
        for block in blocks:
            whole = with_vector(block[train])
            standard = standardised([block[test]], whole.mean(axis=0), inverse_scale(whole))
            novelty_M[test] += (standard**2).sum(axis=1) / len(blocks)
    return novelty_M


def log_softmax(logits_MK: NDArray[np.floating]) -> Floats:
    """Return log-probabilities of logits, stable for large values."""
    return ONE.linked(logits_MK)


restore = Linear.of
"""The probe whose state this is."""


def _sharing(truth: Any, kind: Kind) -> int:  # noqa: ANN401
    """Return how many classes share the entries of a gradient."""
    return len(np.unique(truth)) if kind.exclusive else 2

"""Fit every candidate and every fusion, and choose, on one set of training clips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vidfit.contracts import Estimate, FittedFusion, Floats, Indices
from vidfit.fusion.linear import cross_fit
from vidfit.fusion.stack import fit_stack
from vidfit.metrics import mean_interval

Vectors = Mapping[str, Floats]
"""Backbone name -> one vector per clip, [M, D]."""


@dataclass(frozen=True)
class Contender:
    """A fitted candidate.

    ``head`` is the kind under which it can be restored; ``out_of_fold_MK`` its
    log-probabilities for training clips, each from a fit without the clip's recording.
    """

    name: str
    head: str
    members: tuple[str, ...]
    fitted: FittedFusion
    out_of_fold_MK: Floats

    def log_probabilities(self, vectors: Vectors) -> Floats:
        """Return log-probabilities [M, K] of clips."""
        return self.fitted.log_probabilities([vectors[name] for name in self.members])


@dataclass(frozen=True)
class Comparison:
    """A choice: the best single model, the best fusion, and whether the fusion is kept.

    ``gain`` is the fusion's out-of-fold top-1 minus the best single's, paired over
    recordings; the fusion is kept only if the interval lies above zero.
    """

    best_single: Contender
    best_fusion: Contender | None
    gain: Estimate | None

    @property
    def chosen(self) -> Contender:
        """The fusion if its gain is proven, else the best single model."""
        if self.best_fusion is not None and self.gain is not None and self.gain.low > 0:
            return self.best_fusion
        return self.best_single


def fit_contenders(vectors: Vectors, labels_M: Indices, folds_M: Indices) -> list[Contender]:
    """Fit every backbone alone, then all together by concatenation and by stacking."""
    singles = [_linear(name, (name,), vectors, labels_M, folds_M) for name in vectors]
    if len(singles) < 2:
        return singles
    names = tuple(vectors)
    stack, out_MK = fit_stack(
        [single.fitted for single in singles],  # type: ignore[misc]
        [single.out_of_fold_MK for single in singles],
        labels_M,
        folds_M,
    )
    return [
        *singles,
        _linear("concat", names, vectors, labels_M, folds_M),
        Contender("stack", "stack", names, stack, out_MK),
    ]


def compare(
    contenders: Sequence[Contender], labels_M: Indices, groups: Sequence[str]
) -> Comparison:
    """Choose among fitted contenders by their out-of-fold answers."""
    singles = [c for c in contenders if len(c.members) == 1]
    fusions = [c for c in contenders if len(c.members) > 1]
    best = max(singles, key=lambda c: _merit(c, labels_M))
    if not fusions:
        return Comparison(best, None, None)
    fusion = max(fusions, key=lambda c: _merit(c, labels_M))
    gain = mean_interval(
        hits(fusion.out_of_fold_MK, labels_M) - hits(best.out_of_fold_MK, labels_M), groups
    )
    return Comparison(best, fusion, gain)


def hits(log_probabilities_MK: Floats, labels_M: Indices) -> Floats:
    """Return 1.0 where the top answer is the label, else 0.0."""
    result: Floats = (log_probabilities_MK.argmax(axis=1) == labels_M).astype(np.float32)
    return result


def _merit(contender: Contender, labels_M: Indices) -> tuple[float, float]:
    """Top-1, then (between equals) the mean log-probability of the label."""
    out_MK = contender.out_of_fold_MK
    return (
        float(hits(out_MK, labels_M).mean()),
        float(np.clip(out_MK[np.arange(len(labels_M)), labels_M], -20.0, None).mean()),
    )


def _linear(
    name: str, members: tuple[str, ...], vectors: Vectors, labels_M: Indices, folds_M: Indices
) -> Contender:
    fitted, out_MK = cross_fit([vectors[member] for member in members], labels_M, folds_M)
    return Contender(name, "linear", members, fitted, out_MK)

"""Fit every candidate and every fusion, and choose, on one set of training clips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vidfit.contracts import Estimate, FittedFusion, Floats, Indices
from vidfit.fusion.linear import cross_fit, log_loss
from vidfit.fusion.stack import fit_stack
from vidfit.metrics import mean_interval
from vidfit.selection.ties import tied_with_best

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
    """A choice: the best single model, the one to use of those tied with it, the best fusion.

    ``tied`` are the names of the single models among which the truly best one is, with 95 %
    probability. ``gain`` is the fusion's out-of-fold top-1 minus the best single's, paired over
    recordings; the fusion is kept only if the interval lies above zero.
    """

    best_single: Contender
    recommended: Contender
    tied: tuple[str, ...]
    best_fusion: Contender | None
    gain: Estimate | None

    @property
    def chosen(self) -> Contender:
        """The fusion if its gain is proven, else the recommended single model."""
        if self.best_fusion is not None and self.gain is not None and self.gain.low > 0:
            return self.best_fusion
        return self.recommended


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
    contenders: Sequence[Contender],
    labels_M: Indices,
    groups: Sequence[str],
    seconds: Mapping[str, float] | None = None,
) -> Comparison:
    """Choose among fitted contenders by their out-of-fold answers.

    Parameters
    ----------
    seconds
        What a clip costs by backbone: the cheapest of those tied with the best is recommended.
        ``None`` recommends the best.
    """
    singles = [c for c in contenders if len(c.members) == 1]
    fusions = [c for c in contenders if len(c.members) > 1]
    best = max(singles, key=lambda c: merit(c.out_of_fold_MK, labels_M))
    hits_CM = np.stack([hits(c.out_of_fold_MK, labels_M) for c in singles])
    is_tied_C = tied_with_best(hits_CM, groups)
    tied = [c for c, is_tied in zip(singles, is_tied_C, strict=True) if is_tied or c is best]
    cheapest = best if seconds is None else min(tied, key=lambda c: seconds[c.name])
    fusion, gain = None, None
    if fusions:
        fusion = max(fusions, key=lambda c: merit(c.out_of_fold_MK, labels_M))
        ahead_M = hits(fusion.out_of_fold_MK, labels_M) - hits(best.out_of_fold_MK, labels_M)
        gain = mean_interval(ahead_M, groups)
    return Comparison(best, cheapest, tuple(c.name for c in tied), fusion, gain)


def hits(log_probabilities_MK: Floats, labels_M: Indices) -> Floats:
    """Return 1.0 where the top answer is the label, else 0.0."""
    result: Floats = (log_probabilities_MK.argmax(axis=1) == labels_M).astype(np.float32)
    return result


def merit(log_probabilities_MK: Floats, labels_M: Indices) -> float:
    """Return what candidates are ordered by: top-1, and between equals the log-loss."""
    top_1 = float(hits(log_probabilities_MK, labels_M).mean())
    return top_1 - 1e-6 * log_loss(log_probabilities_MK, labels_M)


def _linear(
    name: str, members: tuple[str, ...], vectors: Vectors, labels_M: Indices, folds_M: Indices
) -> Contender:
    fitted, out_MK = cross_fit([vectors[member] for member in members], labels_M, folds_M)
    return Contender(name, "linear", members, fitted, out_MK)

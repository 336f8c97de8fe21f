"""An ensemble of probes that each miss some clips, averaged within and over members.

Each member gets one probe for each fold that is left out, and for each part of a second,
random partition: probes that saw different clips err differently (Parmanto, Munro and
Doyle 1996, cross-validation committees). The mean of log-odds of linear probes is one linear
probe, so the whole ensemble costs no more than a concatenation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Indices
from vidfit.fusion.linear import PENALTIES, Linear, out_of_fold, parts_of, probe_of
from vidfit.fusion.member import Fitted, Training
from vidfit.fusion.probes import mean_probe, with_classes
from vidfit.fusion.regression import TO_KEEP, regression
from vidfit.fusion.span import Span

Mask = NDArray[np.bool_]

_PARTS = 4
"""Parts of the random partition."""


def fit_folds(training: Training) -> Fitted:
    """Fit the committees of all members; held-out answers are of committees without the fold."""
    labels_M, folds_M = training.labels_M, training.folds_M
    out_MK = np.full((len(labels_M), training.classes), -20.0, np.float32)
    committees = [_Committee.of(span, training) for span in training.spans]
    for fold in np.unique(folds_M):
        test = folds_M == fold
        probe = _side_by_side([committee.probe(~test) for committee in committees])
        answer_MK = probe.log_probabilities([block[test] for block in training.blocks])
        out_MK[test, : answer_MK.shape[1]] = answer_MK
    everything = np.ones(len(labels_M), bool)
    probe = _side_by_side([committee.probe(everything) for committee in committees])
    return Fitted(
        with_classes(probe, training.classes), out_MK, tuple(range(len(training.members)))
    )


@dataclass(frozen=True)
class _Committee:
    """The probes of one member, by the clips that they have seen.

    All state the clips by the same axes, which know no label.
    """

    span: Span
    labels_M: Indices
    splits: tuple[Indices, ...]
    penalty: float
    seen: dict[bytes, Linear] = field(default_factory=dict)

    @classmethod
    def of(cls, span: Span, training: Training) -> _Committee:
        labels_M, folds_M = training.labels_M, training.folds_M
        parts_M = np.random.default_rng(0).permutation(len(labels_M)) % _PARTS
        best, _ = out_of_fold(parts_of(span, labels_M, folds_M), labels_M)
        return cls(span, labels_M, (folds_M, parts_M), PENALTIES[best])

    def probe(self, allowed_M: Mask) -> Linear:
        """Return the mean of the probes that miss a fold or a part of the clips allowed."""
        masks = [
            allowed_M & (split_M != left_out)
            for split_M in self.splits
            for left_out in np.unique(split_M[allowed_M])
        ]
        masks = [mask_M for mask_M in masks if len(np.unique(self.labels_M[mask_M])) > 1]
        probes = [self._fit(mask_M) for mask_M in masks or [allowed_M]]
        return mean_probe(probes, self.span.mean_D, self.span.scale_D)

    def _fit(self, mask_M: Mask) -> Linear:
        """Fit on some clips, once: without folds a and b is the same for a and for b."""
        key = mask_M.tobytes()
        if key not in self.seen:
            x_MR, labels_M = self.span.coordinates_MR[mask_M], self.labels_M[mask_M]
            weights = regression(x_MR, labels_M, self.penalty, TO_KEEP)
            self.seen[key] = probe_of(self.span, weights)
        return self.seen[key]


def _side_by_side(probes: Sequence[Linear]) -> Linear:
    """Return one probe of all members' vectors: the mean of the log-odds of each."""
    classes = max(len(probe.bias_K) for probe in probes)
    probes = [with_classes(probe, classes) for probe in probes]
    weight_KD = np.concatenate([probe.weight_KD for probe in probes], axis=1) / len(probes)
    bias_K = np.stack([probe.bias_K for probe in probes]).mean(axis=0)
    return Linear(
        np.concatenate([probe.mean_D for probe in probes]),
        np.concatenate([probe.scale_D for probe in probes]),
        weight_KD.astype(np.float32),
        bias_K.astype(np.float32),
    )

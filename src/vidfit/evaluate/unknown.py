"""When a model gives no class: thresholds from held-out answers, and what share they decline.

Two rules, each for what the other cannot see. **Low confidence**: the largest calibrated
probability is below a threshold (Hendrycks and Gimpel 2017, A baseline for detecting
misclassified and out-of-distribution examples); this is what tells clips of a class that is not
known. **Unlike anything seen**: the features lie farther out (mean squared standard score) than
those of nearly all training clips did for fits without their recording; this is what tells other
footage. Mahalanobis distances, relative ones (Ren et al. 2021, A simple fix to Mahalanobis distance
for improving near-OOD detection), nearest neighbours and energy tell neither better:
``benchmarks/unknown.py`` holds them against these two.

A threshold is a quantile over held-out clips of known classes, so that about that share of them
is declined, whatever the accuracy.

Shape letters: M clips, K classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vidfit.contracts import Floats

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Shares:
    """Which shares of clips of known classes may be declined, by rule, in [0, 1]."""

    confidence: float
    novelty: float


USUAL = Shares(0.05, 0.02)
STRICT = Shares(0.20, 0.10)
"""What ``--unknown strict`` gives up, to decline more of what is not known."""


@dataclass(frozen=True)
class HeldOut:
    """What a model says of clips of recordings that it has not seen.

    Parameters
    ----------
    confidence_M
        The largest calibrated probability.
    novelty_M
        How far the features lie from those of the training clips; about 1 on their average.
    """

    confidence_M: Floats
    novelty_M: Floats

    def where(self, keep_M: Mask) -> HeldOut:
        """Return some of the clips."""
        return HeldOut(self.confidence_M[keep_M], self.novelty_M[keep_M])


@dataclass(frozen=True)
class Thresholds:
    """The least probability and the greatest novelty of an answer that is given."""

    probability: float
    novelty: float

    @classmethod
    def of(cls, known: HeldOut, shares: Shares = USUAL) -> Thresholds:
        """Return the thresholds that decline these shares of clips of known classes."""
        return cls(
            float(np.quantile(known.confidence_M, shares.confidence)),
            float(np.quantile(known.novelty_M, 1.0 - shares.novelty)),
        )

    def declined(self, asked: HeldOut) -> Mask:
        """Return which clips get no class, [M]."""
        far_M = asked.novelty_M > self.novelty
        result: Mask = (asked.confidence_M < self.probability) | far_M
        return result


def auroc(known_M: ArrayLike, new_M: ArrayLike) -> float:
    """Return how often a new clip has a higher score than a known one; ties count half."""
    from scipy.stats import rankdata

    known, new = np.asarray(known_M), np.asarray(new_M)
    ranks = rankdata(np.concatenate([known, new]))[len(known) :]
    count = len(new)
    return float((ranks.sum() - count * (count + 1) / 2) / (count * len(known)))

"""Does one model lose less than is allowed against another? Paired over recordings.

An answer that stays the same says little: of 230 clips that all keep theirs, up to 1.6 % of all
clips may still change (Clopper and Pearson 1934). The probability of the true class moves on
every clip, so its mean tells a small loss from a large one with far fewer clips.

Shape letters: M clips, G recordings.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from vidfit.contracts import Estimate
from vidfit.metrics.resampled import recording_sums

LEVEL = 0.025
"""One-sided error of a claim that a loss lies below a bound."""


@dataclass(frozen=True)
class PairedLoss:
    """A mean loss over clips, and what is known of it on new recordings.

    Parameters
    ----------
    value
        The mean over clips; below zero is a gain.
    error
        Its standard error, by leaving out one recording at a time.
    recordings
        How many there are; of one alone nothing is known of others.
    """

    value: float
    error: float
    recordings: int

    def upper(self, level: float = LEVEL) -> float:
        """Return the bound that the loss exceeds with probability ``level``; NaN if unknown."""
        return self.value + self._quantile(level) * self.error

    def interval(self) -> Estimate:
        """Return the value with its 95 % interval."""
        half = self.upper() - self.value
        return Estimate(self.value, self.value - half, self.value + half)

    def chance_of(self, margin: float) -> float:
        """Return the p-value of a loss of ``margin`` or more: small where less is proven."""
        from scipy.special import stdtr

        if self.recordings < 2:
            return 1.0
        if self.error == 0.0:
            return 0.0 if self.value <= margin else 1.0
        return float(stdtr(self.recordings - 1, (self.value - margin) / self.error))

    def _quantile(self, level: float) -> float:
        from scipy.special import stdtrit

        return -float(stdtrit(self.recordings - 1, level)) if self.recordings > 1 else math.nan


def paired_loss(losses_M: ArrayLike, groups: Sequence[str]) -> PairedLoss:
    """Return the mean of a loss per clip, with the jackknife over recordings.

    Leaving out whole recordings holds its level with few and uneven ones better than the usual
    cluster-robust error (Bell and McCaffrey 2002, "Bias reduction in standard errors").

    Raises
    ------
    ValueError
        If values are not finite or do not match the recordings.
    """
    values = np.asarray(losses_M, np.float64)
    sums_GC, size_G = recording_sums(values[None], groups)
    sums_G, count = sums_GC[:, 0], len(size_G)
    value = float(sums_G.sum() / size_G.sum())
    if count < 2:
        return PairedLoss(value, math.nan, count)
    without_G = (sums_G.sum() - sums_G) / (size_G.sum() - size_G)
    error = math.sqrt((count - 1) / count * float(((without_G - value) ** 2).sum()))
    return PairedLoss(value, error, count)


def independent_trials(moved_M: ArrayLike, groups: Sequence[str]) -> float:
    """Return how many independent clips a number of clips counts for, at most that number.

    Clips of one recording count for less than one each, as far as ``moved_M`` is alike within a
    recording: their number over the design effect, which is the squared ratio of the standard
    error over recordings to that over clips (Kish 1965). Where it is the same for all clips,
    nothing is known of that, and each recording counts once.
    """
    apart = paired_loss(moved_M, [str(i) for i in range(len(groups))]).error
    together = paired_loss(moved_M, groups).error
    if not (apart > 0 and together >= 0):
        return float(len(set(groups)))
    return len(groups) / max(1.0, (together / apart) ** 2)


def share_bound(found: float, of: float, level: float = LEVEL) -> float:
    """Return the share that ``found`` of ``of`` independent trials leave possible, in [0, 1].

    The upper bound of Clopper and Pearson (1934). ``of`` need not be a whole number: clips of one
    recording count for less than one each.
    """
    from scipy.special import betaincinv

    return 1.0 if found >= of else float(betaincinv(found + 1.0, of - found, 1.0 - level))


def holm(chances: Sequence[float]) -> list[float]:
    """Return p-values that may be compared with the level of all of them together.

    Holm (1979), A simple sequentially rejective multiple test procedure.
    """
    adjusted, largest = [1.0] * len(chances), 0.0
    for rank, place in enumerate(sorted(range(len(chances)), key=lambda i: chances[i])):
        largest = max(largest, min(1.0, (len(chances) - rank) * chances[place]))
        adjusted[place] = largest
    return adjusted

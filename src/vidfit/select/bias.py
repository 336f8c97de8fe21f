"""What choosing the best is worth: cross-validated scores, corrected for the choice.

BBC-CV (Tsamardinos, Greasidou and Borboudakis 2018, "Bootstrapping the out-of-sample
predictions for efficient and accurate cross-validation"): in each bootstrap bag of recordings
the best candidate is chosen anew, and scored on the recordings left out of the bag.

Shape letters: C candidates, M clips, G recordings, R resamples.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vidfit.contracts import Estimate
from vidfit.metrics import mean_interval
from vidfit.metrics.bootstrap import RESAMPLES, draws, numbered

Doubles = NDArray[np.float64]


def bias_corrected(
    values_CM: ArrayLike, groups: Sequence[str], *, seed: int = 0, resamples: int = RESAMPLES
) -> Estimate:
    """Return what the best candidate is worth on new recordings, with a 95 % interval.

    The value is the mean score out of the bag. The interval is that of the winner, moved by as
    much as the winner's own figure is too high: percentiles of scores out of the bag would be
    too wide, for they rest on a third of the recordings.

    Parameters
    ----------
    values_CM
        Scores of held-out clips, such as hits of 0 and 1; NaN where a candidate did not run.
        Its mean is then taken by its paired difference to a candidate that ran on all clips.
    groups
        The recording of each clip.

    Raises
    ------
    ValueError
        If no candidate ran on all clips.
    """
    values = np.asarray(values_CM, np.float64)
    complete_C = np.isfinite(values).all(axis=1)
    if not complete_C.any():
        raise ValueError("no candidate has a value for every clip; one at least must")
    reference = int(np.argmax(np.where(complete_C, values.mean(axis=1), -np.inf)))
    winner = mean_interval(values[reference], groups, seed=seed)
    group_M, count = numbered(groups)
    if len(values) == 1 or count < 2:
        return winner
    parts = _Parts(values, reference, group_M, count)
    scores = np.concatenate(
        [parts.out_of_bag(w_RG) for w_RG in draws(count, seed, resamples)]
    )
    optimism = winner.value - float(np.nanmean(scores))
    return Estimate(winner.value - optimism, winner.low - optimism, winner.high - optimism)


class _Parts:
    """Sums by recording [G, C] of differences to the reference, and how many clips they are of."""

    def __init__(
        self, values_CM: Doubles, reference: int, group_M: NDArray[np.int64], count: int
    ) -> None:
        difference_CM = values_CM - values_CM[reference]
        has_CM = np.isfinite(difference_CM)
        self.sums_GC, self.sizes_GC = np.zeros((2, count, len(values_CM)))
        np.add.at(self.sums_GC, group_M, np.where(has_CM, difference_CM, 0.0).T)
        np.add.at(self.sizes_GC, group_M, has_CM.T.astype(float))
        self.reference_G = np.bincount(group_M, values_CM[reference], count)
        self.size_G = np.bincount(group_M, minlength=count).astype(float)

    def out_of_bag(self, w_RG: Doubles) -> Doubles:
        """Return the score [R] out of each bag of the candidate that is best in it."""
        chosen_R = np.nanargmax(self._merits(w_RG), axis=1)
        outside_RC = self._merits((w_RG == 0).astype(float))
        score_R: Doubles = outside_RC[np.arange(len(w_RG)), chosen_R]
        return score_R

    def _merits(self, w_RG: Doubles) -> Doubles:
        """Return means [R, C] under weights; NaN where a candidate has no clip of weight."""
        with np.errstate(invalid="ignore", divide="ignore"):
            reference_R = (w_RG @ self.reference_G) / (w_RG @ self.size_G)
            difference_RC = (w_RG @ self.sums_GC) / (w_RG @ self.sizes_GC)
        return reference_R[:, None] + difference_RC

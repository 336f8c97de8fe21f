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
from vidfit.metrics.bootstrap import RESAMPLES, draws, recording_sums

Doubles = NDArray[np.float64]


def bias_corrected(
    values_CM: ArrayLike, groups: Sequence[str], *, seed: int = 0, resamples: int = RESAMPLES
) -> Estimate:
    """Return what the best candidate is worth on new recordings, with a 95 % interval.

    The value is the mean score out of the bag. The interval is the winner's own, with its lower
    end moved down by the optimism: the percentiles of scores out of the bag are too wide, for
    they rest on a third of the recordings, and the winner's own interval covers too seldom
    (``benchmarks.selection_simulation``).

    Parameters
    ----------
    values_CM
        Scores of held-out clips, such as hits of 0 and 1.
    groups
        The recording of each clip; from one alone both ends are NaN.

    Raises
    ------
    ValueError
        If values are not finite or do not match the recordings.
    """
    sums_GC, size_G = recording_sums(values_CM, groups)
    values = np.asarray(values_CM, np.float64)
    winner = mean_interval(values[int(values.mean(axis=1).argmax())], groups, seed=seed)
    if len(values) == 1 or len(size_G) < 2:
        return winner
    blocks = draws(len(size_G), seed, resamples)
    scores = np.concatenate([_out_of_bag(w_RG, sums_GC, size_G) for w_RG in blocks])
    optimism = max(0.0, winner.value - float(np.nanmean(scores)))
    return Estimate(winner.value - optimism, winner.low - optimism, winner.high)


def _out_of_bag(w_RG: Doubles, sums_GC: Doubles, size_G: Doubles) -> Doubles:
    """Return the score [R] out of each bag of the candidate that is best in it."""
    chosen_R = np.argmax(w_RG @ sums_GC, axis=1)
    outside_RG = (w_RG == 0).astype(float)
    with np.errstate(invalid="ignore"):  # a bag that holds every recording has no outside
        score_RC = (outside_RG @ sums_GC) / (outside_RG @ size_G)[:, None]
    score_R: Doubles = score_RC[np.arange(len(w_RG)), chosen_R]
    return score_R

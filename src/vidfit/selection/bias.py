"""What choosing the best is worth: cross-validated scores, corrected for the choice.

BBC-CV (Tsamardinos, Greasidou and Borboudakis 2018, "Bootstrapping the out-of-sample
predictions for efficient and accurate cross-validation"): in each bootstrap bag of recordings
the best candidate is chosen anew, and scored on the recordings left out of the bag.

Shape letters: C candidates, M clips, G recordings, R resamples.
"""

from __future__ import annotations

import math
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

    The value is the mean score out of the bag. Those scores spread too widely, for a bag leaves
    out only a share q = (1 - 1/G)^G of the recordings: each is a score on a subset drawn without
    replacement, so that their variance times q / (1 - q) is that of the delete-d jackknife (Shao
    and Wu 1989, "A general theory for jackknife variance estimation"). The interval is Student's
    t with that error. It spans what the choice adds to the spread, too, which the winner's own
    interval does not know of (``benchmarks.selection_simulation``).

    Parameters
    ----------
    values_CM
        Scores of held-out clips, such as hits of 0 and 1.
    groups
        The recording of each clip; from one alone both ends are NaN, and nothing is corrected.

    Raises
    ------
    ValueError
        If values are not finite or do not match the recordings.
    """
    sums_GC, size_G = recording_sums(values_CM, groups)
    values = np.asarray(values_CM, np.float64)
    if len(values) == 1 or len(size_G) < 2:
        return mean_interval(values[int(values.mean(axis=1).argmax())], groups, seed=seed)
    blocks = draws(len(size_G), seed, resamples)
    scores_R = np.concatenate([_out_of_bag(w_RG, sums_GC, size_G) for w_RG in blocks])
    found = _interval(scores_R[np.isfinite(scores_R)], len(size_G))
    low, high = np.clip([found.low, found.high], values.min(), values.max())
    return Estimate(found.value, float(low), float(high))


def _interval(scores_R: Doubles, groups: int) -> Estimate:
    """Return the mean of scores out of the bag with its interval."""
    from scipy.special import stdtrit

    outside = (1.0 - 1.0 / groups) ** groups
    error = float(scores_R.std()) * math.sqrt(outside / (1.0 - outside))
    half = -float(stdtrit(groups - 1, 0.025)) * error
    value = float(scores_R.mean())
    return Estimate(value, value - half, value + half)


def _out_of_bag(w_RG: Doubles, sums_GC: Doubles, size_G: Doubles) -> Doubles:
    """Return the score [R] out of each bag of the candidate that is best in it."""
    chosen_R = np.argmax(w_RG @ sums_GC, axis=1)
    outside_RG = (w_RG == 0).astype(float)
    with np.errstate(invalid="ignore"):  # a bag that holds every recording has no outside
        score_RC = (outside_RG @ sums_GC) / (outside_RG @ size_G)[:, None]
    score_R: Doubles = score_RC[np.arange(len(w_RG)), chosen_R]
    return score_R

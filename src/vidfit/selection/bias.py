"""What choosing a candidate is worth: cross-validated scores, corrected for the choice.

BBC-CV (Tsamardinos, Greasidou and Borboudakis 2018, "Bootstrapping the out-of-sample
predictions for efficient and accurate cross-validation"): in each bootstrap bag of recordings
a candidate is chosen anew, by the same rule as it is from all recordings, and scored on the
recordings left out of the bag.

Shape letters: C candidates, M clips, G recordings, R resamples.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vidfit.contracts import Cost, Estimate
from vidfit.metrics import share_interval
from vidfit.metrics.bootstrap import RESAMPLES, draws, recording_sums
from vidfit.selection.recommend import Choosing, Rule

Doubles = NDArray[np.float64]


def bias_corrected(
    hits_CM: ArrayLike,
    groups: Sequence[str],
    costs: Sequence[Cost] = (),
    rule: Rule = Rule(),
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Estimate:
    """Return what the recommended candidate is worth on new recordings, with a 95 % interval.

    The value is the mean score out of the bag. Those scores spread too widely, for a bag leaves
    out only a share q = (1 - 1/G)^G of the recordings: each is a score on a subset drawn without
    replacement, so that their variance times q / (1 - q) is that of the delete-d jackknife (Shao
    and Wu 1989, "A general theory for jackknife variance estimation"). The interval is Student's
    t with that error, which knows what the choice adds to the spread. It also spans the interval
    of the recommended one's own hits (`vidfit.metrics.share_interval`), its lower end moved by
    the optimism: that knows what recordings may show that none of these did.

    Parameters
    ----------
    hits_CM
        Hits of held-out clips, from 0 to 1.
    groups
        The recording of each clip; from one alone both ends are NaN, and nothing is corrected.
    costs, rule
        How the recommended one is chosen; without costs it is the best.

    Raises
    ------
    ValueError
        If values are not finite or do not match the recordings.
    """
    sums_GC, size_G = recording_sums(hits_CM, groups)
    hits = np.asarray(hits_CM, np.float64)
    choosing = Choosing(costs or [Cost(0.0, 0.0)] * len(hits), rule)
    chosen = int(choosing.chosen(np.ones((1, len(size_G))), sums_GC, size_G)[0])
    own = share_interval(hits[chosen], groups)
    if len(hits) == 1 or len(size_G) < 2:
        return own
    scores_R = np.concatenate(
        [
            _out_of_bag(w_RG, choosing.chosen(w_RG, sums_GC, size_G), sums_GC, size_G)
            for w_RG in draws(len(size_G), seed, resamples)
        ]
    )
    scores_R = scores_R[np.isfinite(scores_R)]
    value, half = float(scores_R.mean()), _half_width(scores_R, len(size_G))
    low = min(value - half, own.low - max(0.0, own.value - value))
    return Estimate(value, max(0.0, low), min(1.0, max(value + half, own.high)))


def _half_width(scores_R: Doubles, groups: int) -> float:
    """Return half the width of Student's interval of scores out of the bag."""
    from scipy.special import stdtrit

    outside = (1.0 - 1.0 / groups) ** groups
    error = float(scores_R.std()) * math.sqrt(outside / (1.0 - outside))
    return -float(stdtrit(groups - 1, 0.025)) * error


def _out_of_bag(
    w_RG: Doubles, chosen_R: NDArray[np.int64], sums_GC: Doubles, size_G: Doubles
) -> Doubles:
    """Return the score [R] out of each bag of the candidate that was chosen in it."""
    outside_RG = (w_RG == 0).astype(float)
    with np.errstate(invalid="ignore"):  # a bag that holds every recording has no outside
        score_RC = (outside_RG @ sums_GC) / (outside_RG @ size_G)[:, None]
    score_R: Doubles = score_RC[np.arange(len(w_RG)), chosen_R]
    return score_R

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
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Cost, Estimate
from vidfit.metrics import Scored
from vidfit.metrics.measures import ratio
from vidfit.metrics.resampled import RESAMPLES
from vidfit.selection.recommend import Choosing, Rule

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Tried:
    """Settings of a candidate, such as penalties, on the same clips.

    ``losses`` is what one of them is chosen by, the lowest; ``figures`` what it then counts for.
    """

    losses: Scored
    figures: Scored

    def drawn(self, inside_RG: Doubles, of_RG: Doubles) -> Doubles:
        """Return the figure [R] on draws of recordings of the setting chosen on others."""
        chosen_R = np.nan_to_num(self.losses.drawn(inside_RG), nan=np.inf).argmin(axis=1)
        figure_R: Doubles = _drawn(self.figures, of_RG)[np.arange(len(of_RG)), chosen_R]
        return figure_R


def _drawn(scored: Scored, weight_RG: Doubles) -> Doubles:
    """Return figures [R, C] on draws that may hold a few recordings alone.

    R² and correlations compare with how much the numbers of the same recordings differ, which in
    a few recordings is little by chance: of them the linear part around all recordings is taken.
    """
    if scored.measure.kind != "up to one":
        return scored.drawn(weight_RG)
    merits_GC, size_G = scored.linear
    return ratio(weight_RG @ merits_GC, (weight_RG @ size_G)[:, None])


def bias_corrected(
    scored: Scored,
    costs: Sequence[Cost] = (),
    rule: Rule = Rule(),
    *,
    tried: Sequence[Tried] = (),
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Estimate:
    """Return what the recommended candidate is worth on new recordings, with a 95 % interval.

    The value is the mean score out of the bag. Those scores spread too widely, for a bag leaves
    out only a share q = (1 - 1/G)^G of the recordings: each is a score on a subset drawn without
    replacement, so that their variance times q / (1 - q) is that of the delete-d jackknife (Shao
    and Wu 1989, "A general theory for jackknife variance estimation"). The interval is Student's
    t with that error, which knows what the choice adds to the spread. It also spans the interval
    of the recommended one's own figure (`Scored.interval`), its worse
    end moved by the optimism: that knows what recordings may show that none of these did.

    Parameters
    ----------
    scored
        The candidates on held-out clips; from one recording alone both ends are NaN, and nothing
        is corrected.
    costs, rule
        How the recommended one is chosen; without costs it is the best.
    tried
        By candidate the settings among which its own was chosen, if it was: that choice is made
        again in each bag, too.
    """
    count, candidates = len(scored.clips_G), len(scored.tables)
    choosing = Choosing(scored, costs or [Cost(0.0, 0.0)] * candidates, rule)
    own = scored.interval(int(choosing.chosen(np.ones((1, count)))[0]))
    if count < 2 or (candidates == 1 and not tried):
        return own
    scores_R = np.concatenate(
        [_out_of_bag(scored, tried, choosing, w_RG) for w_RG in scored.resamples(seed, resamples)]
    )
    scores_R = scores_R[np.isfinite(scores_R)]
    value, half = float(scores_R.mean()), _half_width(scores_R, count)
    optimism = own.value - value
    if scored.measure.higher_is_better:
        low, high = own.low - max(0.0, optimism), own.high
    else:
        low, high = own.low, own.high - min(0.0, optimism)
    found = Estimate(value, min(value - half, low), max(value + half, high))
    if scored.measure.kind == "unbounded":
        return found
    least = -math.inf if scored.measure.kind == "up to one" else 0.0
    return Estimate(value, max(least, found.low), min(1.0, found.high))


def _half_width(scores_R: Doubles, groups: int) -> float:
    """Return half the width of Student's interval of scores out of the bag."""
    from scipy.special import stdtrit

    outside = (1.0 - 1.0 / groups) ** groups
    error = float(scores_R.std()) * math.sqrt(outside / (1.0 - outside))
    return -float(stdtrit(groups - 1, 0.025)) * error


def _out_of_bag(
    scored: Scored, tried: Sequence[Tried], choosing: Choosing, w_RG: Doubles
) -> Doubles:
    """Return the score [R] out of each bag of the candidate that was chosen in it.

    NaN of a bag that holds every recording, or all of a class.
    """
    outside_RG = (w_RG == 0).astype(float)
    if tried:
        inside_RC = np.stack([settings.drawn(w_RG, w_RG) for settings in tried], axis=1)
        outside_RC = np.stack([settings.drawn(w_RG, outside_RG) for settings in tried], axis=1)
    else:
        inside_RC, outside_RC = scored.drawn(w_RG), _drawn(scored, outside_RG)
    score_R: Doubles = outside_RC[np.arange(len(w_RG)), choosing.chosen(w_RG, inside_RC)]
    return score_R

"""Which candidate to recommend: the best, or a cheaper one that the clips hardly tell from it.

A cheaper candidate is taken in place of the best only where the best is ahead of it by no more
than one standard error of the paired difference over recordings (the rule of Breiman, Friedman,
Olshen and Stone 1984, "Classification and regression trees"), and by no more than the user is
ready to give up. To be tied with the best is not enough: with few recordings everything is tied,
and the cheapest of all may be useless (``benchmarks.recommendation``).

Costs are compared so that the same clips give the same answer however busy the machine is:
measured seconds decide only where one takes more than half as long again as the other;
otherwise multiply-accumulates do, and between equals the size of the weights.

Shape letters: C candidates, G recordings, R resamples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import TIME_RATIO, Cost, Indices
from vidfit.metrics import Scored

Doubles = NDArray[np.float64]

SAVING = 0.2
"""A candidate counts as cheaper where it saves this share of the cost."""

GIVE_UP = 0.02
"""Most of the figure that is given up for a cheaper candidate, unless the user says otherwise."""

_EQUAL = 1e-9


@dataclass(frozen=True)
class Rule:
    """How the recommended candidate is found among those that ran.

    Parameters
    ----------
    cheapest
        Whether a cheaper one may stand in for the best.
    give_up
        Share of ``whole`` that may be given up for it: 0.02 is two points of accuracy.
    whole
        What 100 points of the figure are, above 0: 1 of shares; of a figure with a unit of its
        own, what the baseline has, which always answers the same.
    """

    cheapest: bool = True
    give_up: float = GIVE_UP
    whole: float = 1.0

    @property
    def most(self) -> float:
        """Most of the figure that may be given up."""
        return self.give_up * self.whole

    def pays(self, gain: float, times: float) -> bool:
        """Return whether a proven gain is worth the ratio of times of a clip."""
        return not self.cheapest or gain > self.most or times <= TIME_RATIO


def is_cheaper(first: Cost, second: Cost) -> bool:
    """Return whether a clip costs at least a fifth less with the first than with the second."""
    if first.seconds * TIME_RATIO < second.seconds:
        return True
    if second.seconds * TIME_RATIO < first.seconds:
        return False
    for one, other in ((first.gmacs, second.gmacs), (first.parameters, second.parameters)):
        if min(one, other) < (1.0 - SAVING) * max(one, other):
            return one < other
    return False


def recommend(scored: Scored, costs: Sequence[Cost], rule: Rule = Rule()) -> int:
    """Return the number of the candidate to recommend; of equals the first counts as the best.

    Parameters
    ----------
    costs
        Of each candidate.
    """
    return int(Choosing(scored, costs, rule).chosen(np.ones((1, len(scored.clips_G))))[0])


class Choosing:
    """The rule, ready to be applied to many resamples of recordings."""

    def __init__(self, scored: Scored, costs: Sequence[Cost], rule: Rule) -> None:
        self._scored, self._most = scored, rule.most
        pairs = [[rule.cheapest and is_cheaper(a, b) for b in costs] for a in costs]
        self._cheaper_CC = np.array(pairs, np.bool_)
        # Seconds are left out: in which order the cheap ones are asked must not hang on load.
        self._order = sorted(range(len(costs)), key=lambda i: (costs[i].gmacs, costs[i].parameters))

    def chosen(self, weight_RG: Doubles, figure_RC: Doubles | None = None) -> Indices:
        """Return the candidate [R] that the rule takes in each resample.

        Parameters
        ----------
        weight_RG
            How often each recording was drawn.
        figure_RC
            What candidates score in each resample, where it is not their figure on it.
        """
        merit_RC = self._scored.drawn(weight_RG) if figure_RC is None else figure_RC
        if not self._scored.measure.higher_is_better:
            merit_RC = -merit_RC
        best_R: Indices = np.argmax(np.nan_to_num(merit_RC, nan=-np.inf), axis=1)
        chosen_R: Indices = best_R.copy()
        if not self._cheaper_CC.any():
            return chosen_R
        for best in np.unique(best_R):
            rows = np.flatnonzero(best_R == best)
            chosen_R[rows] = self._instead(int(best), weight_RG[rows], merit_RC[rows])
        return chosen_R

    def _instead(self, best: int, weight_RG: Doubles, merit_RC: Doubles) -> Indices:
        """Return who is taken [R] in resamples that have the same best."""
        lead_RC = merit_RC[:, [best]] - merit_RC
        error_RC = _lead_errors(best, weight_RG, *self._scored.linear)
        near_RC = lead_RC <= np.minimum(error_RC, self._most) + _EQUAL
        chosen_R: Indices = np.full(len(weight_RG), best)
        for i in self._order:
            if self._cheaper_CC[i, best]:
                taken_R = near_RC[:, i] & ((chosen_R == best) | self._cheaper_CC[i, chosen_R])
                chosen_R[taken_R] = i
        return chosen_R


def _lead_errors(best: int, weight_RG: Doubles, sums_GC: Doubles, size_G: Doubles) -> Doubles:
    """Return the error over recordings of the best's lead over each, [R, C]."""
    lead_GC = sums_GC[:, [best]] - sums_GC
    size_R1 = (weight_RG @ size_G)[:, None]
    mean_RC = (weight_RG @ lead_GC) / size_R1
    rest_RC = (
        weight_RG @ lead_GC**2
        - 2.0 * mean_RC * (weight_RG @ (lead_GC * size_G[:, None]))
        + mean_RC**2 * (weight_RG @ size_G**2)[:, None]
    )
    recordings = len(size_G)
    small = recordings / max(1, recordings - 1)
    error_RC: Doubles = np.sqrt(np.maximum(rest_RC, 0.0) * small) / size_R1
    return error_RC

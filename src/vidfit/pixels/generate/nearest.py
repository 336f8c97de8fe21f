"""Whether drawn clips are copies of clips that were learned from.

For each drawn clip the nearest clip that was learned from, beside the same of real clips that were
held back. Those come from recordings that were not learned from: a drawn clip of a place that was
may lie nearer without being a copy, so a second yardstick stands beside: how near the clips that
were learned from lie to those of other files.

Shape letters: N clips that were learned from, M drawn ones, H held back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vidfit.contracts import Indices
from vidfit.metrics.generated import Points, distances

_MOST_COMPARED = 2_000
"""Clips that were learned from whose nearest is sought."""


@dataclass(frozen=True)
class NearestLearned:
    """Distances to the nearest clip that was learned from.

    Parameters
    ----------
    drawn, held_back, learned
        Medians: of drawn clips, of real ones held back, and of those that were learned from to
        clips of other files.
    least_drawn, least_held_back
        The smallest.
    nearer
        Share of the drawn clips that lie nearer than any that was held back.
    nearer_than_learned
        Share of them nearer than 95 % of those that were learned from lie to other files.
    """

    drawn: float
    held_back: float
    learned: float
    least_drawn: float
    least_held_back: float
    nearer: float
    nearer_than_learned: float

    @property
    def copies(self) -> bool:
        """Whether a drawn clip is nearer than all that were held back."""
        return self.nearer > 0


def nearest_learned(
    learned_ND: Points, names: Sequence[str], drawn_MD: Points, held_back_HD: Points
) -> tuple[NearestLearned, Indices]:
    """Return how near drawn clips come, and which clip that was learned from is nearest, [M]."""
    to_drawn_MN = distances(drawn_MD, learned_ND)
    near_M = to_drawn_MN.min(axis=1)
    near_H = distances(held_back_HD, learned_ND).min(axis=1)
    some = np.random.default_rng(0).permutation(len(learned_ND))[:_MOST_COMPARED]
    within = distances(learned_ND[some], learned_ND)
    _, files = np.unique(np.asarray(names), return_inverse=True)
    same = files[some][:, None] == files[None, :]
    within[same] = np.inf
    near_N = within.min(axis=1)
    near_N = near_N[np.isfinite(near_N)]
    found = NearestLearned(
        drawn=float(np.median(near_M)),
        held_back=float(np.median(near_H)),
        learned=float(np.median(near_N)) if len(near_N) else float("nan"),
        least_drawn=float(near_M.min()),
        least_held_back=float(near_H.min()),
        nearer=float((near_M < near_H.min()).mean()),
        nearer_than_learned=float((near_M < np.quantile(near_N, 0.05)).mean())
        if len(near_N)
        else float("nan"),
    )
    return found, to_drawn_MN.argmin(axis=1)

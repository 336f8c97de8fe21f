"""How much each generator of a pool draws.

Shape letters: N real clips, D directions of the space that they are compared in.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vidfit.metrics.generated import Points, frechet_distance

PARTS = 10
"""Of which shares are made, at most."""


def shares_of(real_ND: Points, drawn: Sequence[Points], best: int) -> list[float]:
    """Return the share of each member in the mixture that lies nearest to real clips.

    Found as those of an ensemble (Caruana et al. 2004, "Ensemble selection from libraries of
    models"): the best alone is joined, part by part, by whichever brings the mixture nearest.

    Parameters
    ----------
    drawn
        Of each member as many points as there are real ones.
    best
        Which of them is the nearest alone.
    """

    def distance(counts: Sequence[int]) -> float:
        ends = np.rint(np.cumsum(counts) / sum(counts) * len(real_ND)).astype(int)
        starts = [0, *ends[:-1]]
        parts = [own[a:b] for own, a, b in zip(drawn, starts, ends, strict=True)]
        return frechet_distance(real_ND, np.concatenate(parts))

    counts = [int(place == best) for place in range(len(drawn))]
    found = [(distance(counts), counts)]
    for _ in range(PARTS - 1):
        joined = [
            [n + (place == one) for place, n in enumerate(counts)] for one in range(len(drawn))
        ]
        found.append(min((distance(these), these) for these in joined))
        counts = found[-1][1]
    _, counts = min(found)
    return [n / sum(counts) for n in counts]

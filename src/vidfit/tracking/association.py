"""Which box is which track: pairs that are alike enough, chosen together.

Shape letters: N tracks, M boxes, P pairs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidfit.boxes import Edges
from vidfit.contracts import Indices

_TINY = 1e-4


@dataclass(frozen=True, slots=True)
class TrackPairs:
    """Places of tracks and of the boxes that they were given; none stands in two pairs."""

    tracks_P: Indices
    boxes_P: Indices


def associate(alike_NM: Edges, least: float) -> TrackPairs:
    """Return the pairs that are alike by ``least`` or more and together the most alike.

    What a pair counts is by how much it is above ``least`` (Zhang et al., "ByteTrack" 2022, by
    the authors' code).
    """
    from scipy.optimize import linear_sum_assignment

    worth_NM = np.where(alike_NM >= least, alike_NM - least + _TINY, 0.0)
    tracks_P, boxes_P = linear_sum_assignment(worth_NM, maximize=True)
    real_P = worth_NM[tracks_P, boxes_P] > 0
    return TrackPairs(tracks_P[real_P], boxes_P[real_P])


def without(count: int, taken: Indices) -> NDArray[np.bool_]:
    """Return which of ``count`` places are not among those taken."""
    free = np.ones(count, bool)
    free[taken] = False
    return free

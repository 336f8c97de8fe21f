"""In which order clips are looked at, so that every beginning is a fair sample of the whole."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vidfit.contracts import Indices

FIRST_CLIPS, FIRST_CLIPS_A_CLASS = 24, 6
GROWTH = 3
"""Each round of a race looks at three times as many clips (successive halving's eta)."""

_LEAST_GROWTH = 1.5
_RECORDINGS_A_CLASS = 2


def spread_order(labels_M: Indices, groups: Sequence[str], *, seed: int = 0) -> Indices:
    """Return a permutation [M] whose beginnings hold every class and many recordings.

    Classes take turns, and within a class its recordings do: two clips of one recording tell
    less than two of different recordings.
    """
    rng = np.random.default_rng(seed)
    shuffled_M = rng.permutation(len(labels_M))
    group_M = np.unique(np.asarray(groups), return_inverse=True)[1]
    # How many clips of the same class and recording, then of the same class, stand before.
    turn_M = _rank_within(np.stack([labels_M, group_M])[:, shuffled_M])
    by_turn = shuffled_M[np.argsort(turn_M, kind="stable")]
    return by_turn[np.argsort(_rank_within(labels_M[None, by_turn]), kind="stable")]


def in_two_parts(labels_M: Indices, groups: Sequence[str], *, seed: int = 0) -> Indices:
    """Return a permutation [M] that shows half of the recordings before the other half.

    What a beginning of at most half of the clips tells has not been seen by the other recordings.
    Each part is in `spread_order`. Where half of the recordings do not hold two of every class
    there is one part only.
    """
    names = np.array(groups)
    dealt = np.random.default_rng(seed).permutation(np.unique(names))
    first_M = np.isin(names, dealt[::2])
    held = [len(np.unique(names[first_M & (labels_M == k)])) for k in np.unique(labels_M)]
    if min(held) < _RECORDINGS_A_CLASS:
        return spread_order(labels_M, groups, seed=seed)
    parts = []
    for rows in (np.flatnonzero(first_M), np.flatnonzero(~first_M)):
        own = [groups[int(i)] for i in rows]
        parts.append(rows[spread_order(labels_M[rows], own, seed=seed)])
    order: Indices = np.concatenate(parts)
    return order


def first_size(clips: int, classes: int) -> int:
    """Return how many clips are the least that candidates can be compared on."""
    return min(clips, max(FIRST_CLIPS, FIRST_CLIPS_A_CLASS * classes))


def round_sizes(clips: int, first: int) -> tuple[int, ...]:
    """Return how many clips each round looks at: a few, three times as many, ..., all."""
    sizes = [min(first, clips)]
    while sizes[-1] * GROWTH * _LEAST_GROWTH < clips:
        sizes.append(sizes[-1] * GROWTH)
    return (*sizes, clips) if sizes[-1] < clips else tuple(sizes)


def _rank_within(keys_NM: Indices) -> Indices:
    """Return for each column how many equal columns stand before it."""
    _, kind_M = np.unique(keys_NM, axis=1, return_inverse=True)
    order = np.argsort(kind_M, kind="stable")
    sorted_M = kind_M[order]
    first_M = np.searchsorted(sorted_M, sorted_M)
    rank_M = np.empty_like(order)
    rank_M[order] = np.arange(len(order)) - first_M
    return rank_M

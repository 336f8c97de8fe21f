"""N-grams with Witten-Bell interpolation: how probable each token of a sequence is.

Bell, Cleary and Witten, "Text compression" (1990), method C; interpolated as in Witten and Bell
(1991): ``p(x | c) = (n(c, x) + t(c) p(x | shorter c)) / (n(c) + t(c))`` with n times and t distinct
tokens after a context c.

No table is built. How often something stood before a place is its rank among its like, so that
one sort an order counts for all places at once.

Shape letters: N places of a sequence.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Indices

Doubles = NDArray[np.float64]
_Words = NDArray[np.uint64]

_MIX = np.uint64(0x9E3779B97F4A7C15)


def ngram(tokens_N: Indices, order: int, vocabulary: int, known: int | None = None) -> Doubles:
    """Return the probability [N] of each token by those before it.

    Parameters
    ----------
    tokens_N
        Numbers below the vocabulary.
    order
        Tokens that are looked at, the one that is said included: 7 looks at six before it.
    known
        So many tokens at the beginning are learned from, and nothing after them; ``None`` learns
        from all that came before each place.
    """
    count = len(tokens_N)
    said_N = tokens_N.astype(np.uint64) + np.uint64(1)
    found_N = np.full(count, 1.0 / vocabulary)
    context_N: _Words = np.zeros(count, np.uint64)
    for length in range(order):
        if length:
            before_N = np.concatenate([np.zeros(length, np.uint64), said_N[:-length]])[:count]
            context_N = _hashed(context_N, before_N)
        found_N = _interpolated(found_N, context_N, said_N, known)
    return found_N


def _hashed(context_N: _Words, token_N: _Words) -> _Words:
    """Return contexts that go one token further, as 64 bits: a clash is as rare as a lost byte."""
    mixed_N: _Words = (context_N ^ token_N) * _MIX + token_N
    return mixed_N ^ (mixed_N >> np.uint64(29))


def _interpolated(
    shorter_N: Doubles, context_N: _Words, said_N: _Words, known: int | None
) -> Doubles:
    place_N = np.arange(len(said_N))
    learned_N = np.ones(len(said_N)) if known is None else (place_N < known).astype(float)
    both_N = _hashed(context_N ^ np.uint64(0x5851F42D4C957F2D), said_N)
    same_N = _before(both_N, learned_N)
    new_N = learned_N * (same_N == 0)
    times_N, distinct_N = _before(context_N, learned_N), _before(context_N, new_N)
    total_N = times_N + distinct_N
    return np.where(
        total_N > 0, (same_N + distinct_N * shorter_N) / np.maximum(total_N, 1), shorter_N
    )


def _before(key_N: _Words, weight_N: Doubles) -> Doubles:
    """Return for each place the weight of places before it with its key."""
    order = np.argsort(key_N, kind="stable")
    sorted_key, weight = key_N[order], weight_N[order]
    running = np.cumsum(weight) - weight
    first = np.concatenate([[True], sorted_key[1:] != sorted_key[:-1]])
    start = np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))
    found_N = np.empty(len(order))
    found_N[order] = running - running[start]
    return found_N

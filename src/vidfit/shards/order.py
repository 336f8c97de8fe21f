"""In which order samples are read, by whom, and which of them were.

An epoch is a permutation of all samples that depends on index, seed and epoch alone. Whoever
reads takes a contiguous part of it; what was read is kept as few spans of places in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from vidfit.contracts import Indices

Spans = list[tuple[int, int]]
"""Places from a first to before a last, in increasing order, apart from one another."""


@dataclass(frozen=True)
class Order:
    """The order of one epoch.

    Shards are permuted, then samples within windows of some shards: so each part of an epoch is
    of few shards, and still mixed.

    Parameters
    ----------
    starts_S
        The first sample of each shard, and at the end how many there are: [shards + 1].
    seed
        Of the permutations; ``None`` reads all in the order of the shards.
    window
        Shards whose samples are mixed.
    """

    starts_S: Indices
    seed: int | None
    epoch: int
    window: int

    @cached_property
    def _shards(self) -> Indices:
        count = len(self.starts_S) - 1
        if self.seed is None:
            return np.arange(count)
        return np.random.default_rng((self.seed, self.epoch)).permutation(count)

    @cached_property
    def _edges(self) -> Indices:
        """Places at which windows begin, and the end."""
        sizes = np.diff(self.starts_S)[self._shards]
        ends = np.concatenate([[0], np.cumsum(sizes)])
        return np.append(ends[: -1 : self.window], ends[-1])

    def samples(self, spans: Spans) -> Iterator[tuple[int, Indices]]:
        """Yield the samples at places, as first place and samples [n], a window at a time."""
        for start, stop in spans:
            first = int(np.searchsorted(self._edges, start, "right")) - 1
            while start < stop:
                edge = min(stop, int(self._edges[first + 1]))
                low = int(self._edges[first])
                yield start, self._window(first)[start - low : edge - low]
                start, first = edge, first + 1

    def _window(self, number: int) -> Indices:
        shards = self._shards[number * self.window : (number + 1) * self.window]
        inside = np.concatenate([np.arange(self.starts_S[s], self.starts_S[s + 1]) for s in shards])
        if self.seed is None:
            return inside
        return np.random.default_rng((self.seed, self.epoch, number)).permutation(inside)


def total(spans: Spans) -> int:
    """Return how many places there are in spans."""
    return sum(stop - start for start, stop in spans)


def without(spans: Spans, taken: Spans) -> Spans:
    """Return the places of spans that are not taken."""
    left: Spans = []
    for start, stop in spans:
        for low, high in taken:
            if high <= start or low >= stop:
                continue
            if low > start:
                left.append((start, low))
            start = max(start, high)
        if start < stop:
            left.append((start, stop))
    return left


def joined(spans: Iterable[Sequence[int]]) -> Spans:
    """Return spans in order, with those that touch made one."""
    found: Spans = []
    for start, stop in sorted((int(a), int(b)) for a, b in spans):
        if start >= stop:
            continue
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(stop, found[-1][1]))
        else:
            found.append((start, stop))
    return found


def share(spans: Spans, number: int, count: int) -> Spans:
    """Return the part of spans that one of ``count`` readers takes; parts differ by at most 1."""
    whole = total(spans)
    low, high = number * whole // count, (number + 1) * whole // count
    found, at = [], 0
    for start, stop in spans:
        first, last = max(low - at, 0), min(high - at, stop - start)
        if first < last:
            found.append((start + first, start + last))
        at += stop - start
    return found

"""Footage that stands in several recordings: what grouped splits cannot know by themselves.

Frames are compared by perceptual hash, pair by pair of clips, so that no index needs tuning:
10,000 clips are 5 x 10^7 pairs, a few seconds of XOR and bit counts.

Shape letters: M clips, N frames of a clip, I and J clips of two blocks.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vidfit.manifest.groups import union
from vidfit.reported import NearDuplicate
from vidfit.threads import in_threads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from vidfit.contracts import Floats, Indices
    from vidfit.work import Launcher, Work

HASH_BITS = 64
THRESHOLD_BITS = 10.0
"""Below it two clips look the same.

Measured on 300 surveillance clips of 44 recordings, 60 of them copied: the nearest of 43,237
pairs of differing recordings lie 16 bits apart. Copies that were compressed hard, scaled or
brightened lie within 2, 2 and 10.5 bits; of copies that start a sixth or half of the clip
later 93 % lie below 10, of copies cropped by 5 % at each edge 37 %.
"""
MIN_CONTRAST = 4.0
"""Standard deviation of luma, 0-255, below which a frame is flat and its hash is noise."""
MIN_ALIGNED = 2
"""Frames that must look the same one after the other; a single one may do so by chance."""
PAIR_LIMIT = 100_000

_BLOCK = 512
_NO_MATCH = np.float32(np.inf)


@dataclass(frozen=True)
class _Codes:
    """Packed hashes uint64 [M, N] and which of them mean something, bool [M, N]."""

    bits_MN: NDArray[np.uint64]
    valid_MN: NDArray[np.bool_]

    def rows(self, start: int) -> _Codes:
        """Return one block of clips."""
        return _Codes(self.bits_MN[start : start + _BLOCK], self.valid_MN[start : start + _BLOCK])


def near_duplicates(
    keys: Sequence[str],
    groups: Sequence[str],
    hashes: Sequence[Floats],
    place: Launcher | None = None,
    *,
    threshold_bits: float = THRESHOLD_BITS,
) -> tuple[NearDuplicate, ...]:
    """Find clips of different recordings that show the same footage.

    Two clips are as far apart as the frames of the best alignment in time: the mean Hamming
    distance over frames i and i + s, for the shift s where it is least and at least
    ``MIN_ALIGNED`` textured frames meet. Mirrored, rotated and strongly cropped copies are
    not found.

    Parameters
    ----------
    keys
        Names of the clips [M].
    groups
        Recordings of the clips [M]; pairs inside one are not looked at.
    hashes
        Tokens [N, 65] of each clip by ``vidfit.features.fingerprint``: 64 bits as 0 or 1,
        and the contrast of the frame.
    place
        Where clips are compared; ``None`` is this thread.
    threshold_bits
        ClipPairs below this distance are returned, in (0, 64].

    Returns
    -------
    tuple of NearDuplicate
        Nearest first. Of more than ``PAIR_LIMIT`` pairs the nearest are kept, with a
        UserWarning.

    Raises
    ------
    ValueError
        If the lengths differ, tokens have another shape, or the threshold is out of range.
    """
    if not len(keys) == len(groups) == len(hashes):
        raise ValueError(
            f"{len(keys)} keys, {len(groups)} groups and {len(hashes)} hashes: there must be "
            "one of each for every clip."
        )
    if not 0 < threshold_bits <= HASH_BITS:
        raise ValueError(f"threshold_bits is {threshold_bits}; it must lie in (0, {HASH_BITS}].")
    if len(keys) < 2:
        return ()
    task = _Compare(_pack(hashes), _numbers(groups), threshold_bits)
    pairs_P2, distances_P = _search(task, place)
    order = np.lexsort((pairs_P2[:, 1], pairs_P2[:, 0], distances_P))
    return tuple(
        NearDuplicate(keys[int(i)], keys[int(j)], float(distance))
        for (i, j), distance in zip(pairs_P2[order], distances_P[order], strict=True)
    )


def merge_groups(
    keys: Sequence[str], groups: Sequence[str], pairs: Sequence[NearDuplicate]
) -> list[str]:
    """Join the recordings whose clips look the same, so that splits keep them together.

    Parameters
    ----------
    keys, groups
        Name and recording of each clip [M].
    pairs
        What ``near_duplicates`` found among these clips.

    Returns
    -------
    list of str
        The recording of each clip [M]; joined ones bear the name of the first of them.
    """
    group_of = dict(zip(keys, groups, strict=True))
    order = {group: i for i, group in enumerate(dict.fromkeys(groups))}
    linked = [
        sorted((group_of[pair.first], group_of[pair.second]), key=order.__getitem__)
        for pair in pairs
    ]
    joined = union((low, high) for low, high in sorted(linked, key=lambda two: order[two[0]]))
    return [joined.get(group, group) for group in groups]


def _numbers(groups: Sequence[str]) -> Indices:
    number = {group: i for i, group in enumerate(dict.fromkeys(groups))}
    return np.array([number[group] for group in groups], np.int64)


def _pack(hashes: Sequence[Floats]) -> _Codes:
    """Pack the bits of all clips; shorter clips are padded with frames that do not count."""
    longest = max(len(tokens_ND) for tokens_ND in hashes)
    bits_MN = np.zeros((len(hashes), longest), np.uint64)
    valid_MN = np.zeros((len(hashes), longest), bool)
    for i, tokens_ND in enumerate(hashes):
        if tokens_ND.ndim != 2 or tokens_ND.shape[1] != HASH_BITS + 1:
            raise ValueError(
                f"Hash tokens have the shape {tokens_ND.shape}; expected [N, {HASH_BITS + 1}]."
            )
        packed = np.packbits(tokens_ND[:, :HASH_BITS] > 0.5, axis=1)
        bits_MN[i, : len(packed)] = packed.view(np.uint64)[:, 0]
        valid_MN[i, : len(packed)] = tokens_ND[:, HASH_BITS] >= MIN_CONTRAST
    return _Codes(bits_MN, valid_MN)


@dataclass(frozen=True)
class Stripe:
    """Clips from ``start`` on, one block of them, compared with all that follow."""

    start: int


@dataclass(frozen=True)
class Near:
    """Rows of two clips that look the same, and how far they are apart in bits."""

    first: int
    second: int
    distance_bits: float


@dataclass(frozen=True)
class ClipPairs:
    """The nearest pairs of a stripe, at most ``PAIR_LIMIT``, and whether there were more."""

    near: tuple[Near, ...]
    cut: bool


@dataclass(frozen=True)
class _Compare:
    """The task of comparing stripes, wherever it runs (`vidfit.work.Workload`)."""

    codes: _Codes
    group_M: Indices
    threshold_bits: float
    item: type[Stripe] = Stripe
    result: type[ClipPairs] = ClipPairs

    def open(self, workers: int) -> Work[Stripe, ClipPairs]:
        """Return what compares stripes in their order."""
        return lambda stripes: in_threads(self._stripe, stripes, workers)

    def _stripe(self, stripe: Stripe) -> ClipPairs:
        found = _Nearest()
        i0 = stripe.start
        for j0 in range(i0, len(self.group_M), _BLOCK):
            distance_IJ = _distances(self.codes.rows(i0), self.codes.rows(j0))
            near_IJ = distance_IJ < self.threshold_bits
            near_IJ &= self.group_M[i0 : i0 + _BLOCK, None] != self.group_M[None, j0 : j0 + _BLOCK]
            if i0 == j0:
                near_IJ = np.triu(near_IJ, 1)
            if near_IJ.any():
                found.add(np.argwhere(near_IJ) + np.array([i0, j0]), distance_IJ[near_IJ])
        rows = zip(found.pairs.tolist(), found.distances.tolist(), strict=True)
        return ClipPairs(tuple(Near(i, j, distance) for (i, j), distance in rows), found.cut)


class _Nearest:
    """The nearest pairs so far."""

    def __init__(self) -> None:
        self.pairs, self.distances = np.empty((0, 2), np.int64), np.empty(0, np.float32)
        self.cut = False

    def add(self, pairs_P2: Indices, distances_P: NDArray[np.float32]) -> None:
        self.pairs = np.concatenate([self.pairs, pairs_P2])
        self.distances = np.concatenate([self.distances, distances_P])
        if len(self.pairs) > PAIR_LIMIT:
            self.cut = True
            kept = np.argsort(self.distances, kind="stable")[:PAIR_LIMIT]
            self.pairs, self.distances = self.pairs[kept], self.distances[kept]


def _search(task: _Compare, place: Launcher | None) -> tuple[Indices, NDArray[np.float32]]:
    """Return the pairs [P, 2] below the threshold, and their distances [P]."""
    stripes = [Stripe(start) for start in range(0, len(task.group_M), _BLOCK)]
    found = _Nearest()
    for pairs in place.map(task, stripes) if place else task.open(1)(stripes):
        found.cut |= pairs.cut
        if pairs.near:
            rows = np.array([(near.first, near.second) for near in pairs.near], np.int64)
            found.add(rows, np.array([near.distance_bits for near in pairs.near], np.float32))
    if found.cut:
        warnings.warn(
            f"More than {PAIR_LIMIT} pairs of clips look the same; the nearest are kept. Is the "
            "grouping right? Clips of one fixed camera belong in one group.",
            stacklevel=3,
        )
    return found.pairs, found.distances


def _distances(first: _Codes, second: _Codes) -> NDArray[np.float32]:
    """Return the distance [I, J] of every pair at its best alignment; inf where none counts."""
    frames = first.bits_MN.shape[1]
    least = min(MIN_ALIGNED, frames)
    best_IJ = np.full((len(first.bits_MN), len(second.bits_MN)), _NO_MATCH)
    for shift in range(least - frames, frames - least + 1):
        meeting = [(i, i + shift) for i in range(frames) if 0 <= i + shift < frames]
        np.minimum(best_IJ, _mean_distance(first, second, meeting, least), out=best_IJ)
    return best_IJ


def _mean_distance(
    first: _Codes, second: _Codes, meeting: list[tuple[int, int]], least: int
) -> NDArray[np.float32]:
    textured = bool(first.valid_MN.all() and second.valid_MN.all())
    shape = len(first.bits_MN), len(second.bits_MN)
    sum_IJ, count_IJ = np.zeros(shape, np.uint16), np.zeros(shape, np.uint16)
    for i, j in meeting:
        bits_IJ = np.bitwise_count(first.bits_MN[:, None, i] ^ second.bits_MN[None, :, j])
        if not textured:
            both_IJ = first.valid_MN[:, None, i] & second.valid_MN[None, :, j]
            bits_IJ *= both_IJ
            count_IJ += both_IJ
        sum_IJ += bits_IJ
    if textured:
        return sum_IJ * np.float32(1 / len(meeting))
    enough_IJ = count_IJ >= least
    return np.where(enough_IJ, sum_IJ / np.maximum(count_IJ, 1).astype(np.float32), _NO_MATCH)

"""Footage that stands in several recordings: what grouped splits cannot know by themselves.

Frames are compared by perceptual hash, each with the frame of the other clip that is nearest to
it, so that a later start, another speed or a longer video around it hide nothing. Pairs that are
worth that are found by sorting the hashes, so that the cost grows as the clips do, not as their
pairs (locality-sensitive hashing by bits: Indyk and Motwani 1998).

Shape letters: M clips, N frames of a clip, V versions of a frame, E hashes, P pairs.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vidfit.features.fingerprint import HASH_BITS, from_tokens
from vidfit.manifest.groups import union
from vidfit.reported import NearDuplicate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from vidfit.contracts import Floats, Indices

THRESHOLD_BITS = 10.0
"""Below it two clips look the same.

Of the 43,237 pairs of surveillance clips of differing recordings one lies nearer, and of the 7,085
of infrared clips of drones and birds, before an empty sky, eleven (`benchmarks.copies`).
"""
MIN_CONTRAST = 4.0
"""Standard deviation of luma, 0-255, below which a frame is flat and its hash is noise."""
MIN_ALIKE = 2
"""Frames that must look the same; a single one may do so by chance."""
PAIR_LIMIT = 100_000

_ALIKE = 4
"""Frames of a clip, those that the other clip shows best, that are looked at: half of them, so
that one may begin, end or be interrupted by what the other does not have."""
_TABLES = 16
_LEAST_KEY_BITS = 16
_NEIGHBOURS = 48
"""Of hashes that begin alike, this number is compared with each: a title or an empty street that
thousands show costs no more than that."""
_BLOCK_PAIRS = 4096
_NO_MATCH = np.float32(np.inf)


@dataclass(frozen=True)
class _Codes:
    """Hashes uint64 [M, N, V] and which frames mean something, bool [M, N]."""

    bits_MNV: NDArray[np.uint64]
    valid_MN: NDArray[np.bool_]


def near_duplicates(
    keys: Sequence[str],
    groups: Sequence[str],
    hashes: Sequence[Floats],
    *,
    threshold_bits: float = THRESHOLD_BITS,
) -> tuple[NearDuplicate, ...]:
    """Find clips of different recordings that show the same footage.

    Two clips are as far apart as the best half of the frames of one are from those frames of the
    other that are nearest to each, in bits, where at least ``MIN_ALIKE`` textured frames are
    there; of both directions, and of the versions of one clip (mirrored, cut) against the other
    as it is, the nearest counts. Time and memory grow in proportion to the clips.

    Parameters
    ----------
    keys
        Names of the clips [M].
    groups
        Recordings of the clips [M]; pairs inside one are not looked at.
    hashes
        Tokens of each clip by `vidfit.features.fingerprint`; of frames in any number, all in as
        many versions. Clips without frames are like no other.
    threshold_bits
        Pairs below this distance are returned, in (0, 64].

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
    shown = [i for i, tokens_ND in enumerate(hashes) if len(tokens_ND)]
    if len(shown) < 2:
        return ()
    keys, groups = [keys[i] for i in shown], [groups[i] for i in shown]
    hashes = [hashes[i] for i in shown]
    codes = _pack(hashes)
    found = _Nearest()
    for pairs_P2 in _blocks(_alike(codes, _numbers(groups), threshold_bits)):
        distances_P = _distances(codes, pairs_P2)
        near_P = distances_P < threshold_bits
        found.add(pairs_P2[near_P], distances_P[near_P])
    if found.cut:
        warnings.warn(
            f"More than {PAIR_LIMIT} pairs of clips look the same; the nearest are kept. Is the "
            "grouping right? Clips of one fixed camera belong in one group.",
            stacklevel=2,
        )
    order = np.lexsort((found.pairs[:, 1], found.pairs[:, 0], found.distances))
    return tuple(
        NearDuplicate(keys[int(i)], keys[int(j)], float(distance))
        for (i, j), distance in zip(found.pairs[order], found.distances[order], strict=True)
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
    """Pack the hashes of all clips; shorter clips are padded with frames that do not count."""
    unpacked = [from_tokens(tokens_ND) for tokens_ND in hashes]
    longest = max(len(codes_NV) for codes_NV, _ in unpacked)
    bits_MNV = np.zeros((len(hashes), longest, unpacked[0][0].shape[1]), np.uint64)
    valid_MN = np.zeros((len(hashes), longest), bool)
    for i, (codes_NV, contrast_N) in enumerate(unpacked):
        bits_MNV[i, : len(codes_NV)] = codes_NV
        valid_MN[i, : len(codes_NV)] = contrast_N >= MIN_CONTRAST
    return _Codes(bits_MNV, valid_MN)


def _alike(codes: _Codes, group_M: Indices, threshold_bits: float) -> Indices:
    """Return pairs of clips [P, 2] of differing recordings of which two hashes are near.

    The best frames of a pair below the threshold lie below it themselves. Hashes that are sorted
    by their first bits have those that share them beside them; sorted once for each rotation,
    most near hashes meet somewhere.
    """
    clip_E = np.repeat(np.arange(len(group_M)), codes.valid_MN.sum(axis=1) * _versions(codes))
    code_E = codes.bits_MNV[codes.valid_MN].ravel()
    found = np.empty(0, np.int64)
    for table in range(_TABLES if len(code_E) else 0):
        turn = np.uint64(table * HASH_BITS // _TABLES)
        turned_E = (code_E << turn) | (code_E >> np.uint64(-int(turn) % HASH_BITS))
        new = [*_meeting(turned_E, clip_E, group_M, threshold_bits)]
        found = np.unique(np.concatenate([found, *new]))
    return np.column_stack(np.divmod(found, len(group_M)))


def _versions(codes: _Codes) -> int:
    return int(codes.bits_MNV.shape[2])


def _meeting(
    code_E: NDArray[np.uint64], clip_E: Indices, group_M: Indices, threshold_bits: float
) -> Iterator[Indices]:
    """Yield pairs of clips, each as one number, whose hashes begin alike and are near."""
    order = np.argsort(code_E)
    code_E, clip_E = code_E[order], clip_E[order]
    key_bits = max(_LEAST_KEY_BITS, len(code_E).bit_length())
    key_E = code_E >> np.uint64(HASH_BITS - key_bits)
    at = np.arange(len(code_E))
    for step in range(1, _NEIGHBOURS + 1):
        at = at[at < len(code_E) - step]
        at = at[key_E[at] == key_E[at + step]]
        if not len(at):
            return
        apart = group_M[clip_E[at]] != group_M[clip_E[at + step]]
        near = at[apart & (np.bitwise_count(code_E[at] ^ code_E[at + step]) < threshold_bits)]
        low, high = clip_E[near], clip_E[near + step]
        yield np.unique(np.minimum(low, high) * len(group_M) + np.maximum(low, high))


def _blocks(pairs_P2: Indices) -> Iterator[Indices]:
    return (pairs_P2[i : i + _BLOCK_PAIRS] for i in range(0, len(pairs_P2), _BLOCK_PAIRS))


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


def _distances(codes: _Codes, pairs_P2: Indices) -> NDArray[np.float32]:
    """Return the distance [P] of pairs; inf where none counts."""
    first, second = pairs_P2.T
    valid_first_PN, valid_second_PN = codes.valid_MN[first], codes.valid_MN[second]
    both_PNN = valid_first_PN[:, :, None] & valid_second_PN[:, None, :]
    first_PNV, second_PNV = codes.bits_MNV[first], codes.bits_MNV[second]
    best_P = np.full(len(pairs_P2), _NO_MATCH)
    one_as_it_is = [(0, v) for v in range(_versions(codes))]
    for one, other in {*one_as_it_is, *((v, 0) for _, v in one_as_it_is)}:
        bits_PNN = np.bitwise_count(first_PNV[:, :, None, one] ^ second_PNV[:, None, :, other])
        bits_PNN = np.where(both_PNN, bits_PNN, _NO_MATCH)
        for nearest_PN in (bits_PNN.min(axis=2), bits_PNN.min(axis=1)):
            np.minimum(best_P, _mean_of_best(nearest_PN), out=best_P)
    return best_P


def _mean_of_best(nearest_PN: Floats) -> NDArray[np.float32]:
    """Return the mean [P] of the least distances of frames, inf where too few have one."""
    least_PN = np.sort(nearest_PN, axis=1)[:, :_ALIKE]
    counts_PN = np.isfinite(least_PN)
    count_P = counts_PN.sum(axis=1)
    mean_P = np.where(counts_PN, least_PN, 0).sum(axis=1) / np.maximum(count_P, 1)
    enough_P = count_P >= min(MIN_ALIKE, nearest_PN.shape[1])
    return np.where(enough_P, mean_P, _NO_MATCH).astype(np.float32)

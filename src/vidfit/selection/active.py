"""Which clips to label next, so that few labels teach much.

For the first labels the most typical clips of large groups of look-alikes, which need no probe
(TypiClust; Hacohen, Dekel and Weinshall 2022, Active learning on a budget: opposite strategies
suit high and low budgets). Once there are `LABELS_A_CLASS` labels a class, those between whose two
best classes a calibrated probe can hardly tell (margin; Scheffer, Decomain and Wrobel 2001), one
of each recording in turn. First the one, then the other is TCM (Doucet, Estermann, Aczel and
Wattenhofer 2024).

Shape letters: M clips, D features of a vector, K classes, R coordinates, C clusters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Floats, Indices
from vidfit.errors import NotEnoughDataError, VidfitError
from vidfit.fusion.linear import cross_fit, fit_linear
from vidfit.fusion.span import Span
from vidfit.labels.one import NO_LABEL
from vidfit.metrics import fit_temperature, probabilities
from vidfit.shown import counted

Method = Literal["typical", "margin"]

LABELS_A_CLASS = 8
"""Mean labels a class from which on the margin of a probe chooses."""

NEIGHBOURS = 20
_SMALL_CLUSTER = 5
_MOST_CLUSTERS = 500
_FOLDS = 5
_PENALTY = 3.0
"""Of the probe where there are too few labels to choose it (scikit-learn's ``C``)."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Pool:
    """Clips, of which some have a label.

    Parameters
    ----------
    blocks
        What each backbone saw in each clip, pooled over time, [M, D_i].
    labels_M
        Class numbers 0..K-1; `NO_LABEL` where none is known.
    groups
        The recording of each clip.
    classes
        Names of the classes that are known so far.
    """

    blocks: Sequence[Floats]
    labels_M: Indices
    groups: Sequence[str]
    classes: Sequence[str]

    @property
    def labelled_M(self) -> Mask:  # noqa: N802
        """Whether each clip has a label."""
        known_M: Mask = self.labels_M != NO_LABEL
        return known_M


@dataclass(frozen=True)
class Proposal:
    """A clip to label: its row in the pool, what chose it, and why in words."""

    row: int
    method: Method
    why: str


def next_clips(pool: Pool, count: int, *, seed: int = 0) -> list[Proposal]:
    """Choose the clips to label next, the most telling first.

    Returns
    -------
    list
        ``count`` proposals, or all clips without a label when those are fewer; the same for
        the same seed.

    Raises
    ------
    VidfitError
        If ``count`` is below 1, or rows do not match.
    """
    _check(pool, count)
    count = min(count, int((~pool.labelled_M).sum()))
    if not count:
        return []
    if suited(pool.labels_M) == "typical":
        return most_typical(pool, count, seed=seed)
    return least_margin(pool, probe_answers(pool, seed=seed), count)


def suited(labels_M: Indices) -> Method:
    """Return the method for a number of labels: margin from `LABELS_A_CLASS` a class on average."""
    found = np.unique(labels_M[labels_M != NO_LABEL], return_counts=True)[1]
    return "margin" if len(found) > 1 and found.mean() >= LABELS_A_CLASS else "typical"


def most_typical(pool: Pool, count: int, *, seed: int = 0) -> list[Proposal]:
    """Return the most typical clips of the largest clusters that have no label.

    There are as many clusters (k-means) as labels given and wanted. They are taken by the fewest
    labels, between equals the largest first; those below five clips, mostly outliers, come last.
    """
    x_MR = directions(pool.blocks)
    cluster_M = clusters(x_MR, int(pool.labelled_M.sum()) + count, seed)
    open_M = ~pool.labelled_M
    proposals: list[Proposal] = []
    for cluster in cycle(_by_need(cluster_M, pool.labelled_M)):
        if len(proposals) == count:
            break
        members = np.flatnonzero(open_M & (cluster_M == cluster))
        if not len(members):
            continue
        row = int(members[typicality(x_MR[members]).argmax()])
        open_M[row] = False
        size = int((cluster_M == cluster).sum())
        labels = int((pool.labelled_M & (cluster_M == cluster)).sum())
        proposals.append(Proposal(row, "typical", _stands_for(size, labels)))
    return proposals


def _stands_for(size: int, labels: int) -> str:
    if size == 1:
        return "no other clip looks like it"
    return f"typical of {size} clips that look alike, of which {labels or 'none'} had a label"


def directions(blocks: Sequence[Floats]) -> NDArray[np.float64]:
    """Return standardised vectors of length 1, [M, R]: how long they are says little of looks."""
    x_MR = Span.of(blocks).coordinates_MR
    length_M1 = np.linalg.norm(x_MR, axis=1, keepdims=True)
    result: NDArray[np.float64] = x_MR / np.maximum(length_M1, 1e-12)
    return result


def clusters(x_MR: NDArray[np.float64], count: int, seed: int) -> Indices:
    """Return the cluster [M] of each clip by k-means; not more clusters than distinct clips."""
    from sklearn.cluster import KMeans

    distinct = len(np.unique(x_MR, axis=0))
    count = min(count, distinct, _MOST_CLUSTERS)
    found: Indices = KMeans(count, n_init=1, random_state=seed).fit(x_MR).labels_.astype(np.int64)
    return found


def _by_need(cluster_M: Indices, labelled_M: Mask) -> list[int]:
    """Return the clusters in the order in which they are asked."""
    size_C = np.bincount(cluster_M)
    labels_C = np.bincount(cluster_M[labelled_M], minlength=len(size_C))
    found = np.flatnonzero(size_C)
    return sorted(
        map(int, found), key=lambda c: (size_C[c] < _SMALL_CLUSTER, labels_C[c], -size_C[c])
    )


def typicality(x_MR: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the inverse mean distance [M] of each clip to its `NEIGHBOURS` nearest others.

    In a small cluster, to the nearer half of it.
    """
    from sklearn.neighbors import NearestNeighbors

    neighbours = min(NEIGHBOURS, max(len(x_MR) // 2, 1))
    if len(x_MR) < 2:
        return np.ones(len(x_MR))
    near = NearestNeighbors(n_neighbors=neighbours).fit(x_MR)
    distance_MN, _ = near.kneighbors()
    inverse_M: NDArray[np.float64] = 1.0 / (distance_MN.mean(axis=1) + 1e-5)
    return inverse_M


def least_margin(pool: Pool, answers_MK: Floats, count: int) -> list[Proposal]:
    """Return the clips with the smallest difference of the two best probabilities.

    Spread over recordings: no recording is asked a second time before all that are left were
    asked once, because its clips look alike and one answer tells of the others.

    Parameters
    ----------
    answers_MK
        Probabilities of the classes, [M, K], two classes or more.
    """
    best_M2 = np.sort(answers_MK, axis=1)[:, :-3:-1]
    margin_M = best_M2[:, 0] - best_M2[:, 1]
    open_rows = np.flatnonzero(~pool.labelled_M)
    in_order = open_rows[np.argsort(margin_M[open_rows], kind="stable")]
    asked: dict[str, int] = {}
    turn = {}
    for row in map(int, in_order):
        turn[row] = asked.get(pool.groups[row], 0)
        asked[pool.groups[row]] = turn[row] + 1
    rows = sorted(turn, key=lambda row: (turn[row], margin_M[row]))[:count]
    return [
        Proposal(
            row,
            "margin",
            f"{_two_best(answers_MK[row], pool.classes)}: "
            f"{_least_sure(turn[row], asked[pool.groups[row]])}",
        )
        for row in rows
    ]


def _two_best(answer_K: Floats, classes: Sequence[str]) -> str:
    first, second = np.argsort(-answer_K, kind="stable")[:2]
    return f"{classes[first]} {answer_K[first]:.0%}, {classes[second]} {answer_K[second]:.0%}"


def _least_sure(turn: int, count: int) -> str:
    """Say how a clip stands among the ``count`` of its recording that have no label.

    A probe may be sure of all clips of a recording: the least sure is asked all the same.
    """
    if count == 1:
        return "the only clip of its recording without a label"
    if turn == 0:
        return f"the least sure of {counted(count, 'clip')} of its recording without a label"
    return (
        f"among the {turn + 1} least sure of {counted(count, 'clip')} of its recording "
        "without a label"
    )


def probe_answers(pool: Pool, *, seed: int = 0) -> Floats:
    """Return calibrated probabilities [M, K] of all clips by a linear probe on the labelled ones.

    Its penalty and temperature are those of the lowest log-loss on recordings left out; where
    a class is known from one recording only, there are none, and both stay at a fixed value.

    Raises
    ------
    NotEnoughDataError
        If fewer than two classes have a label.
    """
    known_M = pool.labelled_M
    labels_M = pool.labels_M[known_M]
    if len(np.unique(labels_M)) < 2:
        raise NotEnoughDataError(
            f"the labels are of {'one class' if len(labels_M) else 'no class'}; a probe needs "
            "two: label clips of another class first"
        )
    blocks = [block[known_M] for block in pool.blocks]
    groups = [pool.groups[int(row)] for row in np.flatnonzero(known_M)]
    folds_M = _folds(labels_M, groups, seed)
    if folds_M is None:
        probe, temperature = fit_linear(blocks, labels_M, _PENALTY), 1.0
    else:
        probe, held_out_MK = cross_fit(blocks, labels_M, folds_M)
        temperature = fit_temperature(held_out_MK, labels_M)
    answers_MK = probabilities(probe.log_probabilities(pool.blocks), temperature)
    missing = len(pool.classes) - answers_MK.shape[1]
    return np.pad(answers_MK, ((0, 0), (0, missing)))


def _folds(labels_M: Indices, groups: Sequence[str], seed: int) -> Indices | None:
    """Deal recordings to folds; ``None`` where a class is known from one recording only."""
    from sklearn.model_selection import StratifiedGroupKFold

    of_class = [{groups[int(i)] for i in np.flatnonzero(labels_M == k)} for k in set(labels_M)]
    count = min(_FOLDS, *map(len, of_class))
    if count < 2:
        return None
    folds_M = np.zeros(len(labels_M), np.int64)
    deal = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    for fold, (_, held_out) in enumerate(deal.split(labels_M, labels_M, groups)):
        folds_M[held_out] = fold
    return folds_M


def _check(pool: Pool, count: int) -> None:
    if count < 1:
        raise VidfitError(f"count is {count}; give the number of clips to label next, 1 or more")
    rows = {len(pool.labels_M), len(pool.groups), *map(len, pool.blocks)}
    if len(rows) > 1 or not pool.blocks:
        raise VidfitError(
            f"vectors, labels and recordings have {sorted(rows)} rows; valid is one row a clip"
        )

"""Folds and hold-outs that never cut a recording."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from vidfit.errors import NotEnoughDataError
from vidfit.manifest.value import Manifest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from vidfit.contracts import Indices

TRIALS = 8
GROUPS_PER_TRIAL_BUDGET = 4000
HOLDOUT_TRIALS = 16
GROUPS_IMPROVED = 500
PASSES = 4


def grouped_folds(
    labels: Manifest | Sequence[str],
    groups: Sequence[str] | None = None,
    *,
    folds: int,
    seed: int,
) -> Indices:
    """Deal clips to folds so that classes are balanced and no recording is cut.

    Of several shuffles the one whose folds come nearest to the class shares is taken;
    recordings are moved when a class would be missing from a training side.

    Parameters
    ----------
    labels
        A manifest, or one label a clip [M].
    groups
        One recording a clip [M]; taken from the manifest when ``labels`` is one.
    folds
        At least 2. Lowered, with a UserWarning, to the recordings of the rarest class.
    seed
        The same seed gives the same folds.

    Returns
    -------
    numpy.ndarray
        The fold of each clip, int64 [M], in ``[0, folds)``.

    Raises
    ------
    NotEnoughDataError
        If a class has clips of fewer than two recordings, or no assignment leaves every
        class on every training side.
    """
    labels, groups = _labels_and_groups(labels, groups)
    counts_GK, group_M = _count(labels, groups)
    classes = sorted(set(labels))
    folds = _allowed_folds(counts_GK, classes, folds)
    trials = max(1, min(TRIALS, GROUPS_PER_TRIAL_BUDGET // len(counts_GK)))
    options = [_deal(labels, group_M, folds, seed + 7919 * trial) for trial in range(trials)]
    fold_G = best_of(options, counts_GK, folds)
    if _lone_classes(counts_GK, fold_G).size:
        fold_G = improved(counts_GK, fold_G, folds)
    lone = _lone_classes(counts_GK, fold_G)
    if lone.size:
        raise NotEnoughDataError(
            f"The recordings of {', '.join(classes[int(k)] for k in lone[:5])} cannot be spread "
            f"over {folds} folds. Add recordings of these classes, or ask for more folds."
        )
    return fold_G[group_M]


def random_folds(labels: Manifest | Sequence[str], folds: int, seed: int) -> Indices:
    """Deal clips to folds by class, blind to recordings: the split that leaks.

    It is measured only to show how far its score lies above the honest one.

    Parameters
    ----------
    labels
        A manifest, or one label a clip [M].
    folds
        At least 2.
    seed
        The same seed gives the same folds.

    Returns
    -------
    numpy.ndarray
        The fold of each clip, int64 [M]; a class is spread to within one clip a fold.

    Raises
    ------
    NotEnoughDataError
        If a class has a single clip.
    """
    names = np.asarray(labels.labels if isinstance(labels, Manifest) else labels, dtype=object)
    _check_folds(folds)
    random = np.random.default_rng(seed)
    fold_M = np.empty(len(names), np.int64)
    dealt = 0
    for label in sorted(set(names)):
        members = np.flatnonzero(names == label)
        if len(members) < 2:
            raise NotEnoughDataError(f"Class {label!r} has one clip; at least 2 are needed.")
        # Dealing goes on where the last class stopped, so that the folds are of one size.
        fold_M[random.permutation(members)] = (dealt + np.arange(len(members))) % folds
        dealt += len(members)
    return fold_M


def holdout(
    manifest: Manifest, fraction: float, seed: int, counts: tuple[Indices, Indices] | None = None
) -> Manifest:
    """Mark whole recordings as test, about ``fraction`` of each class, and the rest as train.

    Of each class a recording stays in train: a class of a single one is not tested.

    Parameters
    ----------
    manifest
        Clips with groups; labels are balanced when there are any.
    fraction
        Share of the clips to hold out, in (0, 1).
    seed
        The same seed gives the same split.
    counts
        Clips per recording and stratum [G, X], and the recording of each clip [M], where labels
        are no classes; see `vidfit.manifest.balanced.counted_strata`.

    Returns
    -------
    Manifest
        The same clips, each with ``split`` ``"train"`` or ``"test"``.

    Raises
    ------
    NotEnoughDataError
        If no recording can be held out: each holds a class that has no other.
    ValueError
        If the fraction is not between 0 and 1.
    """
    if not 0 < fraction < 1:
        raise ValueError(f"fraction is {fraction}; it must lie between 0 and 1.")
    labels = [clip.label or "" for clip in manifest.clips]
    counts_GK, group_M = counts or _count(labels, manifest.groups)
    random = np.random.default_rng(seed)
    options = [_take_share(counts_GK, fraction, random) for _ in range(HOLDOUT_TRIALS)]
    test_G = min(options, key=lambda test_G: _share_badness(counts_GK, test_G, fraction))
    if not test_G.any():
        raise NotEnoughDataError(
            f"No recording of {len(counts_GK)} can be held out: each holds a class that no other "
            "recording holds. Add clips of other recordings."
        )
    clips = tuple(
        replace(clip, split="test" if test_G[group] else "train")
        for clip, group in zip(manifest.clips, group_M, strict=True)
    )
    return replace(manifest, clips=clips)


def _labels_and_groups(
    labels: Manifest | Sequence[str], groups: Sequence[str] | None
) -> tuple[Sequence[str], Sequence[str]]:
    if isinstance(labels, Manifest):
        return labels.labels, labels.groups if groups is None else groups
    if groups is None or len(groups) != len(labels):
        given = "none" if groups is None else str(len(groups))
        raise ValueError(f"{len(labels)} labels need as many groups; got {given}.")
    return labels, groups


def _count(labels: Sequence[str], groups: Sequence[str]) -> tuple[Indices, Indices]:
    """Return clips per group and class [G, K], and the group of each clip [M]."""
    if not labels:
        raise NotEnoughDataError("There are no clips to split.")
    _, class_M = np.unique(np.asarray(labels, dtype=object), return_inverse=True)
    names, group_M = np.unique(np.asarray(groups, dtype=object), return_inverse=True)
    counts_GK = np.zeros((len(names), int(class_M.max()) + 1), np.int64)
    np.add.at(counts_GK, (group_M, class_M), 1)
    return counts_GK, group_M.astype(np.int64)


def _check_folds(folds: int) -> None:
    if folds < 2:
        raise ValueError(f"folds is {folds}; at least 2 are needed.")


def _allowed_folds(counts_GK: Indices, classes: Sequence[str], folds: int) -> int:
    _check_folds(folds)
    groups_K = (counts_GK > 0).sum(axis=0)
    rarest = int(groups_K.argmin())
    if groups_K[rarest] < 2:
        poor = [classes[int(k)] for k in np.flatnonzero(groups_K < 2)]
        raise NotEnoughDataError(
            f"{', '.join(repr(name) for name in poor[:5])}: all clips come from one recording, "
            "so none could be tested on a recording not seen in training. Add clips of a "
            "second recording, or leave the class out."
        )
    if groups_K[rarest] < folds:
        warnings.warn(
            f"{folds} folds lowered to {groups_K[rarest]}: class {classes[rarest]!r} has clips "
            f"of {groups_K[rarest]} recordings only.",
            stacklevel=3,
        )
    return min(folds, int(groups_K[rarest]))


def _deal(labels: Sequence[str], group_M: Indices, folds: int, seed: int) -> Indices:
    """Return the fold of each group [G] from one shuffle."""
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    lone_clips = len(np.unique(group_M)) == len(group_M)
    # With a group a clip the plain splitter is the same, and fast for many clips.
    kind = StratifiedKFold if lone_clips else StratifiedGroupKFold
    splitter = kind(n_splits=folds, shuffle=True, random_state=seed)
    fold_G = np.zeros(int(group_M.max()) + 1, np.int64)
    dummy = np.zeros((len(group_M), 1))
    parts = splitter.split(dummy, np.asarray(labels), None if lone_clips else group_M)
    for fold, (_, test) in enumerate(parts):
        fold_G[group_M[test]] = fold
    return fold_G


def per_fold(counts_GK: Indices, fold_G: Indices, folds: int) -> Indices:
    """Return clips per fold and class, [F, K]."""
    counts_FK = np.zeros((folds, counts_GK.shape[1]), np.int64)
    np.add.at(counts_FK, fold_G, counts_GK)
    return counts_FK


def badness(counts_FK: Indices) -> tuple[int, int, float]:
    """Rate folds: classes missing from training, from testing, distance to equal shares."""
    return _badness_of_each(counts_FK[None])[0]


def _badness_of_each(counts_DFK: Indices) -> list[tuple[int, int, float]]:
    """Return the same of several deals of the same clips."""
    deals, folds = counts_DFK.shape[:2]
    total_K = counts_DFK[0].sum(axis=0)
    missing_D = (counts_DFK == total_K).reshape(deals, -1).sum(axis=1)
    untested_D = (counts_DFK == 0).reshape(deals, -1).sum(axis=1)
    distance_D = ((counts_DFK / total_K - 1 / folds) ** 2).reshape(deals, -1).mean(axis=1)
    return list(zip(missing_D.tolist(), untested_D.tolist(), distance_D.tolist(), strict=True))


def best_of(options: Sequence[Indices], counts_GK: Indices, folds: int) -> Indices:
    """Return the best of several deals, each improved where recordings are few."""
    if len(counts_GK) <= GROUPS_IMPROVED:
        options = [improved(counts_GK, fold_G, folds) for fold_G in options]
    return min(options, key=lambda fold_G: badness(per_fold(counts_GK, fold_G, folds)))


def _lone_classes(counts_GK: Indices, fold_G: Indices) -> Indices:
    """Return the classes whose recordings all lie in one fold."""
    lone = [k for k in range(counts_GK.shape[1]) if len(np.unique(fold_G[counts_GK[:, k] > 0])) < 2]
    return np.asarray(lone, np.int64)


def improved(counts_GK: Indices, fold_G: Indices, folds: int) -> Indices:
    """Move single recordings between folds while that makes the folds better."""
    fold_G = fold_G.copy()
    counts_FK = per_fold(counts_GK, fold_G, folds)
    best = badness(counts_FK)
    for _ in range(PASSES):
        before = best
        for group in np.argsort(-counts_GK.sum(axis=1), kind="stable"):
            first = 0
            while first < folds:
                moved_DFK = np.repeat(counts_FK[None], folds - first, axis=0)
                moved_DFK[:, fold_G[group]] -= counts_GK[group]
                moved_DFK[np.arange(folds - first), np.arange(first, folds)] += counts_GK[group]
                found = _badness_of_each(moved_DFK)
                better = next((d for d, one in enumerate(found) if one < best), None)
                if better is None:
                    break
                best, counts_FK, fold_G[group] = found[better], moved_DFK[better], first + better
                first += better + 1
        if best == before:
            break
    return fold_G


def _take_share(
    counts_GK: Indices, fraction: float, random: np.random.Generator
) -> NDArray[np.bool_]:
    """Take groups in random order while they bring every class nearer to its share."""
    want_K = np.maximum(fraction * counts_GK.sum(axis=0), 1e-9)
    left_K = (counts_GK > 0).sum(axis=0)
    have_K = np.zeros(counts_GK.shape[1])
    test_G = np.zeros(len(counts_GK), bool)
    for group in random.permutation(len(counts_GK)):
        row_K = counts_GK[group]
        held = row_K > 0
        before = np.abs(have_K[held] / want_K[held] - 1).sum()
        after = np.abs((have_K[held] + row_K[held]) / want_K[held] - 1).sum()
        needed = bool((have_K[held] == 0).any())
        if (left_K[held] > 1).all() and (after < before or needed):
            test_G[group] = True
            have_K += row_K
            left_K = left_K - held
    return test_G


def _share_badness(
    counts_GK: Indices, test_G: NDArray[np.bool_], fraction: float
) -> tuple[int, float]:
    taken_K = counts_GK[test_G].sum(axis=0)
    share_K = taken_K / counts_GK.sum(axis=0)
    return int((taken_K == 0).sum()), float(np.abs(share_K - fraction).mean())

"""Training clips without a fold, as if its labels had never been seen.

Out-of-fold answers to fold g come from probes that saw the labels of fold f. A regression on
them that is free in its signs learns from these traces, and its answers to fold f look better
than they are: on random labels, 39 % right where chance is 33 % (1200 clips in 8 problems).
Weights that cannot be negative (`vidfit.fusion.stack`) cannot use the traces so: 33 %.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Floats, Indices
from vidfit.fusion.linear import cross_fit
from vidfit.fusion.member import Member, Training
from vidfit.fusion.probes import with_classes


def without_fold(training: Training, fold: int) -> Training:
    """Return the clips outside a fold, with probes and answers that never saw the fold.

    Where the other folds cannot be cross-validated (one is left, or one class without one of
    them), the members keep their probes and answers.
    """
    kept = training.folds_M != fold
    labels_M, folds_M = training.labels_M[kept], training.folds_M[kept]
    fresh = can_cross_fit(labels_M, folds_M)
    members = []
    for member in training.members:
        # A member is known by its identity; whoever holds the memory keeps it alive.
        key = id(member), int(fold)
        if key not in training.memory:
            training.memory[key] = _without(member, kept, labels_M, folds_M if fresh else None)
        members.append(training.memory[key])
    return Training(tuple(members), labels_M, folds_M)


def _without(
    member: Member, kept: NDArray[np.bool_], labels_M: Indices, folds_M: Indices | None
) -> Member:
    """Return a member on the clips kept; fitted anew where there are folds for that."""
    classes = member.out_of_fold_MK.shape[1]
    part = replace(
        member,
        vectors_MD=member.vectors_MD[kept],
        out_of_fold_MK=member.out_of_fold_MK[kept],
        steps_MX=None if member.steps_MX is None else member.steps_MX[kept],
    )
    if folds_M is None:
        return part
    probe, out_MK = cross_fit([part.vectors_MD], labels_M, folds_M)
    return replace(
        part, probe=with_classes(probe, classes), out_of_fold_MK=with_columns(out_MK, classes)
    )


def with_columns(answers_MK: Floats, classes: int) -> Floats:
    """Return log-probabilities with columns for classes that no fit has seen."""
    missing = max(classes - answers_MK.shape[1], 0)
    return np.pad(answers_MK, ((0, 0), (0, missing)), constant_values=-20.0)


def can_cross_fit(labels_M: Indices, folds_M: Indices) -> bool:
    """Return whether two classes are left whichever fold is left out."""
    return all(len(np.unique(labels_M[folds_M != fold])) > 1 for fold in np.unique(folds_M))

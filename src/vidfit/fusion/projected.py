"""A linear probe in a space of fewer dimensions, which is found without labels.

The projection looks at all members' vectors, so its fit must not see the clips that are held
out, although it knows no label. Projection and probe together are one linear probe.

Shape letters: D dimensions of all members side by side, R dimensions that are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Floats, Indices
from vidfit.fusion.linear import PENALTIES, Linear, fit_linear, log_loss
from vidfit.fusion.member import Fitted, Training
from vidfit.fusion.probes import through, with_classes

Doubles = NDArray[np.float64]

Project = Callable[[Sequence[Doubles]], list[Doubles]]
"""Standardised vectors [M, D_s] of each member -> maps [R, D]; each makes one block."""

KEPT_VARIANCE = 0.95
CLIPS_A_DIMENSION = 4


def fit_projected(training: Training, project: Project) -> Fitted:
    """Fit projection and probe; the folds choose the penalty, as for a member alone.

    Means and scales are the members' own, which all folds share.
    """
    probes = [member.probe for member in training.members]
    mean_D = np.concatenate([probe.mean_D for probe in probes])
    scale_D = np.concatenate([probe.scale_D for probe in probes])
    standard = [
        ((member.vectors_MD - member.probe.mean_D) * member.probe.scale_D).astype(np.float64)
        for member in training.members
    ]
    penalty, out_MK = _held_out(standard, training, project)
    probe, map_RD = _probe(standard, training.labels_M, project, (penalty,))[0]
    probe = with_classes(through(probe, mean_D, scale_D, map_RD), training.classes)
    return Fitted(probe, out_MK, tuple(range(len(probes))))


def principal_axes(x_MD: Doubles) -> tuple[Doubles, Doubles]:
    """Return variances [R], descending, and orthonormal axes [R, D] of centred vectors.

    As many as hold `KEPT_VARIANCE`, but at most one for `CLIPS_A_DIMENSION` clips.
    """
    clips, dim = x_MD.shape
    x_MD = x_MD - x_MD.mean(axis=0)
    by_clip = clips < dim
    values, vectors = np.linalg.eigh(x_MD @ x_MD.T if by_clip else x_MD.T @ x_MD)
    values, vectors = np.maximum(values[::-1], 0.0), vectors[:, ::-1]
    share_R = np.cumsum(values) / max(values.sum(), 1e-12)
    count = int(np.searchsorted(share_R, KEPT_VARIANCE)) + 1
    count = max(min(count, clips // CLIPS_A_DIMENSION, int((values > 1e-9).sum())), 1)
    axes_DR = x_MD.T @ vectors[:, :count] if by_clip else vectors[:, :count]
    lengths_R = np.maximum(np.linalg.norm(axes_DR, axis=0), 1e-12)
    return values[:count] / clips, (axes_DR / lengths_R).T


def beside(parts: Sequence[Doubles]) -> list[Doubles]:
    """Return maps [R_s, D_s] of each member's own vectors as maps [R_s, D] of all."""
    ends = np.cumsum([part.shape[1] for part in parts])
    return [
        np.pad(part, ((0, 0), (int(end) - part.shape[1], int(ends[-1] - end))))
        for part, end in zip(parts, ends, strict=True)
    ]


def _held_out(
    standard: Sequence[Doubles], training: Training, project: Project
) -> tuple[float, Floats]:
    """Return the penalty of the lowest out-of-fold log-loss, and its answers [M, K]."""
    labels_M, folds_M = training.labels_M, training.folds_M
    shape = (len(PENALTIES), len(labels_M), training.classes)
    out_PMK = np.full(shape, -20.0, np.float32)
    for fold in np.unique(folds_M):
        train, test = folds_M != fold, folds_M == fold
        seen = [x_MD[train] for x_MD in standard]
        x_MD = np.concatenate([x_MD[test] for x_MD in standard], axis=1)
        for p, (probe, map_RD) in enumerate(_probe(seen, labels_M[train], project, PENALTIES)):
            answer_MK = probe.log_probabilities([(x_MD @ map_RD.T).astype(np.float32)])
            out_PMK[p, test, : answer_MK.shape[1]] = answer_MK
    best = int(np.argmin([log_loss(out_MK, labels_M) for out_MK in out_PMK]))
    return PENALTIES[best], out_PMK[best]


def _probe(
    standard: Sequence[Doubles], labels_M: Indices, project: Project, penalties: Sequence[float]
) -> list[tuple[Linear, Doubles]]:
    """Return a probe of the projected vectors for each penalty, and the projection [R, D]."""
    maps = project(standard)
    x_MD = np.concatenate(standard, axis=1)
    blocks = [(x_MD @ map_RD.T).astype(np.float32) for map_RD in maps]
    map_RD = np.concatenate(maps)
    return [(fit_linear(blocks, labels_M, penalty), map_RD) for penalty in penalties]

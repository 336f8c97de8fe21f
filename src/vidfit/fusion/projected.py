"""A linear probe in a space of fewer dimensions, which is found without labels.

The projection looks at all members' vectors, so its fit must not see the clips that are held
out, although it knows no label. Projection and probe together are one linear probe.

Shape letters: D dimensions of all members side by side, R dimensions that are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Floats, Indices
from vidfit.fusion.linear import (
    PENALTIES,
    Linear,
    log_softmax,
)
from vidfit.fusion.member import Fitted, Training
from vidfit.fusion.probes import with_classes
from vidfit.fusion.regression import TO_KEEP, regressions, to_choose
from vidfit.labels import mean_loss

Doubles = NDArray[np.float64]

Project = Callable[[Sequence[Doubles]], Doubles]
"""Standardised vectors [M, D_s] of each member -> a map [R, D] of all, scaled for a probe."""

KEPT_VARIANCE = 0.95
"""Share of a member's variance that its components hold."""

CLIPS_A_DIMENSION = 4
"""No more than one dimension is kept for so many clips."""


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
    ((weight_KD, bias_K),) = _regressed(standard, training.labels_M, project, (penalty,))
    probe = Linear(mean_D, scale_D, weight_KD.astype(np.float32), bias_K.astype(np.float32))
    return Fitted(with_classes(probe, training.classes), out_MK, tuple(range(len(probes))))


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


def block_diagonal(parts: Sequence[Doubles]) -> Doubles:
    """Return maps [R_s, D_s] of each member's own vectors as one map [R, D] of all."""
    from scipy.linalg import block_diag

    map_RD: Doubles = block_diag(*parts)
    return map_RD


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
        fits = _regressed(seen, labels_M[train], project, PENALTIES)
        for p, (weight_KD, bias_K) in enumerate(fits):
            out_PMK[p, test, : len(bias_K)] = log_softmax(x_MD @ weight_KD.T + bias_K)
    best = int(np.argmin([mean_loss(out_MK, labels_M) for out_MK in out_PMK]))
    return PENALTIES[best], out_PMK[best]


def _regressed(
    standard: Sequence[Doubles], labels_M: Indices, project: Project, penalties: Sequence[float]
) -> Iterator[tuple[Doubles, Doubles]]:
    """Yield weights [K, D] and biases [K] of standardised vectors for each penalty."""
    map_RD = project(standard)
    z_MR = np.concatenate(standard, axis=1) @ map_RD.T
    mean_R = z_MR.mean(axis=0)
    tolerance = TO_KEEP if len(penalties) == 1 else to_choose(len(np.unique(labels_M)))
    for weight_KR, bias_K in regressions(z_MR - mean_R, labels_M, penalties, tolerance):
        yield weight_KR @ map_RD, bias_K - weight_KR @ mean_R

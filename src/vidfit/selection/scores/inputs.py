"""What every score takes: checked features and labels, and their spectrum.

Shape letters beside those of `vidfit.contracts`: R rank, G grid points.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vidfit.contracts import Indices
from vidfit.errors import NotEnoughDataError
from vidfit.shown import counted

Doubles = NDArray[np.float64]

RESOLUTION = float(np.finfo(np.float32).eps)
"""Relative size below which nothing is known of features, which come as float32."""


def checked(features_MD: ArrayLike, labels_M: ArrayLike) -> tuple[Doubles, Indices]:
    """Return features [M, D] in float64 and labels [M] renumbered 0..K-1.

    Raises
    ------
    ValueError
        Features are no finite matrix, or do not match the labels in length.
    NotEnoughDataError
        The labels name fewer than two classes.
    """
    x_MD = np.asarray(features_MD, np.float64)
    if x_MD.ndim != 2 or x_MD.shape[1] == 0:
        raise ValueError(f"features have shape {x_MD.shape}; give one row of features per clip.")
    if not np.isfinite(x_MD).all():
        bad = np.flatnonzero(~np.isfinite(x_MD).all(axis=1))
        raise ValueError(
            f"features of {counted(len(bad), 'clip')} are NaN or infinite, the first in row "
            f"{bad[0]}; "
            "leave these clips out."
        )
    given = np.asarray(labels_M)
    if given.shape != x_MD.shape[:1]:
        raise ValueError(
            f"{len(x_MD)} clips came with labels of shape {given.shape}; give one label per clip."
        )
    classes, number_M = np.unique(given, return_inverse=True)
    if len(classes) < 2:
        raise NotEnoughDataError(
            f"the labels name {counted(len(classes), 'class', 'classes')}; a score needs clips "
            "of at least 2."
        )
    return x_MD, number_M.astype(np.int64)


def checked_folds(folds_M: ArrayLike, labels_M: Indices) -> Indices:
    """Return the fold of each clip.

    Raises
    ------
    ValueError
        There is not one fold for each label.
    NotEnoughDataError
        There are fewer than two folds, or the clips outside one are all of one class.
    """
    fold_M = np.asarray(folds_M)
    if fold_M.shape != labels_M.shape:
        raise ValueError(
            f"{len(labels_M)} clips came with folds of shape {fold_M.shape}; give one per clip."
        )
    folds = np.unique(fold_M)
    if len(folds) < 2:
        raise NotEnoughDataError("all clips lie in one fold; at least 2 folds are needed.")
    for fold in folds:
        if len(np.unique(labels_M[fold_M != fold])) < 2:
            raise NotEnoughDataError(
                f"without fold {fold} only one class is left to learn from; "
                "deal the clips to the folds by class."
            )
    return fold_M


def one_hot(labels_M: Indices) -> Doubles:
    """Return ones [M, K] where a clip is of a class, else zeros."""
    result: Doubles = (labels_M[:, None] == np.arange(labels_M.max() + 1)).astype(np.float64)
    return result


def spectrum(x_MD: Doubles) -> tuple[Doubles, Doubles]:
    """Return left singular vectors [M, R] and singular values [R], without what is rounding.

    Wide matrices are first reduced by QR: exact to the last digits, where the Gram matrix
    would lose half of them, and 5 times faster than the decomposition of 300 x 3840 itself.
    """
    wide = x_MD.shape[0] < x_MD.shape[1]
    # numpy's stubs declare a pair for every mode.
    square = np.asarray(np.linalg.qr(x_MD.T, mode="r")).T if wide else x_MD
    left_MR, singular_R, _ = np.linalg.svd(square, full_matrices=False)
    keep = singular_R > RESOLUTION * singular_R[0]
    return left_MR[:, keep], singular_R[keep]

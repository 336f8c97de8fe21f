"""k nearest neighbours across folds: the plainest probe, and a hard one to beat."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from vidfit.selection.scores.inputs import RESOLUTION, checked, checked_folds


def knn(features_MD: ArrayLike, labels_M: ArrayLike, folds_M: ArrayLike, *, k: int = 5) -> float:
    """Return the top-1 accuracy, in [0, 1], of the nearest neighbours in the other folds.

    Features are standardised by the clips of the other folds and compared by cosine; neighbours
    vote with the inverse of their distance.

    Parameters
    ----------
    features_MD
        Features [M, D] of the clips.
    labels_M
        The clips' labels.
    folds_M
        The fold of each clip; clips of one recording belong in one fold.
    k
        Neighbours; fewer where the other folds have fewer clips.

    Raises
    ------
    ValueError
        Features are not finite, labels or folds do not match them, or k is below 1.
    NotEnoughDataError
        There is one class or one fold, or one class outside a fold.

    Notes
    -----
    Standardised, because a few dimensions of a transformer are far larger than the rest and
    would decide alone; cosine, as is usual for frozen features, because the norm of a clip
    varies with contrast and motion rather than with its class. Inverse distances break ties
    of votes without regard to the order of the classes.

    References
    ----------
    Sorkhei, Matsoukas, Fredin Haslum, Konuk and Smith (2025), k-NN as a simple and effective
    estimator of transferability: over 42,000 experiments it predicts transfer better than 23
    transferability scores. They hold out a fifth; here each clip is held out once.
    """
    from sklearn.neighbors import KNeighborsClassifier

    if k < 1:
        raise ValueError(f"k is {k}; at least 1 neighbour is needed.")
    x_MD, label_M = checked(features_MD, labels_M)
    fold_M = checked_folds(folds_M, label_M)
    hits = 0
    for fold in np.unique(fold_M):
        train_M, test_M = fold_M != fold, fold_M == fold
        mean_D, deviation_D = x_MD[train_M].mean(axis=0), x_MD[train_M].std(axis=0)
        # A feature that never changes in training must not decide in the test.
        alive_D = deviation_D > RESOLUTION * np.abs(x_MD).max(axis=0)
        z_MD = (x_MD[:, alive_D] - mean_D[alive_D]) / deviation_D[alive_D]
        if not alive_D.any():
            z_MD = np.zeros((len(x_MD), 1))
        near = KNeighborsClassifier(min(k, int(train_M.sum())), metric="cosine", weights="distance")
        near.fit(z_MD[train_M], label_M[train_M])
        hits += int((near.predict(z_MD[test_M]) == label_M[test_M]).sum())
    return hits / len(label_M)

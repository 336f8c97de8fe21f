"""The linear probe across folds, as a score."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from vidfit.fusion.linear import cross_fit
from vidfit.selection.scores.inputs import checked, checked_folds


def linear_probe(features_MD: ArrayLike, labels_M: ArrayLike, folds_M: ArrayLike) -> float:
    """Return the top-1 accuracy, in [0, 1], of a linear probe on folds that it has not seen.

    The probe of `vidfit.fusion.linear.cross_fit`: standardised features, multinomial logistic
    regression, the strength of its penalty by out-of-fold log-loss.

    Parameters
    ----------
    features_MD
        Features [M, D] of the clips.
    labels_M
        The clips' labels.
    folds_M
        The fold of each clip; clips of one recording belong in one fold.

    Raises
    ------
    ValueError
        Features are not finite, or labels or folds do not match them.
    NotEnoughDataError
        There is one class or one fold, or one class outside a fold.
    """
    x_MD, label_M = checked(features_MD, labels_M)
    fold_M = checked_folds(folds_M, label_M)
    _, answer_MK = cross_fit([x_MD.astype(np.float32)], label_M, fold_M)
    return float(np.mean(answer_MK.argmax(axis=1) == label_M))

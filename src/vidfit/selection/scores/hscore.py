"""H-score: how much of the features' spread the classes explain (Bao 2019), shrunk."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from vidfit.selection.scores.inputs import Doubles, checked, one_hot, principal


def h_score(features_MD: ArrayLike, labels_M: ArrayLike) -> float:
    """Return the shrunk H-score, between 0 and K - 1.

    ``tr(S_f^-1 (1 - a) S_g)`` with ``S_g`` the covariance of the class means and ``S_f = (1 - a)
    S + a tr(S)/D I`` the covariance of the features, shrunk by the weight ``a`` of Ledoit and
    Wolf. Without shrinkage the inverse does not exist where there are more dimensions than
    clips.

    Parameters
    ----------
    features_MD
        Features [M, D] of the clips.
    labels_M
        The clips' labels.

    Raises
    ------
    ValueError
        Features are not finite, or there is not one label per clip.
    NotEnoughDataError
        The labels name fewer than two classes.

    Notes
    -----
    All matrices are diagonal on the principal components, and the class means lie in their
    span: nothing of size D x D is formed. Covariances divide by M.

    References
    ----------
    Bao et al. (2019), An information-theoretic approach to transferability in task transfer
    learning; Ibrahim, Ponomareva and Mazumder (2021), Newer is not always better:
    rethinking transferability metrics; Ledoit and Wolf (2004), A well-conditioned
    estimator for large-dimensional covariance matrices.
    """
    x_MD, label_M = checked(features_MD, labels_M)
    component_MR, variance_R = principal(x_MD)
    dim = x_MD.shape[1]
    weight = _shrinkage(component_MR, variance_R, dim)
    # Variances add up to 1, so that tr(S) / D is 1 / D.
    shrunk_R = (1 - weight) * variance_R + weight / dim
    y_MK = one_hot(label_M)
    sums_KR = y_MK.T @ component_MR
    between_R = np.sum(sums_KR**2 / y_MK.sum(axis=0)[:, None], axis=0) / len(label_M)
    return float(np.sum((1 - weight) * between_R / shrunk_R))


def _shrinkage(component_MR: Doubles, variance_R: Doubles, dim: int) -> float:
    """Return Ledoit and Wolf's weight of the sphere for components of total variance 1.

    Their estimate needs only the norms of the clips and of the covariance, which are the same
    on the components as on the features.
    """
    if dim == 1:  # the covariance is a sphere
        return 0.0
    clips = len(component_MR)
    norm_M = np.sum(component_MR**2, axis=1)
    covariance_squared = float(np.sum(variance_R**2))
    error = (float(np.mean(norm_M**2)) - covariance_squared) / clips
    distance = covariance_squared - 1.0 / dim
    # Clips on a sphere already, or all alike: the weight does not matter.
    return min(error / distance, 1.0) if distance > 0 and error > 0 else 0.0

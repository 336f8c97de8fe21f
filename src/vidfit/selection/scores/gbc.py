"""GBC: how little the classes overlap as Gaussians (Pandy 2022)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from vidfit.selection.scores.inputs import checked, one_hot, principal

_COMPONENTS = 64
_LEAST_VARIANCE = 1e-4


def gbc(features_MD: ArrayLike, labels_M: ArrayLike) -> float:
    """Return the Gaussian Bhattacharyya coefficient, between -K (K - 1) and 0.

    ``-sum_{i != j} exp(-B_ij)`` over ordered pairs of classes, each a spherical Gaussian on the
    first 64 principal components, with ``d`` components, means ``m`` and variances ``v``::

        B_ij = |m_i - m_j|^2 / (8 v) + d/2 ln(v / sqrt(v_i v_j)),    v = (v_i + v_j) / 2

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
    Spherical, one of the paper's two forms: a handful of clips per class does not determine 64
    variances. No variance is taken below 1e-4 of the mean variance of a component; the paper's
    code has an absolute 1e-4, which makes the score depend on the scale of the features. A class
    of one clip has that least variance, so that it overlaps with hardly any other.

    References
    ----------
    Pandy, Agostinelli, Uijlings, Ferrari and Mensink (2022), Transferability estimation using
    Bhattacharyya class separability.
    """
    x_MD, label_M = checked(features_MD, labels_M)
    all_MR, _ = principal(x_MD)
    component_MR = all_MR[:, :_COMPONENTS]
    dim = component_MR.shape[1]
    y_MK = one_hot(label_M)
    count_K = y_MK.sum(axis=0)
    mean_KR = (y_MK.T @ component_MR) / count_K[:, None]
    within_M = np.sum((component_MR - mean_KR[label_M]) ** 2, axis=1)
    least = _LEAST_VARIANCE * np.mean(component_MR**2) if dim else 1.0
    variance_K = np.maximum((y_MK.T @ within_M) / count_K / max(dim, 1), least)
    middle_KK = (variance_K[:, None] + variance_K) / 2
    root_KK = np.sqrt(variance_K[:, None] * variance_K)
    apart_KK = np.sum((mean_KR[:, None] - mean_KR) ** 2, axis=2)
    overlap_KK = np.exp(-apart_KK / (8 * middle_KK) - dim / 2 * np.log(middle_KK / root_KK))
    return -float(overlap_KK[~np.eye(len(count_K), dtype=bool)].sum())

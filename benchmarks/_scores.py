"""Transferability scores that order candidates worse than those that vidfit shows.

They stay for the table of `benchmarks.selection_regret`. All compare candidates on the same clips
only; a higher score is better. Shape letters: R components, Z clusters.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from vidfit.selection.scores.inputs import RESOLUTION, Doubles, checked, one_hot, spectrum


def gbc(features_MD: ArrayLike, labels_M: ArrayLike) -> float:
    """Return how little the classes overlap as spherical Gaussians on 64 components.

    Pandy et al. (2022), Transferability estimation using Bhattacharyya class separability. No
    variance is below 1e-4 of a component's mean variance; in the paper's code below 1e-4.
    """
    x_MD, label_M = checked(features_MD, labels_M)
    component_MR = _principal(x_MD)[0][:, :64]
    dim = component_MR.shape[1]
    y_MK = one_hot(label_M)
    count_K = y_MK.sum(axis=0)
    mean_KR = (y_MK.T @ component_MR) / count_K[:, None]
    within_M = np.sum((component_MR - mean_KR[label_M]) ** 2, axis=1)
    variance_K = (y_MK.T @ within_M) / count_K / dim
    variance_K = np.maximum(variance_K, 1e-4 * np.mean(component_MR**2))
    middle_KK = (variance_K[:, None] + variance_K) / 2
    root_KK = np.sqrt(variance_K[:, None] * variance_K)
    apart_KK = np.sum((mean_KR[:, None] - mean_KR) ** 2, axis=2)
    overlap_KK = np.exp(-apart_KK / (8 * middle_KK) - dim / 2 * np.log(middle_KK / root_KK))
    return -float(overlap_KK[~np.eye(len(count_K), dtype=bool)].sum())


def h_score(features_MD: ArrayLike, labels_M: ArrayLike) -> float:
    """Return the H-score with the covariance shrunk by the weight of Ledoit and Wolf.

    Bao et al. (2019), An information-theoretic approach to transferability in task transfer
    learning; Ibrahim, Ponomareva and Mazumder (2021), Newer is not always better. All matrices
    are diagonal on the principal components.
    """
    x_MD, label_M = checked(features_MD, labels_M)
    component_MR, variance_R = _principal(x_MD)
    dim, clips = x_MD.shape[1], len(x_MD)
    squared = float(np.sum(variance_R**2))
    error = (float(np.mean(np.sum(component_MR**2, axis=1) ** 2)) - squared) / clips
    weight = min(error / (squared - 1.0 / dim), 1.0) if dim > 1 else 0.0
    y_MK = one_hot(label_M)
    between_R = np.sum((y_MK.T @ component_MR) ** 2 / y_MK.sum(axis=0)[:, None], axis=0) / clips
    shrunk_R = (1 - weight) * variance_R + weight / dim  # variances add up to 1
    return float(np.sum((1 - weight) * between_R / shrunk_R))


def transrate(features_MD: ArrayLike, labels_M: ArrayLike, epsilon: float = 0.1) -> float:
    """Return the coding rate of all clips less the mean rate within classes, in nats.

    Huang et al. (2022), Frustratingly easy transferability estimation. Clips are scaled to a mean
    squared norm of 1. The authors' epsilon of 1e-4 counts dimensions where there are few clips.
    """
    x_MD, label_M = checked(features_MD, labels_M)
    z_MD = x_MD - x_MD.mean(axis=0)
    z_MD *= np.sqrt(len(z_MD)) / np.linalg.norm(z_MD)
    rate = _coding_rate(z_MD, epsilon)
    for number, count in enumerate(np.bincount(label_M)):
        rate -= count / len(label_M) * _coding_rate(z_MD[label_M == number], epsilon)
    return float(rate)


def nleep(features_MD: ArrayLike, labels_M: ArrayLike) -> float:
    """Return LEEP with the components of a Gaussian mixture as source classes, at most 0.

    Li et al. (2021), Ranking neural checkpoints; Nguyen et al. (2020), LEEP. PCA keeps 80 % of
    the variance. There are 5 components a class, but 5 clips to a component where clips are few;
    covariances are diagonal.
    """
    from sklearn.mixture import GaussianMixture

    x_MD, label_M = checked(features_MD, labels_M)
    component_MR, share_R = _principal(x_MD)
    z_MR = component_MR[:, : int(np.searchsorted(np.cumsum(share_R), 0.8, side="right")) + 1]
    z_MR /= np.sqrt(np.mean(z_MR**2))
    classes = int(label_M.max()) + 1
    count = min(5 * classes, max(classes, len(z_MR) // 5))
    mixture = GaussianMixture(
        count, covariance_type="diag", reg_covar=1e-3, max_iter=500, random_state=0
    )
    source_MZ = mixture.fit(z_MR).predict_proba(z_MR)
    joint_KZ = one_hot(label_M).T @ source_MZ
    conditional_KZ = joint_KZ / joint_KZ.sum(axis=0)
    return float(np.log(np.sum(conditional_KZ[label_M] * source_MZ, axis=1)).mean())


REJECTED: dict[str, Callable[[ArrayLike, ArrayLike], float]] = {
    "gbc": gbc,
    "nleep": nleep,
    "h_score": h_score,
    "transrate": transrate,
}
"""Scores of features [M, D] and labels [M]."""


def _principal(x_MD: Doubles) -> tuple[Doubles, Doubles]:
    """Return principal components [M, R], widest first, and variances [R] that add up to 1."""
    left_MR, singular_R = spectrum(x_MD - x_MD.mean(axis=0))
    if not singular_R.size or singular_R[0] <= RESOLUTION * np.linalg.norm(x_MD):
        raise SystemExit("all clips have the same features")
    share_R = singular_R**2 / np.sum(singular_R**2)
    return left_MR * np.sqrt(share_R * len(x_MD)), share_R


def _coding_rate(z_MD: Doubles, epsilon: float) -> float:
    clips, dim = z_MD.shape
    gram = z_MD @ z_MD.T if clips < dim else z_MD.T @ z_MD
    return 0.5 * float(np.linalg.slogdet(np.eye(len(gram)) + gram / (clips * epsilon))[1])

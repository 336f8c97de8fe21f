"""Scores of the benchmark's table, each against its definition with whole matrices."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks._scores import REJECTED
from sklearn.covariance import LedoitWolf
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture
from tests.selection.scores.problems import problem


def gbc(x_MD, labels_M):
    """The distance of each pair of classes, with full covariance matrices that are spheres."""
    z_MR = PCA(min(64, *x_MD.shape), svd_solver="full").fit_transform(x_MD)
    z_MR = z_MR[:, z_MR.std(axis=0) > 1e-6 * z_MR.std()]
    total = 0.0
    for i in np.unique(labels_M):
        for j in np.unique(labels_M[labels_M != i]):
            a, b = z_MR[labels_M == i], z_MR[labels_M == j]
            s_a, s_b = (part.var(axis=0).mean() * np.eye(z_MR.shape[1]) for part in (a, b))
            s = (s_a + s_b) / 2
            apart = a.mean(axis=0) - b.mean(axis=0)
            log_s, log_a, log_b = (np.linalg.slogdet(m)[1] for m in (s, s_a, s_b))
            distance = apart @ np.linalg.solve(s, apart) / 8 + (log_s - (log_a + log_b) / 2) / 2
            total += np.exp(-distance)
    return -total


def h_score(x_MD, labels_M):
    """tr(S_f^-1 (1 - a) S_g) with scikit-learn's covariance of D x D and a linear solve."""
    shrunk = LedoitWolf().fit(x_MD)
    means_MD = np.stack([x_MD[labels_M == label].mean(axis=0) for label in labels_M])
    between_DD = (1 - shrunk.shrinkage_) * np.cov(means_MD, rowvar=False, ddof=0)
    return np.trace(np.linalg.solve(shrunk.covariance_, between_DD))


def transrate(x_MD, labels_M):
    """The determinants of D x D that the paper prints."""
    z_MD = x_MD - x_MD.mean(axis=0)
    z_MD /= np.sqrt(np.mean(np.sum(z_MD**2, axis=1)))

    def rate(z_MD):
        clips, dim = z_MD.shape
        return 0.5 * np.linalg.slogdet(np.eye(dim) + z_MD.T @ z_MD / (clips * 0.1))[1]

    labels = np.unique(labels_M)
    return rate(z_MD) - sum(np.mean(labels_M == k) * rate(z_MD[labels_M == k]) for k in labels)


def nleep(x_MD, labels_M):
    """scikit-learn's components and mixture of 12, then LEEP in loops over equations 1 and 2."""
    z_MR = PCA(0.8, svd_solver="full").fit_transform(x_MD)
    z_MR /= np.sqrt(np.mean(z_MR**2))
    mixture = GaussianMixture(
        12, covariance_type="diag", reg_covar=1e-3, max_iter=500, random_state=0
    )
    source_MZ = mixture.fit(z_MR).predict_proba(z_MR)
    total = 0.0
    for clip, label in enumerate(labels_M):
        share_Z = [p[labels_M == label].sum() / p.sum() for p in source_MZ.T]
        total += np.log(share_Z @ source_MZ[clip])
    return total / len(labels_M)


@pytest.mark.parametrize("name", REJECTED)
@pytest.mark.parametrize(("clips", "dim"), [(60, 8), (60, 120)])
def test_a_score_equals_its_definition(name, clips, dim):
    x_MD, labels_M = problem(clips, dim, 3)
    expected = globals()[name](x_MD.astype(np.float64), labels_M)
    # Expectation maximisation carries the rounding of two PCAs on.
    assert REJECTED[name](x_MD, labels_M) == pytest.approx(expected, rel=1e-6, abs=1e-6)

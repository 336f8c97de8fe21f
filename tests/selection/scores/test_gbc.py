from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA
from tests.selection.scores.problems import SHAPES, problem

from vidfit.errors import NotEnoughDataError
from vidfit.selection.scores import gbc


def by_pairs(x_MD, labels_M):
    """The paper's distance for each pair, with full covariance matrices that are spheres."""
    parts = min(64, *x_MD.shape)
    z_MR = PCA(parts, svd_solver="full").fit_transform(x_MD.astype(np.float64))
    z_MR = z_MR[:, z_MR.std(axis=0) > 1e-6 * z_MR.std()]
    least = 1e-4 * np.mean(z_MR.var(axis=0))
    total = 0.0
    for i in np.unique(labels_M):
        for j in np.unique(labels_M):
            if i == j:
                continue
            a, b = z_MR[labels_M == i], z_MR[labels_M == j]
            s_a = max(a.var(axis=0).mean(), least) * np.eye(z_MR.shape[1])
            s_b = max(b.var(axis=0).mean(), least) * np.eye(z_MR.shape[1])
            s = (s_a + s_b) / 2
            apart = a.mean(axis=0) - b.mean(axis=0)
            log_det = [np.linalg.slogdet(m)[1] for m in (s, s_a, s_b)]
            distance = apart @ np.linalg.solve(s, apart) / 8
            distance += 0.5 * (log_det[0] - 0.5 * (log_det[1] + log_det[2]))
            total += np.exp(-distance)
    return -total


@pytest.mark.parametrize("signal", [0.0, 0.5])
@pytest.mark.parametrize(("clips", "dim", "classes"), [*SHAPES, (150, 200, 6)])
def test_equal_to_the_formula_for_each_pair(clips, dim, classes, signal):
    x_MD, labels_M = problem(clips, dim, classes, signal=signal)
    # Relative, in float64.
    assert gbc(x_MD, labels_M) == pytest.approx(by_pairs(x_MD, labels_M), rel=1e-6)


def test_a_class_of_one_clip_takes_the_least_variance():
    x_MD, labels_M = problem(40, 6, 3)
    labels_M[7] = 9
    assert gbc(x_MD, labels_M) == pytest.approx(by_pairs(x_MD, labels_M), rel=1e-6)


def test_classes_that_are_all_alike_overlap_fully():
    assert gbc(np.full((9, 5), 0.1), np.arange(9) % 3) == -6.0


def test_one_class_is_refused():
    with pytest.raises(NotEnoughDataError):
        gbc(np.eye(4), [1, 1, 1, 1])

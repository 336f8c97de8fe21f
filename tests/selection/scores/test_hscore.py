from __future__ import annotations

import numpy as np
import pytest
from sklearn.covariance import LedoitWolf
from tests.selection.scores.problems import SHAPES, problem

from vidfit.selection.scores import h_score


def explicit(x_MD, labels_M):
    """tr(S_f^-1 (1 - a) S_g) with scikit-learn's D x D covariance and a linear solve."""
    x_MD = x_MD.astype(np.float64)
    shrunk = LedoitWolf().fit(x_MD)
    means_MD = np.stack([x_MD[labels_M == label].mean(axis=0) for label in labels_M])
    between_DD = np.atleast_2d(np.cov(means_MD, rowvar=False, ddof=0))
    weighted = (1 - shrunk.shrinkage_) * between_DD
    return np.trace(np.linalg.solve(shrunk.covariance_, weighted))


@pytest.mark.parametrize("signal", [0.0, 0.5, 3.0])
@pytest.mark.parametrize(("clips", "dim", "classes"), [*SHAPES, (25, 300, 10)])
def test_equal_to_the_explicit_covariances(clips, dim, classes, signal):
    x_MD, labels_M = problem(clips, dim, classes, signal=signal)
    # Relative: both in float64, the D x D inverse is well-conditioned once shrunk.
    assert h_score(x_MD, labels_M) == pytest.approx(explicit(x_MD, labels_M), rel=1e-6, abs=1e-9)


def test_at_most_one_per_class_but_the_first():
    labels_M = np.arange(400) % 4
    x_MD = np.eye(4)[labels_M] + 1e-3 * np.random.default_rng(0).normal(size=(400, 4))
    assert 2.9 < h_score(x_MD, labels_M) <= 3.0


def test_clips_that_are_all_alike_score_zero():
    assert h_score(np.full((10, 5), 3.3), np.arange(10) % 2) == 0.0


def test_lengths_that_differ_are_refused():
    with pytest.raises(ValueError, match="10 clips came with labels of shape"):
        h_score(np.zeros((10, 5)), np.arange(9) % 2)

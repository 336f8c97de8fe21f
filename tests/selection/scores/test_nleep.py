from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.metrics import mutual_info_score
from sklearn.mixture import GaussianMixture
from tests.selection.scores.problems import leep_by_definition, problem

from vidfit.selection.scores import nleep


def pipeline(x_MD, labels_M, components, seed):
    """scikit-learn's PCA and mixture, then LEEP as loops over its definition."""
    z_MR = PCA(0.8, svd_solver="full").fit_transform(x_MD.astype(np.float64))
    z_MR /= np.sqrt(np.mean(z_MR**2))
    mixture = GaussianMixture(
        components, covariance_type="diag", reg_covar=1e-3, max_iter=500, random_state=seed
    )
    return leep_by_definition(mixture.fit(z_MR).predict_proba(z_MR), labels_M)


@pytest.mark.parametrize("seed", [0, 5])
@pytest.mark.parametrize(
    ("clips", "dim", "classes", "components"),
    [(120, 20, 3, 15), (60, 150, 4, 12), (40, 12, 20, 20)],
    ids=["5 per class", "5 clips each", "as many as classes"],
)
def test_equal_to_the_pipeline_by_hand(clips, dim, classes, components, seed):
    x_MD, labels_M = problem(clips, dim, classes)
    expected = pipeline(x_MD, labels_M, components, seed)
    # Absolute: expectation maximisation carries the rounding of two PCAs on.
    assert nleep(x_MD, labels_M, seed=seed) == pytest.approx(expected, abs=1e-6)


def test_one_seed_gives_one_score():
    x_MD, labels_M = problem(60, 20, 3)
    assert nleep(x_MD, labels_M, seed=3) == nleep(x_MD, labels_M, seed=3)


def test_noise_in_few_clips_is_far_from_perfect():
    """With a component for each clip it would score 0."""
    x_MD, labels_M = problem(60, 200, 12, signal=0.0)
    assert nleep(x_MD, labels_M) < -1.0


def test_clips_that_are_all_alike_score_the_entropy_of_the_labels():
    labels_M = np.array([0, 1, 1, 2, 2, 2])
    expected = -mutual_info_score(labels_M, labels_M)
    assert nleep(np.full((6, 4), 0.1), labels_M) == pytest.approx(expected, abs=1e-12)


@pytest.mark.filterwarnings("error")
def test_few_distinct_clips_take_no_more_components():
    x_MD, labels_M = problem(3, 6, 3)
    copies_MD, copies_M = np.tile(x_MD, (10, 1)), np.tile(labels_M, 10)
    assert nleep(copies_MD, copies_M) == pytest.approx(0.0, abs=1e-6)


def test_a_vector_of_features_is_refused():
    with pytest.raises(ValueError, match="one row of features per clip"):
        nleep(np.zeros(6), [0, 1, 0, 1, 0, 1])

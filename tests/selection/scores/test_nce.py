from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from vidfit.errors import NotEnoughDataError
from vidfit.selection.scores import nce


@pytest.mark.parametrize("seed", range(3))
def test_equal_to_mutual_information_minus_entropy(seed):
    """-H(Y|Z) = I(Y; Z) - H(Y), both from scikit-learn; absolute, in float64."""
    rng = np.random.default_rng(seed)
    labels_M = rng.integers(0, 5, 70)
    source_M = np.where(rng.random(70) < 0.5, labels_M, rng.integers(0, 9, 70))
    entropy = mutual_info_score(labels_M, labels_M)
    expected = mutual_info_score(labels_M, source_M) - entropy
    assert nce(source_M, labels_M) == pytest.approx(expected, abs=1e-9)


def test_bounds_are_reached():
    labels_M = np.repeat([0, 1, 2], 10)
    assert nce(labels_M * 7 - 3, labels_M) == 0.0  # the source tells all
    assert nce(np.zeros(30, int), labels_M) == pytest.approx(-np.log(3))  # and nothing


def test_names_serve_as_labels():
    assert nce(["cat", "dog", "cat", "dog"], ["in", "out", "in", "out"]) == 0.0


def test_lengths_that_differ_are_refused():
    with pytest.raises(ValueError, match="3 clips came with labels of shape"):
        nce([0, 1, 2], [0, 1])


def test_a_matrix_of_source_labels_is_refused():
    with pytest.raises(ValueError, match="one per clip"):
        nce(np.zeros((4, 2), int), [0, 1, 0, 1])


def test_one_class_is_refused():
    with pytest.raises(NotEnoughDataError):
        nce([0, 1, 2], [5, 5, 5])

"""Agreement is that of scikit-learn and numpy, and says what it cannot tell."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from vidfit.metrics import error_correlation, kappa, oracle_hits


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("alike", [0.0, 0.5, 1.0])
def test_kappa_is_that_of_scikit_learn(classes, alike):
    rng = np.random.default_rng(classes)
    a_M, other_M = rng.integers(0, classes, (2, 80))
    b_M = np.where(rng.random(80) < alike, a_M, other_M)
    assert kappa(a_M, b_M, classes) == pytest.approx(cohen_kappa_score(a_M, b_M))


def test_kappa_of_answers_that_never_agree_is_below_zero():
    a_M = np.arange(40) % 2
    assert kappa(a_M, 1 - a_M, 2) == pytest.approx(-1.0)


def test_kappa_does_not_depend_on_classes_that_nobody_answers():
    a_M, b_M = np.array([0, 1, 0, 1]), np.array([0, 1, 1, 1])
    assert kappa(a_M, b_M, 2) == kappa(a_M, b_M, 9)


def test_two_models_that_always_give_the_same_class_agree():
    assert kappa(np.full(9, 3), np.full(9, 3), 5) == 1.0


def test_two_models_that_always_give_different_classes_agree_as_by_chance():
    assert kappa(np.full(9, 3), np.full(9, 1), 5) == 0.0


@pytest.mark.parametrize("measure", [lambda a, b: kappa(a, b, 2), error_correlation])
@pytest.mark.parametrize(("a", "b"), [([0, 1], [0]), ([], []), ([[0, 1]], [[0, 1]])])
def test_values_that_are_not_of_the_same_clips_are_refused(measure, a, b):
    with pytest.raises(ValueError, match="one value a clip"):
        measure(a, b)


def test_error_correlation_is_that_of_numpy():
    rng = np.random.default_rng(0)
    hard_M = rng.random(200)
    a_M, b_M = (rng.random((2, 200)) < hard_M).astype(float)
    found = error_correlation(a_M, b_M)
    assert found == pytest.approx(np.corrcoef(1 - a_M, 1 - b_M)[0, 1])
    assert found > 0.1
    assert error_correlation(a_M, 1 - a_M) == pytest.approx(-1.0)


@pytest.mark.parametrize("constant", [0.0, 1.0])
def test_errors_that_do_not_vary_have_no_correlation(constant):
    assert math.isnan(error_correlation(np.full(6, constant), np.arange(6) % 2))
    assert math.isnan(error_correlation(np.arange(6) % 2, np.full(6, constant)))


def test_the_oracle_is_right_where_one_of_them_is():
    hits_SM = [[1, 0, 0, 0], [0, 1, 0, 0], [1, 1, 0, 1]]
    np.testing.assert_array_equal(oracle_hits(hits_SM), [1, 1, 0, 1])
    np.testing.assert_array_equal(oracle_hits(hits_SM[:2]), [1, 1, 0, 0])


@pytest.mark.parametrize("hits", [np.zeros((0, 4)), np.zeros(4)])
def test_the_oracle_of_no_models_is_refused(hits):
    with pytest.raises(ValueError, match=r"\[models, clips\]"):
        oracle_hits(hits)

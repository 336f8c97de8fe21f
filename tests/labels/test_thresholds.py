"""From which probability a class is said: the best F1 on clips that are not the ones asked."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score

from vidfit.labels import SEVERAL, f1_thresholds, held_out_thresholds, odds, shifted

EVEN = np.log(0.5)


def test_no_other_threshold_has_a_better_f1(rng):
    there_MK = rng.random((80, 3)) < [0.1, 0.4, 0.8]
    score_MK = rng.normal(size=(80, 3)) + 1.5 * there_MK - 2.0
    answers_MK = SEVERAL.linked(score_MK)
    limits_K = f1_thresholds(answers_MK, there_MK)
    for k in range(3):
        own = f1_score(there_MK[:, k], score_MK[:, k] > limits_K[k])
        others = [f1_score(there_MK[:, k], score_MK[:, k] >= cut) for cut in score_MK[:, k]]
        assert own == pytest.approx(max(others))
    assert limits_K[0] < 0  # at even odds a rare class would hardly ever be said


def test_equal_answers_are_said_together_and_an_absent_class_is_not():
    answers_MK = np.full((4, 2), np.log(0.2))
    there_MK = np.array([[True, False]] * 2 + [[False, False]] * 2)
    limits_K = f1_thresholds(answers_MK, there_MK)
    assert odds(answers_MK)[0, 0] > limits_K[0]  # all are said: F1 is 2/3, of none 0
    assert limits_K[1] == 0.0


def test_shifted_answers_are_even_where_a_class_begins_to_be_said(rng):
    answers_MK = SEVERAL.linked(rng.normal(size=(30, 2)))
    limits_K = np.array([0.7, -1.2])
    said_MK = odds(answers_MK) > limits_K
    np.testing.assert_array_equal(shifted(answers_MK, limits_K) > EVEN, said_MK)
    assert 0 < said_MK.mean() < 1


def test_the_thresholds_of_a_fold_do_not_know_its_labels(rng):
    answers_MK = SEVERAL.linked(rng.normal(size=(30, 2)))
    there_MK, folds_M = rng.random((30, 2)) < 0.5, np.arange(30) % 3
    before_MK = held_out_thresholds(answers_MK, there_MK, folds_M)
    changed_MK = np.where((folds_M == 0)[:, None], ~there_MK, there_MK)
    after_MK = held_out_thresholds(answers_MK, changed_MK, folds_M)
    np.testing.assert_array_equal(before_MK[folds_M == 0], after_MK[folds_M == 0])
    assert (before_MK[folds_M != 0] != after_MK[folds_M != 0]).any()

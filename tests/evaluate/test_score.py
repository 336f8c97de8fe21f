"""What may be claimed of answers to clips of unseen recordings."""

from __future__ import annotations

import numpy as np
import pytest

from vidfit.evaluate import score, unknown_thresholds


def test_scores_of_known_answers():
    labels_M = np.array([0, 0, 0, 1, 1, 2])
    answers_M = np.array([0, 0, 1, 1, 1, 0])
    probabilities_MK = np.full((6, 3), 0.1, np.float32)
    probabilities_MK[np.arange(6), answers_M] = 0.8
    found = score([probabilities_MK], labels_M, list("aabbcd"), np.array([0, 0, 1, 2]))
    assert found.accuracy.value == pytest.approx(4 / 6)
    assert found.mean_class_accuracy.value == pytest.approx((2 / 3 + 1 + 0) / 3)
    assert found.majority.value == pytest.approx(0.5)
    assert found.confusion_KK == ((2, 1, 0), (0, 2, 0), (1, 0, 0))
    assert found.calibration_error == pytest.approx(0.8 - 4 / 6)
    assert sum(one.count for one in found.reliability) == 6


def test_a_class_that_is_never_answered_keeps_its_row_and_column():
    found = score([np.array([[1.0, 0.0, 0.0]])], np.array([1]), ["a"], np.array([1, 0, 1]))
    assert found.confusion_KK == ((0, 0, 0), (1, 0, 0), (0, 0, 0))


def test_thresholds_give_up_few_right_answers_and_few_familiar_clips():
    confidence_M = np.linspace(0.5, 1.0, 101)
    probabilities_MK = np.stack([confidence_M, 1 - confidence_M], axis=1)
    novelty_M = np.arange(101.0)
    least, farthest = unknown_thresholds(probabilities_MK, np.zeros(101, int), novelty_M)
    assert least == pytest.approx(0.525)
    assert farthest == pytest.approx(99.0)


def test_wrong_answers_do_not_set_the_threshold():
    probabilities_MK = np.array([[0.9, 0.1], [0.8, 0.2], [0.51, 0.49]])
    least, _ = unknown_thresholds(probabilities_MK, np.array([0, 0, 1]), np.ones(3))
    assert least == pytest.approx(0.805)


def test_without_a_right_answer_none_is_declined_for_its_probability():
    least, _ = unknown_thresholds(np.array([[0.9, 0.1]]), np.array([1]), np.ones(1))
    assert least == 0.0

"""What may be claimed of answers to clips of unseen recordings."""

from __future__ import annotations

import numpy as np
import pytest

from vidfit.evaluate import score


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

"""Stated probabilities are brought nearer to the truth."""

from __future__ import annotations

import numpy as np
import pytest

from vidfit.fusion.linear import log_softmax
from vidfit.labels import mean_loss
from vidfit.metrics import calibration_error, fit_temperature, probabilities, reliability


def answers(clips: int = 4000, classes: int = 3, factor: float = 1.0, seed: int = 0):
    """Labels drawn from known probabilities, and those probabilities made too sure."""
    rng = np.random.default_rng(seed)
    logits_MK = rng.normal(size=(clips, classes)) * 1.5
    true_MK = np.exp(log_softmax(logits_MK))
    labels_M = (true_MK.cumsum(axis=1) < rng.random((clips, 1))).sum(axis=1).clip(0, classes - 1)
    return log_softmax(logits_MK * factor), labels_M


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0, 6.0])
def test_the_temperature_undoes_a_known_factor(factor):
    log_MK, labels_M = answers(factor=factor)
    assert fit_temperature(log_MK, labels_M) == pytest.approx(factor, rel=0.1)


def test_scaling_improves_overconfident_answers_on_other_clips():
    log_MK, labels_M = answers(factor=4.0)
    new_MK, new_labels_M = answers(factor=4.0, seed=1)
    scaled_MK = probabilities(new_MK, fit_temperature(log_MK, labels_M))
    before, after = mean_loss(new_MK, new_labels_M), mean_loss(np.log(scaled_MK), new_labels_M)
    assert after < 0.7 * before
    error = [calibration_error(reliability(p, new_labels_M)) for p in (np.exp(new_MK), scaled_MK)]
    assert error[0] > 0.15 and error[1] < 0.03
    np.testing.assert_array_equal(scaled_MK.argmax(axis=1), new_MK.argmax(axis=1))


def test_answers_that_are_all_right_stay_within_the_range():
    log_MK = log_softmax(np.array([[1.0, 0.0], [0.0, 1.0]]))
    assert fit_temperature(log_MK, np.array([0, 1])) == pytest.approx(0.25)
    assert fit_temperature(log_MK, np.array([1, 0])) == pytest.approx(8.0)


def test_probabilities_add_up_and_survive_large_logits():
    found = probabilities(np.array([[-1e5, 0.0], [-20.0, -20.0]], np.float32), 0.25)
    np.testing.assert_allclose(found, [[0.0, 1.0], [0.5, 0.5]])
    assert found.dtype == np.float32


def test_bins_hold_every_clip_once():
    log_MK, labels_M = answers(500)
    bins = reliability(np.exp(log_MK), labels_M)
    assert sum(b.count for b in bins) == 500
    assert all(0 <= b.accuracy <= 1 and b.count > 0 for b in bins)
    hits = sum(b.accuracy * b.count for b in bins)
    assert hits == pytest.approx((log_MK.argmax(axis=1) == labels_M).sum())


def test_certainty_falls_into_the_last_bin():
    (only,) = reliability(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([0, 0]))
    assert (only.confidence, only.accuracy, only.count) == (1.0, 0.5, 2)
    assert calibration_error((only,)) == 0.5


def test_no_clips_have_no_error():
    assert calibration_error(()) == 0

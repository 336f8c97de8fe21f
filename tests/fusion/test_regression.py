"""Our regression is scikit-learn's, and stops where it should."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from vidfit.fusion.descent import minimise
from vidfit.fusion.regression import NEVER, TO_KEEP, fit_soft, regression


def problem(classes: int, clips: int = 90, dim: int = 7):
    rng = np.random.default_rng(classes)
    labels_M = np.arange(clips) % classes
    return rng.normal(size=(classes, dim))[labels_M] + rng.normal(size=(clips, dim)), labels_M


def log_softmax(logits_MK):
    shifted = logits_MK - logits_MK.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


@pytest.mark.parametrize("classes", [2, 3, 6])
@pytest.mark.parametrize("penalty", [0.05, 1.0, 30.0])
def test_equal_to_scikit_learn(classes, penalty):
    x_MR, labels_M = problem(classes)
    weight_KR, bias_K = regression(x_MR, labels_M, penalty, 1e-8)
    reference = LogisticRegression(C=penalty, tol=1e-10, max_iter=10_000).fit(x_MR, labels_M)
    np.testing.assert_allclose(
        log_softmax(x_MR @ weight_KR.T + bias_K),
        reference.predict_log_proba(x_MR),
        rtol=1e-5,
        atol=1e-5,
    )


def test_a_start_from_the_last_penalty_ends_in_the_same_place():
    x_MR, labels_M = problem(4)
    last = regression(x_MR, labels_M, 1.0, 1e-8)
    warm = regression(x_MR, labels_M, 10.0, 1e-8, start=last)
    cold = regression(x_MR, labels_M, 10.0, 1e-8)
    np.testing.assert_allclose(warm[0], cold[0], atol=1e-5)


def test_a_class_without_a_clip_is_never_answered():
    x_MR, labels_M = problem(3)
    labels_M = np.where(labels_M == 1, 2, labels_M)
    weight_KR, bias_K = regression(x_MR, labels_M, 1.0, 1e-4)
    assert weight_KR.shape == (3, 7)
    assert bias_K[1] == NEVER
    assert np.exp(log_softmax(x_MR @ weight_KR.T + bias_K))[:, 1].max() == 0.0


def test_soft_targets_are_matched_where_nothing_pulls():
    """Without a penalty to speak of, the answers to separable inputs are the targets."""
    x_MR = np.eye(4)
    target_MK = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4], [1 / 3] * 3])
    weight_KR, bias_K = fit_soft(x_MR, {1.0: target_MK}, 1e8, tolerance=1e-9)
    np.testing.assert_allclose(
        np.exp(log_softmax(x_MR @ weight_KR.T + bias_K)), target_MK, atol=1e-4
    )
    hot_KR, hot_K = fit_soft(x_MR, {3.0: target_MK}, 1e8, tolerance=1e-9)
    np.testing.assert_allclose(
        np.exp(log_softmax((x_MR @ hot_KR.T + hot_K) / 3.0)), target_MK, atol=1e-4
    )
    assert np.abs(hot_KR).max() > np.abs(weight_KR).max()  # at 3 degrees it takes larger weights


@pytest.mark.parametrize("classes", [2, 5])
def test_single_precision_ends_where_double_does(classes):
    x_MR, labels_M = problem(classes, clips=200, dim=30)
    exact = regression(x_MR, labels_M, 10.0, TO_KEEP)
    single = regression(x_MR.astype(np.float32), labels_M, 10.0, TO_KEEP)
    assert single[0].dtype == np.float32
    for found, expected in zip(single, exact, strict=True):
        # Both end at a gradient of 3e-5, in their units.
        np.testing.assert_allclose(found, expected, atol=5e-3)


def test_what_single_precision_left_over_is_finished_in_double(monkeypatch):
    """A descent that ends too early in single precision is gone on with."""
    used = []

    def lazy(loss, start, tolerance):
        used.append(start.dtype)
        return start if start.dtype == np.float32 else minimise(loss, start, tolerance)

    monkeypatch.setattr("vidfit.fusion.regression.minimise", lazy)
    x_MR, labels_M = problem(3)
    found_KR, _ = regression(x_MR.astype(np.float32), labels_M, 1.0, TO_KEEP)
    assert used == [np.float32, np.float64]
    expected_KR, _ = regression(x_MR, labels_M, 1.0, 1e-8)
    np.testing.assert_allclose(found_KR, expected_KR, atol=1e-3)

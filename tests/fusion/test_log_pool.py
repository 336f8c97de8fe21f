"""The stack's weights are those that scipy finds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from vidfit.fusion.linear import log_softmax
from vidfit.fusion.stack import _BIAS_PENALTY, _WEIGHT_PENALTY, fit_log_pool

FOLDS = np.zeros(0, np.int64)


def problem(members: int, classes: int, clips: int = 200, useless: int = 0):
    """Return answers of members, the last ``useless`` of which know nothing, and labels."""
    rng = np.random.default_rng(members * 100 + classes)
    labels_M = np.arange(clips) % classes
    logits_SMK = 2 * np.eye(classes)[labels_M] + 2 * rng.normal(size=(members, clips, classes))
    logits_SMK[members - useless :] = 3 * rng.normal(size=(useless, clips, classes))
    return np.stack([log_softmax(part) for part in logits_SMK]).astype(np.float32), labels_M


def reference(answers_SMK, labels_M):
    """Minimise with scipy, in double precision."""
    floored_SMK = np.maximum(answers_SMK, -8.0).astype(float)
    count, clips, classes = floored_SMK.shape

    def loss(x):
        logits_MK = np.tensordot(x[:count], floored_SMK, axes=1) + x[count:]
        logits_MK = logits_MK - logits_MK.max(axis=1, keepdims=True)
        log_MK = logits_MK - np.log(np.exp(logits_MK).sum(axis=1, keepdims=True))
        pull = _WEIGHT_PENALTY * ((x[:count] - 1 / count) ** 2).sum()
        pull += _BIAS_PENALTY * (x[count:] ** 2).sum()
        return -log_MK[np.arange(clips), labels_M].mean() + pull

    start = np.concatenate([np.full(count, 1 / count), np.zeros(classes)])
    bounds = [(0.0, None)] * count + [(None, None)] * classes
    options = {"ftol": 1e-14, "gtol": 1e-8, "maxfun": 100_000}
    return minimize(loss, start, bounds=bounds, options=options)


@pytest.mark.parametrize(("members", "classes", "useless"), [(1, 2, 0), (2, 3, 0), (3, 6, 2)])
def test_equal_to_scipy(members, classes, useless):
    answers_SMK, labels_M = problem(members, classes, useless=useless)
    pool = fit_log_pool(answers_SMK, labels_M, FOLDS)
    expected = reference(answers_SMK, labels_M)
    # A gradient of 1e-5 over curvatures of 0.006 and more: weights are right to 2e-3.
    np.testing.assert_allclose(np.concatenate([pool.weights_S, pool.bias_K]), expected.x, atol=2e-3)
    assert (pool.weights_S >= 0).all()


def test_a_member_that_contradicts_the_labels_weighs_nothing():
    answers_SMK, labels_M = problem(2, 3)
    wrong_SMK = np.stack([answers_SMK[0], answers_SMK[1][:, [1, 2, 0]]])
    pool = fit_log_pool(wrong_SMK, labels_M, FOLDS)
    assert pool.weights_S[1] == 0.0 < pool.weights_S[0]
    np.testing.assert_allclose(pool.weights_S, reference(wrong_SMK, labels_M).x[:2], atol=2e-3)


def test_of_no_clips_it_is_the_plain_average():
    pool = fit_log_pool(np.zeros((2, 0, 3), np.float32), np.zeros(0, np.int64), FOLDS)
    np.testing.assert_allclose(pool.weights_S, [0.5, 0.5])
    np.testing.assert_array_equal(pool.bias_K, 0.0)

"""Pools of answers, against the closed forms of their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from vidfit.fusion import fit_method
from vidfit.fusion.average import LinearPool, mixture_weights, without_small
from vidfit.fusion.linear import log_softmax
from vidfit.testing import training_on


def answers(members, clips, classes, seed=0):
    logits_SMK = 2 * np.random.default_rng(seed).normal(size=(members, clips, classes))
    return np.stack([log_softmax(logits_MK).astype(np.float32) for logits_MK in logits_SMK])


@pytest.fixture(name="training")
def _training():
    """Two members that see the class, and one of pure noise."""
    rng = np.random.default_rng(0)
    labels_M = np.arange(100) % 3
    seen = [np.eye(3)[labels_M], np.eye(3)[labels_M], np.zeros((100, 40))]
    tokens = [(x_MD + 0.5 * rng.normal(size=x_MD.shape))[:, None] for x_MD in seen]
    folds_M = rng.permutation(100) % 5
    return training_on([part.astype(np.float32) for part in tokens], labels_M, folds_M)


def test_a_linear_pool_is_the_weighted_mean_of_probabilities():
    answers_SMK = answers(3, 20, 4)
    weights_S = np.array([0.5, 0.3, 0.2], np.float32)
    expected_MK = np.log(np.tensordot(weights_S, np.exp(answers_SMK), axes=1))
    np.testing.assert_allclose(LinearPool(weights_S).combine(answers_SMK), expected_MK, atol=1e-6)


def test_a_class_that_no_member_answers_stays_finite():
    answers_SMK = np.array([[[0.0, -1e4]], [[0.0, -2e4]]], np.float32)
    pooled_MK = LinearPool(np.array([0.5, 0.5], np.float32)).combine(answers_SMK)
    np.testing.assert_allclose(pooled_MK, [[0.0, -1e4]], atol=1.0)


def test_the_average_weighs_all_members_alike(training):
    fitted = fit_method("average", training)
    expected_MK = np.log(np.exp(training.answers_SMK).mean(axis=0))
    assert fitted.used == (0, 1, 2)
    np.testing.assert_allclose(fitted.out_of_fold_MK, expected_MK, atol=1e-5)


def test_mixture_weights_are_the_most_likely_ones():
    """Expectation maximisation ends where a general optimiser ends."""
    answers_SMK = answers(3, 200, 4)
    labels_M = np.where(
        np.random.default_rng(1).random(200) < 0.7,
        answers_SMK[0].argmax(axis=1),
        answers_SMK[1].argmax(axis=1),
    )
    p_SM = np.exp(np.maximum(answers_SMK[:, np.arange(200), labels_M], -8.0)).astype(float)

    def loss(logits_S):  # with one clip of prior a member, as the module says
        weights_S = np.exp(logits_S - np.logaddexp.reduce(logits_S))
        return -np.log(weights_S @ p_SM).sum() - np.log(weights_S).sum()

    logits_S = minimize(loss, np.zeros(3), tol=1e-10).x
    expected_S = np.exp(logits_S) / np.exp(logits_S).sum()
    np.testing.assert_allclose(
        mixture_weights(answers_SMK, labels_M), without_small(expected_S), atol=1e-3
    )


def test_alike_members_get_the_same_weight():
    answers_SMK = np.repeat(answers(1, 30, 3), 4, axis=0)
    np.testing.assert_allclose(mixture_weights(answers_SMK, np.arange(30) % 3), 0.25, atol=1e-6)


def test_a_member_that_knows_nothing_is_not_asked(training):
    fitted = fit_method("weighted", training)
    assert 2 not in fitted.used
    blocks = [training.blocks[i] for i in fitted.used]
    assert fitted.fusion.log_probabilities(blocks).shape == (100, 3)
    assert sum(name.endswith("bias_K") for name in fitted.fusion.state()) == len(fitted.used)


def test_small_weights_are_cut_but_never_all():
    np.testing.assert_allclose(without_small(np.array([0.99, 0.01])), [1.0, 0.0])
    np.testing.assert_allclose(without_small(np.full(100, 0.01)), 0.01, rtol=1e-6)

"""The networks as arrays answer as scikit-learn's do."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from vidfit.fusion.linear import log_softmax
from vidfit.fusion.logistic import side_by_side
from vidfit.fusion.mlp import STARTS, fit_perceptrons, fitted


def problem(clips=120, classes=3, seed=0):
    rng = np.random.default_rng(seed)
    labels_M = np.arange(clips) % classes
    logits_SMK = 2 * np.eye(classes)[labels_M] + 2 * rng.normal(size=(2, clips, classes))
    answers_SMK = np.stack([log_softmax(part).astype(np.float32) for part in logits_SMK])
    return answers_SMK, labels_M


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_equal_to_the_mean_of_scikit_learns_networks(classes):
    answers_SMK, labels_M = problem(classes=classes)
    found = fit_perceptrons(answers_SMK, labels_M, labels_M)

    def inputs(answers_SMK):
        return (side_by_side(answers_SMK) - found.mean_D) * found.scale_D

    np.testing.assert_allclose(inputs(answers_SMK).std(axis=0), 1.0, rtol=1e-4)
    networks = [fitted(inputs(answers_SMK), labels_M, start) for start in range(STARTS)]
    new_SMK, _ = problem(80, classes, seed=1)
    expected_MK = np.mean([network.predict_proba(inputs(new_SMK)) for network in networks], axis=0)
    # Weights are kept in float32.
    np.testing.assert_allclose(found.combine(new_SMK), np.log(expected_MK), atol=1e-5)


def test_an_answer_that_never_changes_says_nothing():
    answers_SMK, labels_M = problem()
    constant_SMK = np.concatenate([answers_SMK, np.full((1, 120, 3), -1.1, np.float32)])
    networks = fit_perceptrons(constant_SMK, labels_M, labels_M)
    moved_SMK = constant_SMK.copy()
    moved_SMK[2] = -6.0
    np.testing.assert_array_equal(networks.combine(moved_SMK), networks.combine(constant_SMK))


def test_it_learns_that_two_members_must_disagree():
    """The class is whether both say the same: no weight of an answer alone can tell."""
    rng = np.random.default_rng(0)
    said_SM = rng.integers(0, 2, (2, 400))
    labels_M = (said_SM[0] == said_SM[1]).astype(int)
    logits_SMK = 3 * np.eye(2)[said_SM] + 0.5 * rng.normal(size=(2, 400, 2))
    answers_SMK = np.stack([log_softmax(part).astype(np.float32) for part in logits_SMK])
    networks = fit_perceptrons(answers_SMK[:, :200], labels_M[:200], labels_M)
    right_M = networks.combine(answers_SMK[:, 200:]).argmax(axis=1) == labels_M[200:]
    assert right_M.mean() > 0.9


def test_classes_without_a_clip_are_never_answered():
    answers_SMK, labels_M = problem(classes=4)
    seen = (labels_M != 0) & (labels_M != 3)
    networks = fit_perceptrons(answers_SMK[:, seen], labels_M[seen], labels_M)
    found_MK = networks.combine(answers_SMK)
    assert found_MK.shape == (120, 4)
    assert np.exp(found_MK[:, [0, 3]]).max() < 1e-12


def test_stopping_before_the_minimum_is_no_warning():
    answers_SMK, labels_M = problem(classes=10)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        networks = fit_perceptrons(answers_SMK, labels_M, labels_M)
    assert np.isfinite(networks.combine(answers_SMK)).all()

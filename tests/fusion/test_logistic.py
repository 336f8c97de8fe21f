"""The logistic stack is scikit-learn's regression on standardised log-probabilities."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from vidfit.fusion import logistic
from vidfit.fusion.linear import log_softmax
from vidfit.fusion.logistic import fit_logistic, fit_logistic_stack, side_by_side
from vidfit.labels import mean_loss
from vidfit.testing import training_on


def problem(clips=120, classes=3):
    rng = np.random.default_rng(0)
    labels_M = np.arange(clips) % classes
    logits_SMK = np.eye(classes)[labels_M] + rng.normal(size=(2, clips, classes))
    answers_SMK = np.stack([log_softmax(part).astype(np.float32) for part in logits_SMK])
    return answers_SMK, labels_M, rng.permutation(clips) % 5


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("penalty", [0.03, 1.0])
def test_equal_to_scikit_learn(classes, penalty):
    answers_SMK, labels_M, _ = problem(classes=classes)
    x_MD = side_by_side(answers_SMK).astype(float)
    x_MD = (x_MD - x_MD.mean(axis=0)) / x_MD.std(axis=0)
    expected = LogisticRegression(C=penalty, tol=1e-8, max_iter=5000).fit(x_MD, labels_M)
    found_MK = fit_logistic_stack(answers_SMK, labels_M, penalty).combine(answers_SMK)
    # Both stop at a gradient of about 1e-5, and answers are float32.
    np.testing.assert_allclose(found_MK, expected.predict_log_proba(x_MD), atol=5e-3)


def test_features_are_side_by_side_and_floored():
    answers_SMK = np.array([[[-1.0, -20.0]], [[-3.0, -4.0]]], np.float32)
    np.testing.assert_array_equal(side_by_side(answers_SMK), [[-1.0, -8.0, -3.0, -4.0]])


def test_it_repairs_a_member_that_swaps_two_classes():
    answers_SMK, labels_M, _ = problem()
    swapped_SMK = answers_SMK[:, :, [1, 0, 2]]
    found_MK = fit_logistic_stack(swapped_SMK, labels_M, 0.03).combine(swapped_SMK)
    assert (found_MK.argmax(axis=1) == labels_M).mean() > 0.55
    assert (swapped_SMK.mean(axis=0).argmax(axis=1) == labels_M).mean() < 0.4


def test_the_penalty_is_that_of_the_lowest_held_out_loss(monkeypatch):
    rng = np.random.default_rng(0)
    labels_M = np.arange(120) % 3
    tokens = [(np.eye(3)[labels_M] + rng.normal(size=(120, 3)))[:, None] for _ in range(2)]
    training = training_on(
        [part.astype(np.float32) for part in tokens], labels_M, rng.permutation(120) % 5
    )
    losses = {}
    for tried in ((0.003,), (1000.0,), (0.003, 1000.0)):
        monkeypatch.setattr(logistic, "PENALTIES", tried)
        losses[tried] = mean_loss(fit_logistic(training).out_of_fold_MK, labels_M)
    assert abs(losses[0.003,] - losses[1000.0,]) > 0.05
    assert losses[0.003, 1000.0] == pytest.approx(min(losses[0.003,], losses[1000.0,]), abs=1e-4)


def test_two_folds_cannot_be_nested_but_are_fitted():
    answers_SMK, labels_M, folds_M = problem()
    tokens = list(answers_SMK[:, :, None])
    training = training_on(tokens, labels_M, folds_M % 2)
    fitted = fit_logistic(training)
    answer_MK = fitted.fusion.log_probabilities(training.blocks)
    assert (answer_MK.argmax(axis=1) == labels_M).mean() > 0.55
    assert np.isfinite(fitted.out_of_fold_MK).all()


def test_classes_without_a_clip_are_never_answered():
    answers_SMK, labels_M, _ = problem(classes=4)
    seen = labels_M < 3
    stack = fit_logistic_stack(answers_SMK[:, seen], labels_M[seen], 0.1)
    found_MK = stack.combine(answers_SMK)
    assert found_MK.shape == (120, 4)
    assert np.exp(found_MK[:, 3]).max() < 1e-12

"""The trees as arrays answer as scikit-learn's do."""

from __future__ import annotations

import numpy as np
import pytest

from vidfit.fusion.boosted import DEPTH, booster, exported, fit_trees
from vidfit.fusion.linear import log_softmax
from vidfit.fusion.logistic import side_by_side


def problem(clips=150, classes=3, members=2, seed=0):
    rng = np.random.default_rng(seed)
    labels_M = np.arange(clips) % classes
    logits_SMK = 2 * np.eye(classes)[labels_M] + 2 * rng.normal(size=(members, clips, classes))
    answers_SMK = np.stack([log_softmax(part).astype(np.float32) for part in logits_SMK])
    return answers_SMK, labels_M


@pytest.mark.parametrize("classes", [2, 3, 16])
def test_equal_to_scikit_learn(classes):
    answers_SMK, labels_M = problem(classes=classes)
    boosting = booster(classes).fit(side_by_side(answers_SMK), labels_M)
    new_SMK, _ = problem(300, classes, seed=1)
    found_MK = exported(boosting, labels_M, classes).combine(new_SMK)
    expected_MK = boosting.predict_log_proba(side_by_side(new_SMK))
    # Leaves are kept in float32; sums of at most 60 of them stay below 10.
    np.testing.assert_allclose(found_MK, expected_MK, atol=1e-5)


def test_inputs_on_a_threshold_go_the_same_way_as_in_scikit_learn():
    answers_SMK, labels_M = problem()
    boosting = booster(3).fit(side_by_side(answers_SMK), labels_M)
    trees = exported(boosting, labels_M, 3)
    split = np.isfinite(trees.thresholds_TI[:, 0])
    features, thresholds = trees.features_TI[split, 0], trees.thresholds_TI[split, 0]
    x_MD = np.tile(side_by_side(answers_SMK)[:1], (split.sum(), 1))
    x_MD[np.arange(len(x_MD)), features] = thresholds
    on_SMK = x_MD.reshape(len(x_MD), 2, 3).transpose(1, 0, 2)
    np.testing.assert_allclose(trees.combine(on_SMK), boosting.predict_log_proba(x_MD), atol=1e-5)


def test_a_tree_that_ends_early_is_filled_up():
    answers_SMK, labels_M = problem(clips=12, classes=2)  # five clips a leaf: no second question
    trees = fit_trees(answers_SMK, labels_M, labels_M)
    assert trees.features_TI.shape[1] == 2**DEPTH - 1
    assert np.isinf(trees.thresholds_TI).any()
    assert np.isfinite(trees.combine(answers_SMK)).all()


def test_it_learns_whom_to_believe_when():
    """Member 0 is right where it is sure of class 0 or 1; else the class is what 1 does not say."""
    rng = np.random.default_rng(0)
    labels_M = rng.integers(0, 2, 400)
    sure_M = rng.random(400) < 0.5
    first_M = np.where(sure_M, np.where(labels_M == 1, 4.0, -4.0), rng.normal(size=400))
    second_M = np.where(sure_M, rng.choice([-2.0, 2.0], 400), np.where(labels_M == 1, -2.0, 2.0))
    logits_SMK = np.stack([np.stack([-x, x], axis=1) / 2 for x in (first_M, second_M)])
    answers_SMK = np.stack([log_softmax(part).astype(np.float32) for part in logits_SMK])
    trees = fit_trees(answers_SMK[:, :200], labels_M[:200], labels_M)
    right_M = trees.combine(answers_SMK[:, 200:]).argmax(axis=1) == labels_M[200:]
    assert right_M.mean() > 0.95


def test_classes_without_a_clip_are_never_answered():
    answers_SMK, labels_M = problem(classes=4)
    seen = (labels_M != 0) & (labels_M != 3)
    trees = fit_trees(answers_SMK[:, seen], labels_M[seen], labels_M)
    found_MK = trees.combine(answers_SMK)
    assert found_MK.shape == (150, 4)
    assert np.exp(found_MK[:, [0, 3]]).max() < 1e-12
    assert (found_MK.argmax(axis=1) == labels_M)[seen].mean() > 0.7

"""A class that is left out is new to the fits that answer it, and so is its recording."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from vidfit.evaluate import auroc, leave_classes_out, spread
from vidfit.evaluate.left_out import MOST_CLASSES
from vidfit.fusion.linear import PENALTIES, cross_fit, held_out_novelty
from vidfit.labels import mean_loss
from vidfit.metrics import fit_temperature, probabilities


def made(clips: int = 240, classes: int = 4, dim: int = 12, seed: int = 0):
    """Return vectors, labels and folds; classes are far apart."""
    rng = np.random.default_rng(seed)
    labels_M = np.arange(clips) % classes
    means_KD = 2.0 * rng.normal(size=(classes, dim))
    vectors_MD = (means_KD[labels_M] + 1.5 * rng.normal(size=(clips, dim))).astype(np.float32)
    return vectors_MD, labels_M, np.arange(clips) // classes % 5


def test_each_class_is_left_out_once_and_is_less_sure():
    vectors_MD, labels_M, folds_M = made()
    found = list(leave_classes_out([vectors_MD], labels_M, folds_M))
    assert len(found) == 4
    np.testing.assert_array_equal(sum(one.new_M.astype(int) for one in found), np.ones(240))
    for one in found:
        sure_M = one.held.confidence_M
        assert auroc(-sure_M[~one.new_M], -sure_M[one.new_M]) > 0.7


def test_answers_are_those_of_scikit_learn_without_class_and_fold():
    vectors_MD, labels_M, folds_M = made(classes=3)
    one = list(leave_classes_out([vectors_MD], labels_M, folds_M))[1]
    new_M = labels_M == 1
    np.testing.assert_array_equal(one.new_M, new_M)
    losses = [mean_loss(cross_fit([vectors_MD], labels_M, folds_M, [c])[1], labels_M)
              for c in PENALTIES]  # fmt: skip
    penalty = PENALTIES[int(np.argmin(losses))]
    scale = np.sqrt(vectors_MD.shape[1])
    x_MD = (vectors_MD - vectors_MD.mean(0)) / vectors_MD.std(0) / scale
    answers_MK = np.zeros((len(labels_M), 2), np.float32)
    for fold in range(5):
        learn_M = (folds_M != fold) & ~new_M
        probe = LogisticRegression(C=penalty, tol=1e-8, max_iter=5000)
        probe.fit(x_MD[learn_M], labels_M[learn_M])
        answers_MK[folds_M == fold] = probe.predict_log_proba(x_MD[folds_M == fold])
    temperature = fit_temperature(answers_MK[~new_M], (labels_M[~new_M] == 2).astype(np.int64))
    expected_M = probabilities(answers_MK, temperature).max(axis=1)
    np.testing.assert_allclose(one.held.confidence_M, expected_M, atol=0.02)


def test_novelty_is_to_clips_of_other_classes_and_folds():
    vectors_MD, labels_M, folds_M = made(classes=3)
    one = next(leave_classes_out([vectors_MD], labels_M, folds_M))
    learn_M = (folds_M != 2) & (labels_M != 0)
    test_M = folds_M == 2
    standard = (vectors_MD[test_M] - vectors_MD[learn_M].mean(0)) / vectors_MD[learn_M].std(0)
    np.testing.assert_allclose(one.held.novelty_M[test_M], (standard**2).mean(axis=1), rtol=1e-4)
    everyone_M = held_out_novelty([vectors_MD], folds_M)
    assert np.abs(one.held.novelty_M - everyone_M).max() > 0.1


def test_the_same_clips_give_the_same_figures():
    once, again = (
        np.concatenate([one.held.confidence_M for one in leave_classes_out([v], k, f)])
        for v, k, f in (made(), made())
    )
    np.testing.assert_array_equal(once, again)


def test_of_many_classes_some_are_left_out_spread_over_all():
    vectors_MD, labels_M, folds_M = made(400, classes=20)
    found = list(leave_classes_out([vectors_MD], labels_M, folds_M))
    left = [int(labels_M[one.new_M][0]) for one in found]
    assert len(left) == MOST_CLASSES and left[0] == 0 and left[-1] == 19


def test_a_fold_that_lacks_the_last_class_is_answered_all_the_same():
    vectors_MD, labels_M, folds_M = made(classes=3)
    folds_M = np.where(labels_M == 2, 0, folds_M)
    found = list(leave_classes_out([vectors_MD], labels_M, folds_M))
    assert all(np.isfinite(one.held.confidence_M).all() for one in found)


@pytest.mark.parametrize("most", [30, 90, 500])
def test_clips_are_spread_over_the_classes(most):
    labels_M = np.repeat([0, 1, 2], [100, 50, 30])
    kept = spread(labels_M, most)
    assert len(kept) == min(most, 180) and (np.diff(kept) > 0).all()
    share_K = np.bincount(labels_M[kept]) / len(kept)
    np.testing.assert_allclose(share_K, [100 / 180, 50 / 180, 30 / 180], atol=0.03)

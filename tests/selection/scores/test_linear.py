from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from tests.selection.scores.problems import folds, problem

from vidfit.errors import NotEnoughDataError
from vidfit.fusion.linear import PENALTIES
from vidfit.selection.scores import linear_probe


def by_loop(x_MD, labels_M, folds_M):
    """Standardise, fit scikit-learn's regression without each fold, keep the best penalty."""
    x_MD = x_MD.astype(np.float64)
    z_MD = (x_MD - x_MD.mean(axis=0)) / x_MD.std(axis=0) / np.sqrt(x_MD.shape[1])
    best = (np.inf, 0.0)
    for penalty in PENALTIES:
        p_M, hits = np.zeros(len(x_MD)), 0
        for fold in np.unique(folds_M):
            train, test = folds_M != fold, folds_M == fold
            fit = LogisticRegression(C=penalty, max_iter=20000, tol=1e-8)
            fit.fit(z_MD[train], labels_M[train])
            p_MK = fit.predict_proba(z_MD[test])
            p_M[test] = p_MK[np.arange(test.sum()), labels_M[test]]
            hits += int((p_MK.argmax(axis=1) == labels_M[test]).sum())
        best = min(best, (-np.log(p_M).mean(), hits / len(x_MD)))
    return best[1]


@pytest.mark.parametrize(("clips", "dim", "classes"), [(60, 8, 3), (80, 120, 4)])
@pytest.mark.parametrize("signal", [0.3, 1.0])
def test_equal_to_a_loop_over_folds(clips, dim, classes, signal):
    x_MD, labels_M = problem(clips, dim, classes, signal=signal)
    folds_M = folds(labels_M)
    # One clip between two classes may fall either way at the fit's tolerance.
    expected = by_loop(x_MD, labels_M, folds_M)
    assert linear_probe(x_MD, labels_M, folds_M) == pytest.approx(expected, abs=1.01 / clips)


def test_labels_need_not_be_numbers():
    x_MD, labels_M = problem(60, 8, 3)
    names = np.array(["run", "sit", "fall"])[labels_M]
    folds_M = folds(labels_M)
    assert linear_probe(x_MD, names, folds_M) == linear_probe(x_MD, labels_M, folds_M)


def test_a_class_that_lies_in_one_fold_is_not_learned():
    x_MD, labels_M = problem(60, 8, 3, signal=5.0)
    folds_M = np.where(labels_M == 2, 0, np.arange(60) % 4)
    assert linear_probe(x_MD, labels_M, folds_M) <= 2 / 3


def test_one_class_outside_a_fold_is_refused():
    x_MD, labels_M = problem(40, 8, 2)
    with pytest.raises(NotEnoughDataError, match="without fold 0 only one class is left"):
        linear_probe(x_MD, labels_M, labels_M)


def test_folds_of_another_length_are_refused():
    x_MD, labels_M = problem(40, 8, 2)
    with pytest.raises(ValueError, match="folds of shape"):
        linear_probe(x_MD, labels_M, np.zeros(39, int))

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import rankdata
from tests.selection.scores.problems import SHAPES, problem

from vidfit.selection.scores import parc


def explicit(x_MD, labels_M):
    """numpy's correlation matrices; Spearman as Pearson's correlation of ranks."""
    x_MD = x_MD.astype(np.float64)
    z_MD = (x_MD - x_MD.mean(axis=0)) / x_MD.std(axis=0)
    pairs = np.triu_indices(len(x_MD), 1)
    of_features = rankdata((1 - np.corrcoef(z_MD))[pairs])
    one_hot = (labels_M[:, None] == np.unique(labels_M)).astype(float)
    # Rounded: the distance between any two classes is one number, computed in several ways.
    of_labels = rankdata(np.round(1 - np.corrcoef(one_hot), 9)[pairs])
    return np.corrcoef(of_features, of_labels)[0, 1]


@pytest.mark.parametrize("signal", [0.0, 1.0])
@pytest.mark.parametrize(("clips", "dim", "classes"), [*SHAPES[:3], (50, 200, 12)])
def test_equal_to_the_ranks_of_correlations(clips, dim, classes, signal):
    x_MD, labels_M = problem(clips, dim, classes, signal=signal)
    # Absolute, in float64.
    assert parc(x_MD, labels_M) == pytest.approx(explicit(x_MD, labels_M), abs=1e-6)


def test_clips_given_twice_are_tied():
    """Ties of distances count as ties, not as the rounding of equal numbers."""
    x_MD, labels_M = problem(20, 30, 3)
    order = np.random.default_rng(0).permutation(40)
    first = parc(np.tile(x_MD, (2, 1)), np.tile(labels_M, 2))
    second = parc(np.tile(x_MD, (2, 1))[order], np.tile(labels_M, 2)[order])
    assert first == pytest.approx(second, abs=1e-12)


@pytest.mark.parametrize(
    "features", [np.full((8, 5), 0.1), np.arange(8.0)[:, None]], ids=["constant", "one dimension"]
)
def test_features_without_correlation_say_nothing(features):
    assert parc(features, np.arange(8) % 2) == 0.0


def test_a_class_for_each_clip_says_nothing():
    assert parc(np.random.default_rng(0).normal(size=(8, 5)), np.arange(8)) == 0.0

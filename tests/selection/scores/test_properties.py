"""What theory says of every score: invariances, and that a signal scores above noise."""

from __future__ import annotations

import numpy as np
import pytest
from tests.selection.scores.problems import SHAPES, problem

from vidfit.errors import NotEnoughDataError
from vidfit.selection.scores import knn, logme, parc

SCORES = {"logme": logme, "parc": parc}
ALL = {**SCORES, "knn": lambda x, y: knn(x, y, np.arange(len(y)) % 4)}


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(("clips", "dim"), [(100, 20), (100, 400)])
def test_a_signal_scores_above_noise(name, clips, dim):
    for seed in range(3):
        noise_MD, labels_M = problem(clips, dim, 4, signal=0.0, seed=seed)
        signal_MD, _ = problem(clips, dim, 4, signal=1.0, seed=seed)
        assert ALL[name](signal_MD, labels_M) > ALL[name](noise_MD, labels_M)


@pytest.mark.parametrize("name", SCORES)
@pytest.mark.parametrize(("clips", "dim", "classes"), SHAPES)
def test_the_order_of_clips_does_not_matter(name, clips, dim, classes):
    x_MD, labels_M = problem(clips, dim, classes)
    order = np.random.default_rng(9).permutation(clips)
    expected = pytest.approx(SCORES[name](x_MD, labels_M), rel=1e-6, abs=1e-9)
    assert SCORES[name](x_MD[order], labels_M[order]) == expected


@pytest.mark.parametrize("name", ALL)
def test_the_names_of_classes_do_not_matter(name):
    x_MD, labels_M = problem(60, 20, 3)
    renamed = np.array([900, -7, 42])[labels_M]  # neither contiguous nor in order
    expected = pytest.approx(ALL[name](x_MD, labels_M), rel=1e-6, abs=1e-9)
    assert ALL[name](x_MD, renamed) == expected
    assert ALL[name](x_MD, np.array(["c", "a", "b"])[labels_M]) == expected


@pytest.mark.parametrize("name", SCORES)
@pytest.mark.parametrize("factor", [1e-4, 300.0])
def test_the_scale_of_features_does_not_matter(name, factor):
    x_MD, labels_M = problem(40, 60, 4)
    expected = pytest.approx(SCORES[name](x_MD, labels_M), rel=1e-5, abs=1e-9)
    assert SCORES[name](x_MD.astype(np.float64) * factor, labels_M) == expected


@pytest.mark.parametrize(("clips", "dim"), [(60, 8), (40, 120)])
def test_a_rotation_of_features_does_not_matter_to_logme(clips, dim):
    x_MD, labels_M = problem(clips, dim, 4)
    rotation_DD, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(dim, dim)))
    expected = pytest.approx(logme(x_MD, labels_M), rel=1e-6, abs=1e-9)
    assert logme(x_MD.astype(np.float64) @ rotation_DD, labels_M) == expected


@pytest.mark.parametrize("name", ALL)
def test_hard_shapes_give_finite_scores(name):
    x_MD, labels_M = problem(100, 30, 50)  # two clips per class
    dull_MD = x_MD.copy()
    dull_MD[:, 3] = 7.0
    cases = [
        (dull_MD, labels_M),
        (np.full((40, 6), 0.1, np.float32), np.arange(40) % 4),
        (np.tile(x_MD[:20], (4, 1)), np.repeat([0, 1], 40)),
        (x_MD[:, :1], labels_M % 2),
    ]
    for features, labels in cases:
        score = ALL[name](features, labels)
        assert isinstance(score, float)
        assert np.isfinite(score)


@pytest.mark.parametrize("name", ALL)
def test_what_cannot_be_scored_is_refused(name):
    x_MD, labels_M = problem(20, 4, 2)
    with pytest.raises(NotEnoughDataError, match="1 class"):
        ALL[name](x_MD, np.zeros(20, int))
    with pytest.raises(ValueError, match="one label per clip"):
        ALL[name](x_MD[:19], labels_M)
    x_MD[5, 2] = np.inf
    with pytest.raises(ValueError, match="row 5"):
        ALL[name](x_MD, labels_M)

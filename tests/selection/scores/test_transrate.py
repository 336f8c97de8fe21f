from __future__ import annotations

import numpy as np
import pytest
from tests.selection.scores.problems import SHAPES, problem

from vidfit.selection.scores import transrate


def coding_rate(z_MD, epsilon):
    """The determinant of the D x D matrix, as the paper prints it."""
    clips, dim = z_MD.shape
    return 0.5 * np.linalg.slogdet(np.eye(dim) + z_MD.T @ z_MD / (clips * epsilon))[1]


def explicit(x_MD, labels_M, epsilon):
    z_MD = x_MD.astype(np.float64) - x_MD.astype(np.float64).mean(axis=0)
    z_MD /= np.sqrt(np.mean(np.sum(z_MD**2, axis=1)))
    within = sum(
        np.mean(labels_M == label) * coding_rate(z_MD[labels_M == label], epsilon)
        for label in np.unique(labels_M)
    )
    return coding_rate(z_MD, epsilon) - within


@pytest.mark.parametrize("epsilon", [1e-4, 0.1])
@pytest.mark.parametrize(("clips", "dim", "classes"), [*SHAPES, (25, 300, 10)])
def test_equal_to_the_determinants_of_size_dim(clips, dim, classes, epsilon):
    x_MD, labels_M = problem(clips, dim, classes)
    expected = explicit(x_MD, labels_M, epsilon)
    # Relative, in float64; absolute where the difference of two rates nearly vanishes.
    assert transrate(x_MD, labels_M, epsilon=epsilon) == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_two_equal_classes_cannot_be_told_by_their_distance():
    """A limit of the paper's definition, which the docstring states."""
    rng = np.random.default_rng(0)
    half = rng.normal(size=(500, 4))
    near, far = (np.concatenate([half + step, -half - step]) for step in (0.0, 50.0))
    labels_M = np.repeat([0, 1], 500)
    assert transrate(near, labels_M) == pytest.approx(0.0, abs=1e-9)
    assert transrate(far, labels_M) == pytest.approx(0.0, abs=1e-9)


def test_the_default_tells_signal_from_noise_where_the_usual_epsilon_does_not():
    scores = {}
    for signal in (0.0, 0.5):
        x_MD, labels_M = problem(100, 600, 4, signal=signal)
        scores[signal] = [transrate(x_MD, labels_M, epsilon=e) for e in (1e-4, 0.1)]
    assert scores[0.5][0] < scores[0.0][0]
    assert scores[0.5][1] > scores[0.0][1]


def test_clips_that_are_all_alike_score_zero():
    assert transrate(np.full((10, 5), 0.1), np.arange(10) % 2) == 0.0


def test_an_epsilon_of_zero_is_refused():
    with pytest.raises(ValueError, match="epsilon is 0"):
        transrate(np.eye(4), [0, 1, 0, 1], epsilon=0)

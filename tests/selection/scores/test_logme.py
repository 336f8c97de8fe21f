"""LogME equals a full-determinant evidence, maximised over both precisions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize
from tests.selection.scores.problems import problem

from vidfit.selection.scores import logme


def evidence(log_alpha, log_beta, x_MD, y_M):
    """The paper's formula with the D x D matrix A and its full log-determinant."""
    clips, dim = x_MD.shape
    alpha, beta = np.exp(log_alpha), np.exp(log_beta)
    factor = cho_factor(alpha * np.eye(dim) + beta * x_MD.T @ x_MD)
    mean_D = beta * cho_solve(factor, x_MD.T @ y_M)
    log_determinant = 2 * np.log(np.diag(factor[0])).sum()
    return (
        dim / 2 * log_alpha
        + clips / 2 * (log_beta - np.log(2 * np.pi))
        - beta / 2 * np.sum((x_MD @ mean_D - y_M) ** 2)
        - alpha / 2 * mean_D @ mean_D
        - log_determinant / 2
    ) / clips


def oracle(x_MD, labels_M, starts):
    """Maximise over ln alpha and ln beta for each class; return the mean and the ln alphas.

    The search runs over ln beta and ln(alpha / beta), bounded where A can still be factored.
    """
    x_MD = x_MD.astype(np.float64)
    found = []
    for label in np.unique(labels_M):
        y_M = (labels_M == label).astype(np.float64)
        runs = [
            minimize(
                lambda p, y_M=y_M: -evidence(p[0] + p[1], p[0], x_MD, y_M),
                start,
                method="Nelder-Mead",
                bounds=[(-20, 30), (-18, 25)],
                options={"xatol": 1e-6, "fatol": 1e-11, "maxiter": 2000},
            )
            for start in starts
        ]
        found.append(min(runs, key=lambda run: run.fun))
    return -np.mean([run.fun for run in found]), [run.x.sum() for run in found]


@pytest.mark.parametrize("signal", [0.0, 0.5, 2.0])
@pytest.mark.parametrize(("clips", "dim", "classes"), [(60, 8, 3), (40, 90, 4), (30, 30, 2)])
def test_equal_to_the_full_evidence(clips, dim, classes, signal):
    x_MD, labels_M = problem(clips, dim, classes, signal=signal)
    starts = [(0.0, 0.0), (2.0, 5.0), (5.0, -10.0)]
    expected, _ = oracle(x_MD, labels_M, starts)
    # Absolute: Nelder-Mead stops where the evidence changes by 1e-11.
    assert logme(x_MD, labels_M) == pytest.approx(expected, abs=1e-6)


def fixed_point(x_MD, y_M, *, dropped):
    """The iteration in wide use, its evidence without the ``dropped`` (D - R) ln alpha."""
    clips, dim = x_MD.shape
    left, singular, _ = np.linalg.svd(x_MD, full_matrices=False)
    eigen, power = singular**2, (left.T @ y_M) ** 2
    outside = y_M @ y_M - power.sum()
    alpha = beta = 1.0
    for _ in range(11):
        ratio = alpha / beta
        gamma = np.sum(eigen / (eigen + ratio))
        norm = np.sum(eigen * power / (eigen + ratio) ** 2)
        residual = np.sum(power / (1 + eigen / ratio) ** 2) + outside
        alpha, beta = gamma / (norm + 1e-5), (clips - gamma) / (residual + 1e-5)
        if abs(alpha / beta - ratio) / ratio <= 1e-3:
            break
    log_determinant = np.log(alpha + beta * eigen).sum()
    if not dropped:
        log_determinant += (dim - len(eigen)) * np.log(alpha)
    total = dim * np.log(alpha) + clips * np.log(beta / (2 * np.pi)) - log_determinant
    return 0.5 * (total - beta * residual - alpha * norm) / clips


def noise(clips=200, dim=512, classes=5):
    rng = np.random.default_rng(0)
    return rng.normal(size=(clips, dim)), np.arange(clips) % classes


def test_noise_in_more_dimensions_than_clips_is_not_rewarded():
    """Of 200 clips of noise in 512 dimensions LogME is -0.61; a known wrong form is far off."""
    x_MD, labels_M = noise()
    score = logme(x_MD, labels_M)
    expected, log_alphas = oracle(x_MD, labels_M, [(2.0, 5.0)])
    assert score == pytest.approx(expected, abs=1e-6)
    assert score == pytest.approx(-0.61, abs=0.01)

    targets = [(labels_M == label).astype(float) for label in range(5)]
    wrong = np.mean([fixed_point(x_MD, y_M, dropped=True) for y_M in targets])
    right = np.mean([fixed_point(x_MD, y_M, dropped=False) for y_M in targets])
    assert wrong > 5.0
    assert -1.0 < right < score  # nor has the iteration converged
    # The same slip at the true maximum, without any question of convergence.
    slip = (512 - 200) / 2 / 200 * np.mean(log_alphas)
    assert score + slip > 3.0


def test_noise_without_any_fit_has_the_evidence_of_no_weights():
    """As alpha grows the model is y ~ N(0, 1/beta), its best beta M / |y|^2."""
    labels_M = np.arange(40) % 4
    expected = 0.5 * (np.log(4) - 1 - np.log(2 * np.pi))
    assert logme(np.zeros((40, 7)), labels_M) == pytest.approx(expected, abs=1e-12)
    y_MK = np.eye(4)[labels_M]
    random = np.random.default_rng(0).normal(size=(40, 3))
    random -= y_MK @ np.linalg.lstsq(y_MK, random, rcond=None)[0]
    assert logme(random, labels_M) == pytest.approx(expected, abs=1e-9)


def test_clips_given_twice_stay_finite():
    """Their labels are a linear function of features of half the rank: noise could be 0."""
    x_MD, labels_M = problem(30, 100, 3)
    twice = logme(np.tile(x_MD, (2, 1)), np.tile(labels_M, 2))
    assert np.isfinite(twice)
    assert twice > logme(x_MD, labels_M)

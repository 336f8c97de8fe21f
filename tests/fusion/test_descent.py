"""The minimum is that of a linear system, and of scipy, in single and in double precision."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from vidfit.fusion.descent import minimise


def quadratic(dim, dtype):
    rng = np.random.default_rng(dim)
    root = rng.normal(size=(dim, dim)) / np.sqrt(dim)
    matrix = (root @ root.T + 0.1 * np.eye(dim)).astype(dtype)
    pull = rng.normal(size=dim).astype(dtype)

    def loss(x):
        bent = matrix @ x
        return float(0.5 * x @ bent - pull @ x), bent - pull

    return loss, np.linalg.solve(matrix.astype(float), pull.astype(float))


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-5), (np.float64, 1e-9)])
@pytest.mark.parametrize("dim", [1, 5, 60])
def test_of_a_quadratic_it_is_the_solution(dim, dtype, tolerance):
    loss, expected = quadratic(dim, dtype)
    found = minimise(loss, np.zeros(dim, dtype), tolerance)
    assert found.dtype == dtype
    # The least curvature is 0.1: a gradient of the tolerance is ten of it away from the minimum.
    np.testing.assert_allclose(found, expected, atol=30 * tolerance * np.sqrt(dim))


def test_where_a_first_step_is_far_too_long_it_is_that_of_scipy():
    def loss(x):
        value = np.logaddexp(50 * x, -50 * x).sum() + 0.5 * x @ x - x.sum()
        return float(value), 50 * np.tanh(50 * x) + x - 1

    start = np.array([0.3, -0.2])
    expected = minimize(loss, start, jac=True, options={"gtol": 1e-9}).x
    np.testing.assert_allclose(minimise(loss, start, 1e-7), expected, atol=1e-7)


def test_from_the_minimum_it_stays():
    loss, expected = quadratic(5, np.float64)
    np.testing.assert_array_equal(minimise(loss, expected, 1e-6), expected)


def test_where_no_step_lowers_the_value_it_ends():
    """A gradient that lies, as where rounding has eaten it."""
    start = np.zeros(3)
    assert minimise(lambda x: (float(x @ x), np.ones(3)), start, 1e-6) is start

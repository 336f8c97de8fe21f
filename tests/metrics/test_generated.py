import numpy as np
import pytest
from scipy.linalg import sqrtm

from vidfit.metrics.generated import Products, frechet_distance, manifolds


def points(count, directions=6, seed=0, wide=1.0, shift=0.0):
    return np.random.default_rng(seed).normal(shift, wide, (count, directions))


def test_the_distance_is_that_of_the_formula():
    """Against the matrix root of scipy, to rounding."""
    real, made = points(80), points(70, seed=1, wide=0.7, shift=0.4)
    one, other = np.cov(real.T), np.cov(made.T)
    apart = ((real.mean(axis=0) - made.mean(axis=0)) ** 2).sum()
    wanted = apart + np.trace(one + other - 2 * sqrtm(one @ other)).real
    assert frechet_distance(real, made) == pytest.approx(wanted, rel=1e-9)


def test_fewer_points_than_directions_are_no_trouble():
    real, made = points(10, 40), points(12, 40, seed=1, shift=1.0)
    one, other = np.cov(real.T), np.cov(made.T)
    root = np.sqrt(np.maximum(np.linalg.eigvals(one @ other).real, 0)).sum()
    apart = ((real.mean(axis=0) - made.mean(axis=0)) ** 2).sum()
    wanted = apart + np.trace(one) + np.trace(other) - 2 * root
    assert frechet_distance(real, made) == pytest.approx(wanted, rel=1e-5)


def test_a_set_is_no_way_from_itself():
    assert frechet_distance(points(30), points(30)) == pytest.approx(0, abs=1e-9)


def test_rows_are_drawn_without_a_second_look():
    real, made = points(30, shift=100.0), points(25, seed=1, shift=101.0)
    rows, others = np.array([1, 1, 4, 9, 20]), np.array([0, 3, 3, 8])
    wanted = frechet_distance(real[rows], made[others])
    assert Products.of(real, made).distance(rows, others) == pytest.approx(wanted, rel=1e-9)


def test_too_few_points_are_refused():
    with pytest.raises(ValueError, match="two of each"):
        frechet_distance(points(1), points(5))
    with pytest.raises(ValueError, match="directions"):
        frechet_distance(points(5), points(5, 3))
    with pytest.raises(ValueError, match="neighbours"):
        manifolds(points(5), points(9), 5)


@pytest.mark.parametrize("wide", [0.3, 1.0, 2.0])
def test_manifolds_are_those_of_their_authors(wide):
    """The package `prdc` of Naeem et al. (2020), to the digit."""
    from prdc import compute_prdc

    real, made = points(90), points(110, seed=1, wide=wide, shift=0.2)
    theirs = compute_prdc(real, made, 5)
    ours = manifolds(real, made, 5)
    for name, value in theirs.items():
        assert getattr(ours, name) == pytest.approx(float(value))

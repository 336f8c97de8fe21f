"""The filter against one of eight dimensions with matrices."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import expm

from vidfit.tracking import kalman
from vidfit.tracking.kalman import STEPS_A_SECOND, begun, corrected, edges_of, moved


class Dense:
    """One box: state [8], covariance [8, 8], noise by Van Loan's matrix exponential (1978)."""

    def __init__(self, edges):
        z, h = self.measured(edges)
        self.mean = np.r_[z, np.zeros(4)]
        place, velocity = [2 / 20 * h, 2 / 20 * h, 1e-2, 2 / 20 * h], np.full(4, 10 / 160 * h)
        velocity[2] = 1e-5
        self.covariance = np.diag(np.r_[place, velocity * STEPS_A_SECOND] ** 2)
        self.scale = h

    @staticmethod
    def measured(edges):
        left, top, right, bottom = edges
        height = bottom - top
        return np.array(
            [(left + right) / 2, (top + bottom) / 2, (right - left) / height, height]
        ), height

    def move(self, seconds):
        h = self.scale
        place = np.array([h / 20, h / 20, 1e-2, h / 20]) ** 2 * STEPS_A_SECOND
        velocity = (np.array([h / 160, h / 160, 1e-5, h / 160]) * STEPS_A_SECOND) ** 2
        drift = np.zeros((8, 8))
        drift[:4, 4:] = np.eye(4)
        noise = np.diag(np.r_[place, velocity * STEPS_A_SECOND])
        block = expm(np.block([[-drift, noise], [np.zeros((8, 8)), drift.T]]) * seconds)
        step = block[8:, 8:].T
        self.mean = step @ self.mean
        self.covariance = step @ self.covariance @ step.T + step @ block[:8, 8:]

    def correct(self, edges):
        z, h = self.measured(edges)
        see = np.eye(4, 8)
        now = self.mean[3]
        noise = np.diag(np.array([now / 20, now / 20, 1e-1, now / 20]) ** 2)
        gain = self.covariance @ see.T @ np.linalg.inv(see @ self.covariance @ see.T + noise)
        self.mean = self.mean + gain @ (z - see @ self.mean)
        self.covariance = (np.eye(8) - gain @ see) @ self.covariance
        self.scale = h


def boxes(rng, count):
    low = rng.uniform(0, 500, (count, 2))
    return np.concatenate([low, low + rng.uniform(20, 120, (count, 2))], axis=1)


def test_the_filter_is_that_of_eight_dimensions(rng):
    first = boxes(rng, 5)
    motion, dense = begun(first), [Dense(edges) for edges in first]
    for seconds in rng.uniform(0.01, 0.5, 12):
        motion = moved(motion, seconds)
        seen = first + rng.normal(0, 3, first.shape)
        for one in dense:
            one.move(seconds)
        assert np.allclose(motion.place_N4, [one.mean[:4] for one in dense], rtol=1e-9)
        variance = [np.diag(one.covariance)[:4] for one in dense]
        assert np.allclose(motion.place_variance_N4, variance, rtol=1e-7)
        motion = corrected(motion, seen)
        for one, edges in zip(dense, seen, strict=True):
            one.correct(edges)
    assert np.allclose(motion.velocity_N4, [one.mean[4:] for one in dense], rtol=1e-6, atol=1e-9)
    pairs = [np.diag(one.covariance, 4) for one in dense]
    assert np.allclose(motion.covariance_N4, pairs, rtol=1e-6, atol=1e-12)


def test_many_short_steps_are_one_long_step(rng):
    motion = corrected(moved(begun(boxes(rng, 3)), 0.1), boxes(rng, 3))
    short = motion
    for _ in range(8):
        short = moved(short, 0.05)
    long = moved(motion, 0.4)
    for name in long.__slots__:
        assert np.allclose(getattr(short, name), getattr(long, name), rtol=1e-9), name


def test_boxes_come_back_as_they_went_in(rng):
    edges_N4 = boxes(rng, 4)
    assert np.allclose(edges_of(begun(edges_N4)), edges_N4)
    joined = begun(edges_N4[:1]).joined(begun(edges_N4[1:]))
    assert np.allclose(edges_of(joined.chosen(np.array([2, 0]))), edges_N4[[2, 0]])


@pytest.mark.parametrize("lost", [True, False])
def test_who_is_out_of_sight_does_not_grow(lost):
    grown = np.array([[0.0, 0.0, 20.0, 60.0]])
    motion = begun(np.array([[0.0, 0.0, 10.0, 40.0]]))
    for _ in range(5):
        motion = corrected(moved(motion, 0.1), grown)
    kept = kalman.at_height(motion, np.array([lost]))
    assert (kept.velocity_N4[0, 3] == 0) == lost

"""Figures of frames, calibration, and the choice: held against plain definitions."""

from __future__ import annotations

import numpy as np
import pytest

from vidfit.pixels.forecast.baselines import BLACK, COPY, MEAN, baseline, copying_pays, mean_picture
from vidfit.pixels.forecast.calibrated import Platt, fit_platt, pixel_reliability
from vidfit.pixels.forecast.compare import CandidateSaid, compared, sigmoid
from vidfit.pixels.forecast.measure import cross_entropy, measured, surprise


def test_squared_error_is_summed_over_pixels_and_averaged_over_frames():
    rng = np.random.default_rng(0)
    said, truth = rng.random((2, 3, 4, 8, 8), np.float32)
    found = measured(said, truth)
    by_frame = ((said - truth) ** 2).sum(axis=(2, 3))
    assert np.allclose(found.mse_MA, by_frame, rtol=1e-5)
    assert np.allclose(found.mse_M, by_frame.mean(axis=1), rtol=1e-5)
    assert measured(truth, truth).ssim_M == pytest.approx(1.0)


def test_cross_entropy_is_least_at_the_truth_and_surprise_nothing_there():
    truth = np.linspace(0, 1, 11)
    assert (cross_entropy(truth, truth) <= cross_entropy(truth + 0.05, truth) + 1e-9).all()
    assert surprise(truth, truth) == pytest.approx(0.0)
    assert surprise(np.array([0.01]), np.array([1.0]))[0] > 4


def test_calibration_finds_the_line_that_was_taken_away():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, 200_000).astype(np.float32)
    truth = (rng.random(200_000) < sigmoid(logits)).astype(np.float32)
    found = fit_platt(3 * logits - 1, truth)
    assert found.slope == pytest.approx(1 / 3, abs=0.02)
    assert found.offset == pytest.approx(1 / 3, abs=0.05)


def test_black_pixels_alone_leave_the_line_within_bounds():
    found = fit_platt(np.full(1000, -6.0, np.float32), np.zeros(1000, np.float32))
    assert np.isfinite([found.slope, found.offset]).all()
    assert -4 <= found.offset <= 4


def test_reliability_of_true_probabilities_is_near_none():
    rng = np.random.default_rng(1)
    said = rng.random((6, 1, 40, 40), np.float32)
    truth = (rng.random(said.shape) < said).astype(np.float32)
    found = pixel_reliability(list(said), list(truth), list("aabbcc"))
    assert found.error < 0.03
    assert sum(one.share for one in found.bins) == pytest.approx(1.0)
    assert all(one.lit.low <= one.lit.value <= one.lit.high for one in found.bins)
    assert found.unsure_share == pytest.approx(0.9, abs=0.02)


def test_baselines():
    windows = np.zeros((2, 5, 8, 8), np.uint8)
    windows[:, 2] = 255
    mean = np.full((8, 8), 0.25, np.float32)
    assert (baseline(COPY, windows, 3, mean) == 1).all()
    assert (baseline(MEAN, windows, 3, mean) == 0.25).all()
    assert not baseline(BLACK, windows, 3, mean).any()


def test_the_last_frame_pays_where_nothing_moves():
    def still(rng, count):
        return np.broadcast_to(rng.integers(0, 256, (count, 1, 8, 8), np.uint8), (count, 4, 8, 8))

    def noise(rng, count):
        return rng.integers(0, 2, (count, 4, 8, 8), np.uint8) * 255

    assert copying_pays(still, 2, mean_picture(still))
    assert not copying_pays(noise, 2, mean_picture(noise))


def _table(good, count=8):
    """Return a comparison of a network that knows more or less, and one that is slow."""
    rng = np.random.default_rng(2)
    truth = (rng.random((count, 2, 8, 8)) < 0.5).astype(np.float32)
    logit = (2 * truth - 1) * good + rng.normal(0, 0.3, truth.shape)
    flat = np.zeros_like(truth)
    said = [
        CandidateSaid("copy-last", flat.astype(np.float32), network=False),
        CandidateSaid("quick", logit.astype(np.float32), network=True, window_seconds=1.0),
        CandidateSaid("slow", (logit + 1e-4).astype(np.float32), True, 5.0),
    ]
    return compared(said, truth, [str(m // 2) for m in range(count)])


def test_the_cheapest_of_the_tied_is_chosen_and_a_gain_is_proven():
    table = _table(good=2.0)
    assert table.chosen == "quick"
    assert table.proven
    assert {row.name for row in table.rows} == {
        "copy-last",
        "copy-last, calibrated",
        "quick",
        "slow",
    }
    assert table.closest.cross_entropy.low > 0
    assert 0 < table.closest.share.low < table.closest.share.high <= 1


def test_no_gain_is_said_where_there_is_none():
    table = _table(good=0.0)
    assert not table.proven
    assert table.closest.share.low <= 0


def test_two_recordings_are_enough():
    assert _table(good=2.0, count=4).chosen in ("quick", "slow")


def test_a_line_changes_logits():
    assert Platt(2.0, 1.0)(np.array([1.0], np.float32)) == pytest.approx(3.0)

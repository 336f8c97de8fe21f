"""Intervals cover as they say, and clips of one recording do not count as many."""

from __future__ import annotations

import numpy as np
import pytest

from vidfit.metrics import mean_interval, ratio_interval


def names(numbers) -> list[str]:
    return [f"recording {n}" for n in numbers]


def test_recordings_of_one_clip_give_the_interval_of_a_binomial():
    hits_M = np.arange(400) % 10 < 7
    found = mean_interval(hits_M, names(range(400)))
    half = 1.96 * np.sqrt(0.7 * 0.3 / 400)
    assert found.value == pytest.approx(0.7)
    assert found.low == pytest.approx(0.7 - half, abs=0.005)
    assert found.high == pytest.approx(0.7 + half, abs=0.005)


def test_clips_that_repeat_one_another_count_once():
    hits_G = np.arange(40) % 10 < 7
    one = mean_interval(hits_G, names(range(40)))
    tenfold = mean_interval(np.repeat(hits_G, 10), names(np.repeat(np.arange(40), 10)))
    assert (tenfold.low, tenfold.high) == pytest.approx((one.low, one.high))
    by_clip = mean_interval(np.repeat(hits_G, 10), names(range(400)))
    assert by_clip.high - by_clip.low < 0.4 * (one.high - one.low)


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    """Seeded: 200 data sets of 40 recordings whose difficulty varies; 95 % +- 2.5 sigma."""
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(200):
        difficulty_G = rng.beta(4, 2, 40)  # mean 2/3
        groups = np.repeat(np.arange(40), 5)
        found = mean_interval(rng.random(200) < difficulty_G[groups], names(groups))
        covered += found.low <= 2 / 3 <= found.high
    assert 0.91 <= covered / 200 <= 0.99


def test_resampling_clips_would_claim_too_much():
    """The same, clip by clip: the interval is too narrow where recordings differ."""
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(60):
        difficulty_G = rng.beta(0.8, 0.4, 40)
        groups = np.repeat(np.arange(40), 6)
        found = mean_interval(rng.random(240) < difficulty_G[groups], names(range(240)))
        covered += found.low <= 2 / 3 <= found.high
    assert covered / 60 < 0.85


def test_paired_differences_of_equal_models_are_zero():
    found = mean_interval(np.zeros(50), names(np.arange(50) // 5))
    assert (found.value, found.low, found.high) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(("recordings", "least"), [(6, 0.85), (12, 0.89)])
def test_few_recordings_make_the_interval_wider(recordings, least):
    """Plain percentiles cover 83 % and 88 % here."""
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(300):
        difficulty_G = rng.beta(6, 2, recordings)  # mean 3/4
        groups = np.repeat(np.arange(recordings), 4)
        hits_M = rng.random(4 * recordings) < difficulty_G[groups]
        found = mean_interval(hits_M, names(groups))
        covered += found.low <= 0.75 <= found.high
    assert least <= covered / 300 <= 0.99


def test_one_recording_says_nothing_of_others():
    for found in (mean_interval([1, 0, 1, 1], ["r"] * 4),):
        assert found.value == 0.75
        assert np.isnan(found.low) and np.isnan(found.high)


def test_the_same_seed_gives_the_same_interval():
    hits_M = np.random.default_rng(1).normal(size=60)
    groups = names(np.arange(60) // 3)
    assert mean_interval(hits_M, groups) == mean_interval(hits_M, groups)
    assert mean_interval(hits_M, groups) != mean_interval(hits_M, groups, seed=1)


def test_many_recordings_are_drawn_in_blocks_of_bounded_size():
    hits_M = np.arange(10_000) % 2
    found = mean_interval(hits_M, names(range(10_000)))
    assert found.high - found.low == pytest.approx(2 * 1.96 * 0.5 / np.sqrt(10_000), rel=0.1)


def test_a_ratio_to_a_constant_has_the_interval_of_the_mean():
    hits_M = np.arange(200) % 10 < 7
    groups = names(np.arange(200) // 5)
    mean, ratio = mean_interval(hits_M, groups), ratio_interval(hits_M, np.full(200, 0.5), groups)
    assert ratio.value == pytest.approx(2 * mean.value)
    # The ends are draws themselves: at most one of 200 clips away from those in between.
    assert (ratio.low, ratio.high) == pytest.approx((2 * mean.low, 2 * mean.high), abs=0.01)


def test_what_keeps_the_same_share_everywhere_is_certain():
    gain_M = np.random.default_rng(0).normal(1.0, 0.1, 60)
    found = ratio_interval(0.8 * gain_M, gain_M, names(np.arange(60) // 3))
    assert (found.value, found.low, found.high) == pytest.approx((0.8, 0.8, 0.8))


def gains(rng, recordings: int, gain: float):
    """Gains of a fusion and of a student that keeps 70 % of them, by recordings that differ."""
    groups = np.repeat(np.arange(recordings), 6)
    fusion_M = gain + rng.normal(0, 0.1, recordings)[groups] + rng.normal(0, 0.4, len(groups))
    own_M = rng.normal(0, 0.05, recordings)[groups] + rng.normal(0, 0.3, len(groups))
    return 0.7 * fusion_M + own_M, fusion_M, names(groups)


@pytest.mark.parametrize(("recordings", "gain"), [(40, 0.15), (12, 0.15), (40, 0.04)])
def test_the_interval_of_a_ratio_covers_the_truth(recordings, gain):
    """Seeded, 200 data sets, also where the denominator is close to zero; 95 % - 2.5 sigma."""
    rng = np.random.default_rng(recordings)
    found = [ratio_interval(*gains(rng, recordings, gain)) for _ in range(200)]
    assert np.mean([one.low <= 0.7 <= one.high for one in found]) >= 0.91


def test_a_ratio_to_a_gain_that_may_be_zero_is_open():
    rng = np.random.default_rng(0)
    student_M, fusion_M, groups = gains(rng, 10, 0.04)
    assert mean_interval(fusion_M, groups).low < 0 < fusion_M.mean()
    found = ratio_interval(student_M, fusion_M, groups)
    assert np.isfinite(found.value)
    assert (found.low, found.high) == (-np.inf, np.inf)


@pytest.mark.parametrize("denominator", [0.0, -0.3])
def test_a_ratio_to_no_gain_at_all_has_no_value(denominator):
    found = ratio_interval(np.ones(20), np.full(20, denominator), names(range(20)))
    assert np.isnan(found.value)
    assert (found.low, found.high) == (-np.inf, np.inf)


def test_a_ratio_from_one_recording_says_nothing_of_others():
    found = ratio_interval([1, 0, 1], [1, 1, 1], ["r"] * 3)
    assert found.value == pytest.approx(2 / 3)
    assert np.isnan(found.low) and np.isnan(found.high)


@pytest.mark.parametrize(("numerator", "groups"), [([1, np.nan], "ab"), ([1, 0], "abc")])
def test_values_that_are_not_finite_or_of_other_clips_are_refused(numerator, groups):
    with pytest.raises(ValueError, match="finite"):
        ratio_interval(numerator, [1, 1], list(groups))

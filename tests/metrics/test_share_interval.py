"""Shares of hits: the interval covers with few recordings, and never claims certainty."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import dblquad
from scipy.special import betaln
from scipy.stats import beta

from vidfit.metrics import BALANCED, mean_interval, paired_interval, score_all, share_interval


def names(numbers) -> list[str]:
    return [f"recording {n}" for n in numbers]


def class_mean(hits_M, labels_M, groups):
    """Balanced accuracy of answers that are the label, or the other of two classes."""
    labels_M = np.asarray(labels_M)
    answer_M = np.where(np.asarray(hits_M, bool), labels_M, 1 - labels_M)
    return score_all(BALANCED, labels_M, [np.eye(2)[answer_M]], groups).interval(0)


def found_of(clips, hits):
    """The interval of recordings of so many clips with so many hits."""
    hits_M = np.concatenate([np.arange(n) < k for n, k in zip(clips, hits, strict=True)])
    return share_interval(hits_M, names(np.repeat(np.arange(len(clips)), clips)))


def test_recordings_without_an_error_are_no_proof_of_perfection():
    """The bootstrap of four recordings, all right, says [1, 1]."""
    found = found_of([10] * 4, [10] * 4)
    assert (found.value, found.high) == (1.0, 1.0)
    assert 0.4 < found.low < 0.6
    assert found_of([10] * 44, [10] * 44).low > 0.9


def test_ten_recordings_of_one_kind_each_span_what_a_binomial_of_them_allows():
    """All may be right though only three in four are: 0.75 ** 10 is 6 %."""
    assert found_of([10] * 10, [10] * 10).low < 0.75
    mixed = found_of([10] * 10, [10] * 9 + [9])
    assert mixed.low > found_of([10] * 10, [10] * 10).low


def test_hits_and_misses_are_alike():
    right, wrong = found_of([4, 9, 6], [3, 9, 2]), found_of([4, 9, 6], [1, 0, 4])
    assert right.low == pytest.approx(1 - wrong.high, abs=1e-9)
    assert right.high == pytest.approx(1 - wrong.low, abs=1e-9)


def test_recordings_of_one_clip_give_the_interval_of_a_binomial():
    """Jeffreys' posterior or the uniform one, whichever is wider: a closed form."""
    found = found_of([1] * 60, [1] * 45 + [0] * 15)
    low = min(beta.ppf(0.025, 45.5, 15.5), beta.ppf(0.025, 46, 16))
    high = max(beta.ppf(0.975, 45.5, 15.5), beta.ppf(0.975, 46, 16))
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-4)


def test_an_independent_integral_of_the_posterior_gives_the_same():
    """Uniform priors of the mean and the correlation; the grid of the latter is coarse: 0.01."""
    clips, hits = np.array([8, 8, 8, 8, 8]), np.array([8, 7, 3, 8, 6])

    def likelihood(mean, correlation):
        total = (1 - correlation) / correlation
        a, b = mean * total, (1 - mean) * total
        return np.exp((betaln(hits + a, clips - hits + b) - betaln(a, b)).sum() + 20)

    found = found_of(clips, hits)
    limits = (0.001, 0.99)
    whole, _ = dblquad(likelihood, *limits, 0.0005, 0.9995, epsabs=1e-6, epsrel=1e-4)
    below, _ = dblquad(likelihood, *limits, 0.0005, found.low, epsabs=1e-6, epsrel=1e-4)
    above, _ = dblquad(likelihood, *limits, found.high, 0.9995, epsabs=1e-6, epsrel=1e-4)
    # Each end is the wider of two posteriors, of which the uniform one is checked here.
    assert 0.012 < below / whole < 0.0265
    assert 0.012 < above / whole < 0.0265


def accuracies(kind, mean, icc, count, rng):
    if kind == "beta":
        total = (1 - icc) / icc
        return rng.beta(mean * total, (1 - mean) * total, count)
    if kind == "nine in ten":
        return np.where(rng.random(count) < 0.9, 0.98, 0.4)
    return (rng.random(count) < mean).astype(float)


@pytest.mark.parametrize("recordings", [4, 6, 10, 20])
@pytest.mark.parametrize(
    ("kind", "mean", "icc"),
    [
        ("beta", 0.75, 0.1),
        ("beta", 0.75, 0.4),
        ("beta", 0.92, 0.1),
        ("beta", 0.92, 0.4),
        ("nine in ten", 0.922, 0.0),
        ("all or nothing", 0.92, 0.0),
    ],
)
def test_the_interval_covers_the_truth(kind, mean, icc, recordings):
    """Of 2000 data sets 94 % or more (``benchmarks.intervals``); of 150 less 2.5 sigma."""
    rng = np.random.default_rng(7)
    covered = 0
    for _ in range(150):
        hits = rng.binomial(10, accuracies(kind, mean, icc, recordings, rng))
        found = found_of([10] * recordings, hits)
        covered += found.low <= mean <= found.high
    assert covered / 150 >= 0.93 - 2.5 * 0.021


def test_long_recordings_that_are_easier_do_not_mislead():
    """The share weighs recordings by their clips, a mean of recordings does not."""
    rng, covered = np.random.default_rng(3), 0
    for _ in range(150):
        clips = np.where(rng.random(10) < 0.5, 40, 5)
        easy = np.where(clips == 40, 0.95, 0.6)
        found = found_of(clips, rng.binomial(clips, rng.beta(easy * 9, (1 - easy) * 9)))
        covered += found.low <= (40 * 0.95 + 5 * 0.6) / 45 <= found.high
    assert covered / 150 >= 0.89


@pytest.mark.parametrize(
    ("clips", "hits"),
    [
        ([1, 1], [0, 1]),
        ([5000, 3000], [4000, 2999]),
        ([3, 1, 400], [0, 1, 400]),
        ([1] * 9, [1] * 9),
    ],
)
def test_the_observed_share_lies_between_ends_within_0_and_1(clips, hits):
    found = found_of(clips, hits)
    assert 0.0 <= found.low <= found.value <= found.high <= 1.0


def test_many_clips_of_many_recordings_are_quick_and_narrow():
    rng = np.random.default_rng(0)
    clips = rng.integers(1, 60, 300)
    found = found_of(clips, rng.binomial(clips, 0.8))
    assert found.high - found.low < 0.025


def test_one_recording_has_no_interval():
    found = share_interval([1, 0, 1, 1], ["r"] * 4)
    assert found.value == 0.75 and np.isnan(found.low) and np.isnan(found.high)


def test_differences_are_not_hits():
    with pytest.raises(ValueError, match="-1 to 1; valid is 0 to 1"):
        share_interval([1, -1], ["a", "b"])


def test_no_change_observed_is_no_proof_that_there_is_none():
    found = paired_interval(np.zeros(60), names(np.arange(60) // 10))
    assert mean_interval(np.zeros(60), names(np.arange(60) // 10)).high == 0.0
    assert found.value == 0.0 and found.low == -found.high and 0.1 < found.high < 0.3
    many = paired_interval(np.zeros(440), names(np.arange(440) // 10))
    assert 0.01 < many.high < 0.04


def test_where_much_changes_the_interval_is_hardly_wider_than_that_of_resamples():
    rng = np.random.default_rng(0)
    difference_M = rng.choice([-1.0, 0.0, 1.0], 800)
    groups = names(np.arange(800) // 20)
    ours, drawn = paired_interval(difference_M, groups), mean_interval(difference_M, groups)
    assert 1.0 < (ours.high - ours.low) / (drawn.high - drawn.low) < 1.15


@pytest.mark.parametrize("recordings", [4, 10, 44])
def test_paired_differences_cover_where_few_clips_change(recordings):
    rng = np.random.default_rng(5)
    covered = {"ours": 0, "drawn": 0}
    for _ in range(60):
        difference_M = rng.choice([1.0, 0.0, -1.0], 7 * recordings, p=[0.02, 0.97, 0.01])
        groups = names(np.repeat(np.arange(recordings), 7))
        for name, interval in (("ours", paired_interval), ("drawn", mean_interval)):
            found = interval(difference_M, groups)
            covered[name] += found.low <= 0.01 <= found.high
    assert covered["ours"] >= 54 >= covered["drawn"] - 6


def test_values_that_are_no_differences_of_hits():
    with pytest.raises(ValueError, match="up to 3; valid is -1 to 1"):
        paired_interval([0, 3], ["a", "b"])


def test_one_recording_has_no_paired_interval():
    assert np.isnan(paired_interval([1, 0], ["r", "r"]).low)


def test_mean_class_accuracy_of_clips_without_an_error_is_not_certain():
    labels_M = np.arange(40) % 2
    found = class_mean(np.ones(40), labels_M, names(np.arange(40) // 10))
    assert (found.value, found.high) == (1.0, 1.0) and 0.4 < found.low < 0.85


def test_a_class_of_one_recording_may_have_any_recall():
    labels_M = np.repeat([0, 1], [30, 3])
    groups = names([*np.repeat(np.arange(10), 3), *[0] * 3])
    found = class_mean(np.ones(33), labels_M, groups)
    assert found.value == 1.0 and found.low <= 0.5


def test_mean_class_accuracy_weighs_classes_alike():
    labels_M = np.array([0] * 90 + [1] * 10)
    hits_M = labels_M == 0  # always the frequent class
    groups = names(range(100))
    assert class_mean(hits_M, labels_M, groups).value == pytest.approx(0.5)
    assert mean_interval(hits_M, groups).value == pytest.approx(0.9)


def test_a_class_that_a_resample_misses_leaves_its_mean_defined():
    labels_M = np.array([0, 0, 0, 1])
    found = class_mean([1, 1, 1, 0], labels_M, names(range(4)))
    assert found.value == 0.5
    assert 0.0 <= found.low <= 0.5 and found.high == 1.0

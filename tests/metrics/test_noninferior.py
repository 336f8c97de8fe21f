from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from vidfit.metrics.noninferior import LEVEL, holm, independent_trials, paired_loss, share_bound


def test_of_recordings_of_one_clip_it_is_students_t():
    losses = np.random.default_rng(0).normal(0.01, 0.05, 40)
    found = paired_loss(losses, [str(i) for i in range(40)])
    expected = stats.ttest_1samp(losses, 0.02, alternative="less")
    assert found.chance_of(0.02) == pytest.approx(expected.pvalue, rel=1e-9)
    low, high = stats.ttest_1samp(losses, 0.0).confidence_interval(0.95)
    interval = found.interval()
    assert (interval.low, interval.value, interval.high) == pytest.approx(
        (low, losses.mean(), high), rel=1e-9
    )


def test_clips_of_one_recording_do_not_count_as_many():
    losses = np.random.default_rng(1).normal(size=20)
    alone = paired_loss(losses, [str(i) for i in range(20)])
    copied = paired_loss(np.repeat(losses, 5), [str(i // 5) for i in range(100)])
    assert copied.error == pytest.approx(alone.error) and copied.recordings == 20


def test_the_level_holds_with_few_and_uneven_recordings():
    rng = np.random.default_rng(2)
    sizes = [2, 3, 5, 8, 13, 21]
    groups = np.repeat([str(i) for i in range(6)], sizes)
    wrong = 0
    for _ in range(2000):
        values = rng.normal(size=6).repeat(sizes) + rng.normal(size=sum(sizes))
        wrong += paired_loss(values, groups).upper() < 0.0
    assert wrong / 2000 < LEVEL + 0.02


def test_of_one_recording_nothing_is_known():
    found = paired_loss([0.0, 0.0], ["a", "a"])
    assert found.chance_of(1.0) == 1.0 and math.isnan(found.upper())


def test_no_difference_at_all_is_no_loss():
    same = paired_loss(np.zeros(6), list("aabbcc"))
    assert same.chance_of(0.0) == 0.0 and same.upper() == 0.0
    worse = paired_loss(np.full(6, 0.1), list("aabbcc"))
    assert worse.chance_of(0.05) == 1.0


@pytest.mark.parametrize(("found", "of"), [(0, 10), (3, 50), (0, 740), (49, 50)])
def test_the_bound_of_a_share_is_that_of_clopper_and_pearson(found, of):
    expected = stats.binomtest(found, of).proportion_ci(0.95, method="exact").high
    assert share_bound(found, of) == pytest.approx(expected, rel=1e-9)


def test_a_share_that_was_always_found_is_not_bounded():
    assert share_bound(50, 50) == 1.0


def test_740_windows_without_a_change_certify_half_a_point():
    assert share_bound(0, 740) <= 0.005 < share_bound(0, 730)


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


def test_copies_of_a_clip_count_as_one_and_independent_clips_as_many():
    moved = np.random.default_rng(3).normal(size=2000)
    alone = independent_trials(moved, [str(i // 5) for i in range(2000)])
    assert 1800 < alone <= 2000
    copied = independent_trials(np.repeat(moved[:400], 5), [str(i // 5) for i in range(2000)])
    assert copied == pytest.approx(400, rel=0.01)


@pytest.mark.parametrize("groups", [["a", "a", "b", "b", "c"], ["a"] * 5])
def test_where_nothing_moves_each_recording_counts_once(groups):
    assert independent_trials(np.full(5, 0.25), groups) == len(set(groups))


def test_740_independent_windows_without_a_change_certify_half_a_point():
    assert share_bound(0, 740) < 0.005 < share_bound(0, 735)

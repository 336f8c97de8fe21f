"""Cheap candidates stand in for the best only where they are hardly worse."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vidfit.contracts import Cost
from vidfit.metrics import score_values
from vidfit.selection import Rule, is_cheaper, recommend
from vidfit.selection.recommend import Choosing

GROUPS = [f"r{i // 4}" for i in range(160)]
MOTION = Cost(0.03, 0.027)
LITE0 = Cost(0.03, 0.037, 0, 3.07, 3_370_000)
LITE2 = Cost(0.03, 0.058, 0, 6.96, 4_860_000)


def hits_of(*counts):
    """The first so many clips of every candidate are right, dealt over all recordings."""
    order = np.argsort(np.arange(160) % 4, kind="stable")
    values = np.zeros((len(counts), 160))
    for row, count in zip(values, counts, strict=True):
        row[order[:count]] = 1.0
    return values


def test_of_equals_the_cheapest_is_recommended():
    scored = score_values(hits_of(120, 120, 120), GROUPS)
    assert recommend(scored, [LITE2, LITE0, MOTION]) == 2
    assert recommend(scored, [LITE2, LITE0, MOTION], Rule(cheapest=False)) == 0


def test_a_candidate_far_behind_is_never_recommended_however_few_recordings_there_are():
    """Two people: nothing is proven between 5 and 50 %, and the cheapest of the tied is useless."""
    rng = np.random.default_rng(0)
    groups = ["one"] * 80 + ["two"] * 80
    values = np.stack([rng.random(160) < share for share in (0.5, 0.05)]).astype(float)
    assert recommend(score_values(values, groups), [LITE0, MOTION]) == 0


def test_no_more_is_given_up_than_was_said(rng):
    values = (rng.random((2, 160)) < 0.7).astype(float)
    values[1, np.flatnonzero(values[1])[:4]] = 0.0
    values[0] = np.maximum(values[0], values[1])
    lead = values[0].mean() - values[1].mean()
    costs = [LITE0, MOTION]
    assert recommend(score_values(values, GROUPS), costs, Rule(give_up=lead - 0.001)) == 0
    wide = [f"r{i % 2}" for i in range(160)]
    assert recommend(score_values(values, wide), costs, Rule(give_up=0.0)) == 0


def test_a_lead_of_more_than_one_standard_error_is_not_given_up():
    """Ahead by one clip in each of many recordings: little, but sure."""
    values = hits_of(160, 160)
    values[1, ::80] = 0.0
    assert recommend(score_values(values, GROUPS), [LITE0, MOTION], Rule(give_up=0.05)) in (0, 1)
    values[1, ::4] = 0.0
    assert recommend(score_values(values, GROUPS), [LITE0, MOTION], Rule(give_up=0.5)) == 0


def test_the_same_clips_give_one_answer_whatever_the_timings():
    """Timings of the same clips that differed by half under load: 57 against 67 ms, 84 to 81."""
    rng = np.random.default_rng(0)
    values = hits_of(120, 121, 122)
    found = set()
    for _ in range(200):
        costs = [
            replace(cost, forward_seconds=cost.forward_seconds * rng.uniform(0.8, 1.25))
            for cost in (MOTION, LITE0, LITE2)
        ]
        found.add(recommend(score_values(values, GROUPS), costs))
    assert len(found) == 1


def test_measured_time_decides_where_it_differs_by_far():
    slow = replace(MOTION, forward_seconds=1.0)
    assert is_cheaper(MOTION, LITE0) and not is_cheaper(LITE0, MOTION)
    assert is_cheaper(LITE0, slow) and not is_cheaper(slow, LITE0)


def test_between_equal_counts_the_smaller_network_is_cheaper_and_equals_are_not():
    small = replace(LITE0, parameters=1_000_000)
    assert is_cheaper(small, LITE0) and not is_cheaper(LITE0, small)
    assert not is_cheaper(replace(LITE0, gmacs=2.6), LITE0)
    assert is_cheaper(replace(LITE0, gmacs=2.4), LITE0)
    assert not is_cheaper(LITE0, LITE0)


def test_a_plain_loop_over_bags_gives_the_same(rng):
    """The rule in many bags at once, against the rule in clips of each bag one by one."""
    values = (rng.random((4, 160)) < [[0.72], [0.71], [0.7], [0.5]]).astype(float)
    costs, names = [LITE2, LITE0, MOTION, MOTION], sorted(set(GROUPS))
    number_M = np.array([names.index(g) for g in GROUPS])
    draw_RG = rng.multinomial(40, np.full(40, 1 / 40), size=50)
    scored = score_values(values, GROUPS)
    ours = Choosing(scored, costs, Rule()).chosen(draw_RG.astype(float))
    for draw_G, found in zip(draw_RG, ours, strict=True):
        clips = [i for g in np.repeat(np.arange(40), draw_G) for i in np.flatnonzero(number_M == g)]
        copies = [f"{c}" for c in np.repeat(np.arange(draw_G.sum()), 4)]
        assert found == recommend(score_values(values[:, clips], copies), costs)


@pytest.mark.parametrize(
    ("gain", "times", "pays"), [(0.03, 6.0, True), (0.01, 6.0, False), (0.01, 1.2, True)]
)
def test_a_proven_gain_has_a_price(gain, times, pays):
    assert Rule().pays(gain, times) is pays
    assert Rule(cheapest=False).pays(gain, times)
    assert Rule(give_up=0.005).pays(0.01, 6.0)


def test_values_that_are_not_finite():
    with pytest.raises(ValueError, match="finite"):
        recommend(score_values([[1.0, np.nan]], ["a", "b"]), [MOTION])

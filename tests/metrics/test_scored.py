"""Figures of candidates on the same clips: intervals, leads, and what each recording adds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import log_softmax

from vidfit.metrics import (
    CLASS_MEASURES,
    mean_interval,
    paired_interval,
    score_all,
    score_values,
    share_interval,
)
from vidfit.metrics.resampled import recording_sums

GROUPS = [f"r{i % 12}" for i in range(240)]


def answered(rng, lift, clips=240):
    truth_M = np.random.default_rng(1).choice(3, clips, p=[0.7, 0.2, 0.1])
    logits_MK = rng.normal(size=(clips, 3))
    logits_MK[np.arange(clips), truth_M] += lift
    return truth_M, log_softmax(logits_MK, axis=1)


def scored(rng, name, *lifts):
    both = [answered(rng, lift) for lift in lifts]
    return score_all(CLASS_MEASURES[name], both[0][0], [a for _, a in both], GROUPS)


def test_accuracy_has_the_interval_of_its_hits_and_the_lead_of_their_difference(rng):
    truth_M, first_MK = answered(rng, 1.0)
    _, second_MK = answered(rng, 0.5)
    found = score_all(CLASS_MEASURES["accuracy"], truth_M, [first_MK, second_MK], GROUPS)
    hits = [(a.argmax(1) == truth_M).astype(float) for a in (first_MK, second_MK)]
    assert found.interval(0) == share_interval(hits[0], GROUPS)
    lead, paired = found.lead(0, 1), paired_interval(hits[0] - hits[1], GROUPS)
    assert (lead.value, lead.low, lead.high) == pytest.approx(
        (paired.value, paired.low, paired.high), abs=1e-12
    )
    sums_GC, size_G = recording_sums(hits, GROUPS)
    np.testing.assert_array_equal(found.linear[0], sums_GC)
    np.testing.assert_array_equal(found.linear[1], size_G)


@pytest.mark.parametrize("name", CLASS_MEASURES)
def test_more_is_better_whichever_way_the_figure_goes(rng, name):
    found = scored(rng, name, 2.0, 0.2)
    assert found.merits_C[0] > found.merits_C[1]
    lead = found.lead(0, 1)
    assert 0 < lead.low < lead.value < lead.high
    assert found.lead(1, 0).value == -lead.value


@pytest.mark.parametrize("name", CLASS_MEASURES)
def test_what_recordings_add_sums_to_the_figure(rng, name):
    found = scored(rng, name, 1.0, 0.5)
    sums_GC, size_G = found.linear
    np.testing.assert_allclose(sums_GC.sum(0) / size_G.sum(), found.merits_C, atol=1e-6)


@pytest.mark.parametrize("name", CLASS_MEASURES)
def test_the_influence_of_a_recording_is_what_the_figure_loses_without_it(rng, name):
    """To first order: leaving one of twelve out changes the figure by about its influence."""
    found = scored(rng, name, 1.0)
    sums_GC, size_G = found.linear
    influence_G = (sums_GC[:, 0] - found.merits_C[0] * size_G) / size_G.sum()
    without_G = (found.drawn(1.0 - np.eye(12))[:, 0] - found.figures_C[0]) * (
        1.0 if found.measure.higher_is_better else -1.0
    )
    assert np.corrcoef(influence_G, -without_G)[0, 1] > 0.97


@pytest.mark.parametrize("name", CLASS_MEASURES)
def test_one_recording_says_nothing_of_others(rng, name):
    truth_M, log_MK = answered(rng, 1.0)
    found = score_all(CLASS_MEASURES[name], truth_M, [log_MK, log_MK], ["one"] * 240)
    assert np.isnan(found.interval(0).low)
    assert np.isnan(found.lead(0, 1).low)


def test_the_same_answers_are_never_proven_apart(rng):
    truth_M, log_MK = answered(rng, 1.0)
    for measure in CLASS_MEASURES.values():
        lead = score_all(measure, truth_M, [log_MK, log_MK], GROUPS).lead(0, 1)
        assert lead.low <= 0 <= lead.high


def test_a_loss_has_the_interval_of_the_mean_of_its_clips(rng):
    truth_M, log_MK = answered(rng, 1.0)
    losses_M = -log_MK[np.arange(240), truth_M]
    found = score_all(CLASS_MEASURES["log-loss"], truth_M, [log_MK], GROUPS).interval(0)
    plain = mean_interval(losses_M, GROUPS)
    assert (found.value, found.low, found.high) == pytest.approx(
        (plain.value, plain.low, plain.high)
    )


def test_values_of_clips_are_scored_by_their_mean(rng):
    values_CM = (rng.random((3, 240)) < 0.6).astype(float)
    found = score_values(values_CM, GROUPS)
    np.testing.assert_allclose(found.figures_C, values_CM.mean(axis=1))
    assert found.only([2]).interval(0) == share_interval(values_CM[2], GROUPS)


def test_what_does_not_match_is_refused():
    with pytest.raises(ValueError, match="valid is one candidate or more"):
        score_all(CLASS_MEASURES["accuracy"], np.zeros(3, int), [np.zeros((2, 2))], ["a"] * 3)

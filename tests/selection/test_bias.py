"""The score of a winner, less what its luck in being chosen adds."""

from __future__ import annotations

import numpy as np
import pytest

from vidfit.metrics import mean_interval
from vidfit.metrics.bootstrap import draws
from vidfit.selection.bias import bias_corrected

GROUPS = [f"r{i // 4}" for i in range(160)]


def hits(rng, *accuracies):
    return np.stack([(rng.random(160) < value).astype(float) for value in accuracies])


def test_many_equal_candidates_are_corrected_to_what_they_are():
    naive, ours = [], []
    for seed in range(60):
        values = hits(np.random.default_rng(seed), *[0.7] * 20)
        naive.append(values.mean(axis=1).max())
        ours.append(bias_corrected(values, GROUPS, resamples=300).value)
    assert np.mean(naive) > 0.75  # what selection usually reports
    assert np.mean(ours) == pytest.approx(0.7, abs=0.012)


def test_a_clear_winner_needs_no_correction(rng):
    values = hits(rng, 0.9, 0.2, 0.1)
    winner = mean_interval(values[0], GROUPS)
    assert bias_corrected(values, GROUPS).value == pytest.approx(winner.value, abs=0.005)


def test_a_plain_loop_gives_the_same(rng):
    values = hits(rng, 0.7, 0.72, 0.68)
    names = sorted(set(GROUPS))
    scores = []
    for w_G in np.concatenate(list(draws(len(names), 0, 200))):
        w_M = np.array([w_G[names.index(g)] for g in GROUPS])
        chosen = np.argmax([(v * w_M).sum() for v in values])
        scores.append(values[chosen][w_M == 0].mean())
    assert bias_corrected(values, GROUPS, resamples=200).value == pytest.approx(
        np.mean(scores), abs=1e-12
    )


def test_the_upper_end_is_the_winners_and_the_lower_end_is_moved(rng):
    values = hits(rng, *[0.7] * 10)
    winner = mean_interval(values[values.mean(axis=1).argmax()], GROUPS)
    ours = bias_corrected(values, GROUPS)
    assert ours.high == winner.high
    assert (
        winner.low - ours.low == pytest.approx(winner.value - ours.value) and ours.low < winner.low
    )


def test_one_candidate_is_reported_as_it_is(rng):
    values = hits(rng, 0.7)
    assert bias_corrected(values, GROUPS) == mean_interval(values[0], GROUPS)


def test_one_recording_has_no_interval(rng):
    assert np.isnan(bias_corrected(hits(rng, 0.7, 0.6), ["one"] * 160).low)


def test_values_that_are_not_finite(rng):
    values = hits(rng, 0.5, 0.5)
    values[1, 0] = np.nan
    with pytest.raises(ValueError, match="finite"):
        bias_corrected(values, GROUPS)

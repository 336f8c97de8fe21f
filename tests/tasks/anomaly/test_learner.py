"""One class: who is learned from, what p-values are of, and what a head refuses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vidfit.errors import ModelError, NotEnoughDataError
from vidfit.metrics.unusual import NORMAL
from vidfit.tasks.anomaly.detectors import Detectors, knots_of, rarity
from vidfit.tasks.anomaly.kind import ALARM
from vidfit.tasks.anomaly.learner import SETTINGS, LearnNormal, best_of

FOLDS, WIDTH = 5, 120


def problem(rng, normal=200, tests=40):
    """Return vectors, truth and folds: tests are half unusual, by one number of many."""
    x_MD = rng.normal(size=(normal + tests, WIDTH)).astype(np.float32)
    truth = np.zeros((len(x_MD), NORMAL + 1))
    truth[:normal, NORMAL] = 1
    truth[normal::2, 0] = 1
    x_MD[normal::2, 7] += 5
    return x_MD, truth, np.arange(len(x_MD)) % FOLDS


def test_test_recordings_are_never_learned_from(rng):
    x_MD, truth, folds_M = problem(rng)
    before = LearnNormal().tried(x_MD, truth, folds_M)
    moved = x_MD.copy()
    moved[truth[:, NORMAL] == 0] += 100
    after = LearnNormal().tried(moved, truth, folds_M)
    kept_M = truth[:, NORMAL] > 0
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one[kept_M], other[kept_M])


def test_the_way_that_ranks_events_is_chosen_and_all_without_events(rng):
    x_MD, truth, folds_M = problem(rng)
    tried = LearnNormal().tried(x_MD, truth, folds_M)
    assert best_of(tried, truth) == 2  # a single number stands out
    truth[:, 0] = 0
    assert best_of(tried, truth) == len(SETTINGS) - 1


def test_alarms_on_unseen_normal_windows_are_about_as_many_as_stated(rng):
    x_MD, truth, folds_M = problem(rng, normal=2000)
    for answers_M1 in LearnNormal().tried(x_MD, truth, folds_M):
        share = (answers_M1[truth[:, NORMAL] > 0] >= 0).mean()
        assert ALARM / 3 < share < 3 * ALARM


def test_rarity_goes_on_beyond_all_that_was_held_out(rng):
    held_N = rng.exponential(size=4000)
    rare = rarity(np.array([0.0, 1.0, 3.0, 6.0, 20.0, 40.0]), knots_of(held_N))
    assert (np.diff(rare) > 0).all()
    np.testing.assert_allclose(rare[:4], [0, 1, 3, 6], atol=0.5)  # of the exponential exactly
    constant = rarity(np.array([5.0, 6.0]), knots_of(np.full(30, 5.0)))
    assert np.isfinite(constant).all() and constant[1] > constant[0]


def test_distances_are_those_of_plain_formulas(rng):
    x_ND = rng.normal(size=(50, 6)).astype(np.float32) * (1, 2, 3, 4, 5, 6)
    found = Detectors.of(x_ND.astype(np.float32))
    asked_MD = rng.normal(size=(9, 6)).astype(np.float32) * 4
    near_M, far_M, strange_M = found.distances(asked_MD)
    z_ND, z_MD = ((x - found.mean_D) * found.scale_D for x in (x_ND, asked_MD))
    apart_MN = np.linalg.norm(z_MD[:, None] - z_ND[None], axis=2)
    np.testing.assert_allclose(near_M, apart_MN.min(axis=1), rtol=1e-3)
    np.testing.assert_allclose(strange_M, np.abs(z_MD).max(axis=1), rtol=1e-5)
    from sklearn.covariance import LedoitWolf

    wanted_M = LedoitWolf().fit(z_ND).mahalanobis(z_MD)
    np.testing.assert_allclose(far_M**2, wanted_M, rtol=2e-2)


def test_a_head_refuses_what_is_not_its_own(rng):
    x_MD, truth, folds_M = problem(rng)
    head, _ = LearnNormal().fit(x_MD, truth, folds_M)
    state = head.state()
    again = LearnNormal().restore(state, [WIDTH], 1)
    np.testing.assert_array_equal(again.log_probabilities([x_MD]), head.log_probabilities([x_MD]))
    for change in (
        {"mean.mean_D": state["mean.mean_D"][:5]},
        {"weight_W": -state["weight_W"] - 1},
        {"weight_W": 0 * state["weight_W"]},
        {"mean.axes_RD": np.float32(1)},
        {"sum_Q": np.zeros_like(state["sum_Q"])},
        {"change.normal_ND": np.full_like(state["change.normal_ND"], np.nan)},
    ):
        with pytest.raises(ModelError, match="the head of what is normal"):
            LearnNormal().restore({**state, **change}, [WIDTH], 1)
    with pytest.raises(ModelError, match="for one member"):
        LearnNormal().restore(state, [WIDTH, WIDTH], 1)


def test_one_fold_of_normal_windows_is_refused(rng):
    x_MD, truth, folds_M = problem(rng)
    truth[folds_M > 1, NORMAL] = 0
    with pytest.raises(NotEnoughDataError, match="add normal recordings"):
        LearnNormal().fit(x_MD, truth, folds_M)


def test_heat_is_of_the_features_that_are_strange_and_of_no_usual_window(rng):
    x_MD, truth, folds_M = problem(rng)
    truth[:, 0] = 0  # without an event all parts count
    head, _ = LearnNormal().fit(x_MD, truth, folds_M)
    strange_D = np.zeros(WIDTH, np.float32)
    assert head.heat([strange_D[None]]) is None
    for number in (7, 47, 87):  # of one feature the mean, the deviation, the change
        vector_1D = np.where(np.arange(WIDTH) == number, np.float32(40), strange_D)[None]
        heat_D = head.heat([vector_1D])
        assert heat_D.shape == (WIDTH // 3,) and heat_D.argmax() == 7 and heat_D[7] > 20
        assert np.delete(heat_D, 7).max() < 1
        alone = replace(head, weight_W=SETTINGS[2]).heat([vector_1D])  # by means only
        assert (alone is None) if number > 7 else (alone.argmax() == 7)

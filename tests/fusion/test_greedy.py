"""Ensemble selection climbs to the weights that an exhaustive search finds."""

from __future__ import annotations

from itertools import product

import numpy as np

from vidfit.fusion.greedy import climb, draws


def loss(weights_S, p_SM):
    return -np.log(weights_S @ p_SM / weights_S.sum()).mean()


def test_it_finds_nearly_the_best_weights():
    p_SM = np.random.default_rng(0).uniform(0.05, 0.95, size=(3, 60))
    grid = (np.array(counts, float) for counts in product(range(11), repeat=3) if any(counts))
    best = min(loss(counts_S, p_SM) for counts_S in grid)
    # Draws are whole numbers on one path: the grid of tenths is finer in places.
    assert loss(climb(p_SM), p_SM) < best + 2e-3


def test_it_starts_from_the_best_and_may_stay_there():
    p_SM = np.array([[0.2] * 10, [0.9] * 10, [0.3] * 10])
    np.testing.assert_array_equal(climb(p_SM) > 0, [False, True, False])


def test_members_that_are_right_in_turn_are_both_drawn():
    p_SM = np.array([[0.9, 0.1] * 5, [0.1, 0.9] * 5])
    counts_S = climb(p_SM)
    assert counts_S[0] == counts_S[1] > 0


def test_no_later_draw_makes_it_worse_than_the_best_alone():
    p_SM = np.random.default_rng(3).uniform(0.01, 0.99, size=(6, 40))
    alone = min(loss(np.eye(6)[i], p_SM) for i in range(6))
    assert loss(climb(p_SM), p_SM) <= alone


def test_shares_of_draws_sum_to_one_and_repeat():
    rng = np.random.default_rng(0)
    answers_SMK = np.log(rng.dirichlet(np.ones(3), size=(4, 50))).astype(np.float32)
    shares_S = draws(answers_SMK, np.arange(50) % 3)
    assert abs(shares_S.sum() - 1.0) < 1e-6
    np.testing.assert_array_equal(draws(answers_SMK, np.arange(50) % 3), shares_S)

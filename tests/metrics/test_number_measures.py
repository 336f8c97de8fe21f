"""Measures of numbers equal scikit-learn's and scipy's, on draws of recordings too."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import mean_absolute_error, r2_score

from vidfit.metrics import NUMBER_MEASURES, score_all


def data(rng):
    groups = [f"r{i // 6}" for i in range(48)]
    number_M = np.round(rng.normal(size=48) * 3 + 20)
    answers = [(number_M + rng.normal(size=48) * s).round(1)[:, None] for s in (1.0, 4.0)]
    return groups, number_M, answers


def spearman(truth_M, answer_M):
    return spearmanr(truth_M, answer_M).statistic


ORACLES = {"mae": mean_absolute_error, "r2": r2_score, "spearman": spearman}


@pytest.mark.parametrize("name", NUMBER_MEASURES)
def test_a_measure_is_that_of_the_oracle_on_any_draw_of_recordings(rng, name):
    groups, number_M, answers = data(rng)
    scored = score_all(NUMBER_MEASURES[name], number_M, answers, groups)
    expected = [ORACLES[name](number_M, one_M1[:, 0]) for one_M1 in answers]
    np.testing.assert_allclose(scored.figures_C, expected, rtol=1e-9)
    weight_RG = np.array([[2, 0, 1, 1, 3, 0, 1, 0], [0, 1, 1, 0, 0, 4, 1, 1]], np.float64)
    for weight_G, found_C in zip(weight_RG, scored.drawn(weight_RG), strict=True):
        rows = np.repeat(np.arange(48), np.repeat(weight_G.astype(int), 6))
        expected = [ORACLES[name](number_M[rows], one_M1[rows, 0]) for one_M1 in answers]
        np.testing.assert_allclose(found_C, expected, rtol=1e-9)


@pytest.mark.parametrize("name", NUMBER_MEASURES)
def test_the_better_answers_lead_and_the_interval_holds_the_figure(rng, name):
    groups, number_M, answers = data(rng)
    scored = score_all(NUMBER_MEASURES[name], number_M, answers, groups)
    assert scored.lead(0, 1).low > 0
    one = scored.interval(0)
    assert one.low < one.value < one.high
    sums_GC, size_G = scored.linear
    np.testing.assert_allclose(sums_GC.sum(0) / size_G.sum(), scored.merits_C, atol=1e-6)


def test_what_cannot_be_computed_is_no_number():
    same_M, groups = np.full(6, 2.0), ["a", "a", "b", "b", "c", "c"]
    answers = [np.arange(6.0)[:, None]]
    for name in ("r2", "spearman"):
        assert np.isnan(score_all(NUMBER_MEASURES[name], same_M, answers, groups).figures_C[0])
    assert score_all(NUMBER_MEASURES["mae"], same_M, answers, groups).figures_C[0] == 1.5


def test_the_same_answer_to_all_has_no_correlation():
    groups = ["a", "a", "b", "b"]
    same = [np.full((4, 1), 3.0)]
    assert score_all(NUMBER_MEASURES["spearman"], np.arange(4.0), same, groups).figures_C[0] == 0.0


@pytest.mark.parametrize("level", [1.0, 1e6])
def test_where_a_draw_has_one_number_alone_nothing_is_explained(level):
    """Sums of squares leave rounding there, by which errors are not divided."""
    number_M = level * np.repeat([0.1, 0.7, 0.3, 0.9], 7)
    groups = [f"r{i // 7}" for i in range(28)]
    answers_M1 = (number_M + level * np.linspace(-0.05, 0.05, 28))[:, None]
    scored = score_all(NUMBER_MEASURES["r2"], number_M, [answers_M1], groups)
    found_R = scored.drawn(np.eye(4))[:, 0]
    assert np.isnan(found_R).all()
    assert scored.interval(0).low > -100

"""Scores of each class against all others, and the curve of precision over recall."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import (
    average_precision_score,
    precision_recall_curve,
    precision_recall_fscore_support,
)

from vidfit.evaluate import precision_recall, score_classes
from vidfit.evaluate.by_class import POINTS

NAMES = ("often", "at times", "rare")
GROUPS = [f"r{i % 15}" for i in range(300)]


@pytest.fixture
def answered(rng):
    """Return labels of uneven classes, and probabilities that are often right."""
    labels_M = rng.choice(3, 300, p=[0.7, 0.2, 0.1])
    logits_MK = rng.normal(size=(300, 3))
    logits_MK[np.arange(300), labels_M] += 1.5
    odds_MK = np.exp(logits_MK)
    return labels_M, odds_MK / odds_MK.sum(axis=1, keepdims=True)


def test_figures_are_those_of_scikit_learn(answered):
    labels_M, answers_MK = answered
    found = score_classes(answers_MK, labels_M, GROUPS, NAMES)
    each = precision_recall_fscore_support(labels_M, answers_MK.argmax(1))
    for k, one in enumerate(found):
        figures = one.precision.value, one.recall.value, one.f1.value
        assert figures == pytest.approx([column[k] for column in each[:3]])
        area = average_precision_score(labels_M == k, answers_MK[:, k])
        assert one.average_precision.value == pytest.approx(area)
        assert (one.label, one.clips) == (NAMES[k], each[3][k])


def test_intervals_hold_the_figure_and_are_wider_for_a_rare_class(answered):
    labels_M, answers_MK = answered
    found = score_classes(answers_MK, labels_M, GROUPS, NAMES)
    width = {}
    for one in found:
        for name in ("precision", "recall", "f1", "average_precision"):
            estimate = getattr(one, name)
            assert 0 <= estimate.low < estimate.value < estimate.high <= 1
            width[one.label, name] = estimate.high - estimate.low
    assert width["rare", "recall"] > width["often", "recall"]
    assert width["rare", "average_precision"] > width["often", "average_precision"]


def test_a_class_that_is_never_answered_has_no_precision():
    answers_MK = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3]])
    rare = score_classes(answers_MK, np.array([0, 1, 1]), ["a", "b", "c"], NAMES[:2])[1]
    assert np.isnan(rare.precision.value) and rare.recall.value == 0 and rare.f1.value == 0
    assert rare.average_precision.value == pytest.approx(1.0)


def test_a_class_of_one_recording_has_no_interval_and_one_without_clips_no_figure():
    answers_MK = np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0], [0.7, 0.3, 0.0]])
    _, single, none = score_classes(answers_MK, np.array([0, 1, 0]), ["a", "b", "c"], NAMES)
    assert (single.clips, single.recordings) == (1, 1)
    for estimate in (single.recall, single.f1, single.average_precision):
        assert estimate.value == 1.0 and np.isnan([estimate.low, estimate.high]).all()
    assert none.clips == 0 and np.isnan(none.f1.value) and none.curve == ()


def test_points_of_the_curve_are_those_of_scikit_learn(rng):
    there_M = rng.random(50) < 0.4
    scores_M = np.round(rng.normal(size=50) + there_M, 1)  # with ties
    precision, recall, _ = precision_recall_curve(there_M, scores_M)
    known = {(round(r, 9), round(p, 9)) for r, p in zip(recall, precision, strict=True)}
    found = precision_recall(there_M, scores_M)
    assert {(round(r, 9), round(p, 9)) for r, p in found} <= known
    assert found[-1][0] == 1.0 and len(found) == len(set(scores_M[there_M]))


def test_a_long_curve_is_thinned_and_keeps_its_ends(rng):
    there_M = rng.random(2000) < 0.5
    found = precision_recall(there_M, rng.normal(size=2000) + there_M)
    assert len(found) == POINTS and found[-1][0] == 1.0
    assert found[0][0] == pytest.approx(1 / there_M.sum())

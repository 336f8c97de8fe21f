"""Figures of who is who, held against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_curve

from vidfit.metrics import score_all
from vidfit.metrics.identities import (
    IDENTITY_MEASURES,
    NOT_KNOWN,
    b_cubed,
    ten_fold_accuracy,
)

RNG = np.random.default_rng(0)
TRUTH = RNG.integers(0, 6, 90)
ANSWERS = RNG.normal(-0.5, 0.4, (90, 6)).astype(np.float32)
ANSWERS[np.arange(90), TRUTH] += 1.0


def figure(name, answers=ANSWERS):
    return score_all(IDENTITY_MEASURES[name], TRUTH, [answers], list("ab" * 45)).figures_C[0]


@pytest.mark.parametrize(("name", "share"), [("accepted@1", 0.01), ("accepted@0.1", 0.001)])
def test_true_accepts_are_those_of_the_roc_curve(name, share):
    own = TRUTH[:, None] == np.arange(6)
    false, true, _ = roc_curve(own.ravel(), ANSWERS.ravel(), drop_intermediate=False)
    assert figure(name) == pytest.approx(true[false <= share].max())


def test_known_people_named_and_strangers_named():
    named = right = 0
    for person, answer in zip(TRUTH, ANSWERS, strict=True):
        right += answer.argmax() == person and answer.max() >= 0
        named += np.delete(answer, person).max() >= 0
    assert figure("named-rightly") == pytest.approx(right / 90)
    assert figure("strangers-named") == pytest.approx(named / 90)


def test_a_person_without_a_picture_is_not_asked_for():
    answers = ANSWERS.copy()
    answers[:, 5] = NOT_KNOWN
    others = TRUTH != 5
    right = (ANSWERS[others].argmax(1) == TRUTH[others]) & (ANSWERS[others].max(1) >= 0)
    assert figure("named-rightly", answers) >= right.mean()
    assert np.isfinite(figure("accepted@1", answers))


def test_b_cubed_by_hand():
    found = [0] * 5 + [1] * 2 + [2] * 7
    true = [0] * 4 + [1] + [0, 1] + [2] * 4 + [0] * 3
    precision, recall, f = b_cubed(found, true)
    items = list(zip(found, true, strict=True))
    by_hand = [
        (items.count(one) / found.count(one[0]), items.count(one) / true.count(one[1]))
        for one in items
    ]
    assert (precision, recall) == pytest.approx(np.mean(by_hand, axis=0))
    assert f == pytest.approx(2 * precision * recall / (precision + recall))
    assert b_cubed("aabb", [1, 1, 2, 2]) == (1.0, 1.0, 1.0)
    with pytest.raises(ValueError, match="0 clusters of 0 items"):
        b_cubed([], [])


def test_pairs_in_ten_folds():
    same = RNG.random(400) < 0.5
    scores = same + RNG.normal(0, 0.1, 400)
    accuracy, error = ten_fold_accuracy(scores, same, np.arange(400) % 10)
    assert accuracy > 0.98
    assert error < 0.02
    coin, _ = ten_fold_accuracy(RNG.normal(size=400), same, np.arange(400) % 10)
    assert 0.35 < coin < 0.65
    with pytest.raises(ValueError, match="of one fold"):
        ten_fold_accuracy(scores, same, np.zeros(400, int))

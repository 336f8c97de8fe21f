"""One class a clip: links, losses and temperatures, held against scipy and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import log_softmax
from sklearn import metrics as reference

from vidfit.contracts import Clip
from vidfit.labels import ONE, mean_loss


def clips(*labels: str | None) -> list[Clip]:
    return [Clip(f"{i}.mp4", label=label) for i, label in enumerate(labels)]


def test_the_link_is_the_softmax(rng):
    score_MK = rng.normal(size=(20, 3)) * 5
    np.testing.assert_allclose(ONE.linked(score_MK), log_softmax(score_MK, 1), atol=1e-5)


def test_the_loss_is_the_log_loss(rng):
    one_M, p_MK = rng.integers(0, 3, 50), rng.uniform(0.05, 0.95, (50, 3))
    share_MK = p_MK / p_MK.sum(axis=1, keepdims=True)
    expected = reference.log_loss(one_M, share_MK, labels=[0, 1, 2])
    assert mean_loss(np.log(share_MK), one_M) == pytest.approx(expected, rel=1e-6)


def test_a_sure_error_costs_no_more_than_twenty_nats():
    assert ONE.losses(np.array([[-700.0, 0.0]]), np.array([0]))[0] == 20.0


def test_classes_are_numbered_and_clips_of_others_go():
    assert ONE.classes(clips("b", None, "a")) == ("a", "b")
    assert ONE.truth(clips("b", None, "a"), ("a", "b")).tolist() == [1, -1, 0]
    assert [c.label for c in ONE.of_classes(clips("a", "b", None), ("a",))] == ["a", None]
    assert ONE.columns(np.array([0, 3])) == 4
    assert ONE.rarest(np.array([0, 1, 1])) == 1


def test_the_most_frequent_class_is_the_baseline():
    answers_MK = ONE.constant(np.array([1, 1, 0]), 3, 2, "accuracy")
    np.testing.assert_allclose(np.exp(answers_MK[0]), [1 / 3, 2 / 3, 0], atol=1e-6)
    assert ONE.constant_words(answers_MK, ("a", "b", "c")) == "b"

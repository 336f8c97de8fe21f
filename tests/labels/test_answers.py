"""Links, losses and temperatures by kind of label, held against scipy and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, log_softmax
from sklearn import metrics as reference

from vidfit.labels import (
    as_answers,
    columns,
    fit_temperature,
    labels_of,
    linked,
    losses,
    mean_loss,
    odds,
    stated,
)


def test_the_kind_of_label_is_read_off_the_truth():
    there_MK = np.array([[True, False, True], [False, False, True]])
    assert [labels_of(x) for x in (np.array([0, 1]), there_MK, np.array([0.5, 2.0]))] == [
        "one", "several", "number",
    ]  # fmt: skip
    assert [columns(x) for x in (np.array([0, 3]), there_MK, np.array([0.5]))] == [4, 3, 1]


def test_links_are_the_softmax_the_sigmoid_and_the_number(rng):
    score_MK = rng.normal(size=(20, 3)) * 5
    np.testing.assert_allclose(linked(score_MK, "one"), log_softmax(score_MK, 1), atol=1e-5)
    np.testing.assert_allclose(np.exp(linked(score_MK, "several")), expit(score_MK), atol=1e-6)
    np.testing.assert_allclose(linked(score_MK[:, :1], "number"), score_MK[:, :1], rtol=1e-6)
    np.testing.assert_allclose(odds(linked(score_MK, "several")), score_MK, rtol=1e-4, atol=1e-4)


def test_the_loss_of_several_labels_is_the_mean_log_loss_of_the_classes(rng):
    there_MK = rng.random((50, 3)) < 0.4
    p_MK = rng.uniform(0.05, 0.95, (50, 3))
    expected = [reference.log_loss(there_MK[:, k], p_MK[:, k]) for k in range(3)]
    assert mean_loss(np.log(p_MK), there_MK) == pytest.approx(np.mean(expected), rel=1e-6)
    one_M = rng.integers(0, 3, 50)
    share_MK = p_MK / p_MK.sum(axis=1, keepdims=True)
    expected_one = reference.log_loss(one_M, share_MK, labels=[0, 1, 2])
    assert mean_loss(np.log(share_MK), one_M) == pytest.approx(expected_one, rel=1e-6)


def test_the_loss_of_a_number_does_not_hang_on_its_unit(rng):
    number_M = rng.normal(size=40)
    answer_M1 = (number_M + rng.normal(size=40))[:, None]
    expected = 1 - reference.r2_score(number_M, answer_M1[:, 0])
    assert mean_loss(answer_M1, number_M) == pytest.approx(expected)
    assert mean_loss(1000 * answer_M1, 1000 * number_M) == pytest.approx(expected)
    assert losses(answer_M1, number_M).shape == (40,)


def test_a_sure_error_costs_no_more_than_twenty_nats():
    sure_MK = np.log(np.array([[1e-30, 1.0]]) + 1e-300).astype(np.float32)
    assert losses(sure_MK, np.array([[True, True]]))[0] == pytest.approx(10.0, abs=0.01)
    assert losses(np.array([[-700.0, 0.0]]), np.array([0]))[0] == 20.0


def test_a_temperature_undoes_overconfidence_of_several_labels(rng):
    true_MK = rng.normal(size=(4000, 3))
    there_MK = rng.random((4000, 3)) < expit(true_MK)
    overconfident_MK = linked(3.0 * true_MK, "several")
    temperature = fit_temperature(overconfident_MK, there_MK)
    assert temperature == pytest.approx(3.0, rel=0.1)
    stated_MK = stated(overconfident_MK, temperature, "several")
    np.testing.assert_allclose(stated_MK, expit(3.0 * true_MK / temperature), atol=1e-5)
    np.testing.assert_allclose(np.exp(as_answers(stated_MK, "several")), stated_MK, atol=1e-6)


def test_a_number_has_no_temperature():
    answers_M1 = np.array([[2.5], [-1.0]], np.float32)
    assert fit_temperature(answers_M1, np.array([1.0, 2.0])) == 1.0
    np.testing.assert_array_equal(stated(answers_M1, 1.0, "number"), answers_M1)
    np.testing.assert_array_equal(as_answers(answers_M1, "number"), answers_M1)

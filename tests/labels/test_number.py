"""A number a clip: the loss without a unit, fifths, the baseline."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as reference

from vidfit.contracts import Clip
from vidfit.labels import A_NUMBER, mean_loss


def clips(*labels: str) -> list[Clip]:
    return [Clip(f"{i}.mp4", label=label) for i, label in enumerate(labels)]


def test_the_loss_does_not_hang_on_the_unit(rng):
    number_M = rng.normal(size=40)
    answer_M1 = (number_M + rng.normal(size=40))[:, None]
    expected = 1 - reference.r2_score(number_M, answer_M1[:, 0])
    assert mean_loss(answer_M1, number_M, A_NUMBER) == pytest.approx(expected)
    assert mean_loss(1000 * answer_M1, 1000 * number_M, A_NUMBER) == pytest.approx(expected)
    assert A_NUMBER.losses(answer_M1, number_M).shape == (40,)


def test_it_is_stated_as_it_is():
    answers_M1 = np.array([[2.5], [-1.0]], np.float32)
    assert A_NUMBER.temperature(answers_M1, np.array([1.0, 2.0])) == 1.0
    for same in (A_NUMBER.linked, A_NUMBER.as_answers, lambda x: A_NUMBER.stated(x, 1.0)):
        np.testing.assert_array_equal(same(answers_M1), answers_M1)
    said = A_NUMBER.said(answers_M1[0], ("number",))
    assert (said.label, said.value) == ("2.5", 2.5) and np.isnan(said.probability)


def test_the_truth_is_what_the_texts_say():
    number_M = A_NUMBER.truth(clips("1.5", "-2e3"), ("number",))
    assert number_M.tolist() == [1.5, -2000.0] and number_M.dtype == np.float64
    assert A_NUMBER.of_classes(clips("1", "2"), ("number",)) == clips("1", "2")


@pytest.mark.parametrize("text", ["many", "", "nan", "inf"])
def test_a_text_that_is_no_finite_number_is_refused(text):
    with pytest.raises(ValueError, match="is no number"):
        A_NUMBER.checked(text)


def test_strata_are_fifths():
    number_M = np.arange(100, dtype=np.float64)
    assert np.bincount(A_NUMBER.stratum(number_M)).tolist() == [20] * 5
    assert A_NUMBER.strata(number_M).sum(axis=0).tolist() == [20] * 5


def test_the_baseline_is_the_median_or_the_mean_of_squares():
    known_M = np.array([0.0, 1.0, 8.0])
    assert A_NUMBER.constant(known_M, 1, 2, "mae").tolist() == [[1.0], [1.0]]
    assert A_NUMBER.constant(known_M, 1, 1, "r2").tolist() == [[3.0]]

"""Several classes a clip: links, losses, temperatures and what is said."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit
from sklearn import metrics as reference

from vidfit.contracts import Clip
from vidfit.labels import SEVERAL, joined, mean_loss, names_in, odds


def clips(*labels: str | None) -> list[Clip]:
    return [Clip(f"{i}.mp4", label=label) for i, label in enumerate(labels)]


def test_several_names_are_one_text_whatever_their_order():
    assert joined(["sign", "car", "sign"]) == "car|sign" == SEVERAL.checked(" sign | car|")
    assert names_in(" sign | car|") == ("sign", "car")
    assert names_in("") == () and joined([]) == ""


def test_the_link_is_the_sigmoid(rng):
    score_MK = rng.normal(size=(20, 3)) * 5
    np.testing.assert_allclose(np.exp(SEVERAL.linked(score_MK)), expit(score_MK), atol=1e-6)
    np.testing.assert_allclose(odds(SEVERAL.linked(score_MK)), score_MK, rtol=1e-4, atol=1e-4)


def test_the_loss_is_the_mean_log_loss_of_the_classes(rng):
    there_MK = rng.random((50, 3)) < 0.4
    p_MK = rng.uniform(0.05, 0.95, (50, 3))
    expected = [reference.log_loss(there_MK[:, k], p_MK[:, k]) for k in range(3)]
    found = mean_loss(np.log(p_MK), there_MK, SEVERAL)
    assert found == pytest.approx(np.mean(expected), rel=1e-6)


def test_a_sure_error_costs_no_more_than_twenty_nats_a_class():
    sure_MK = np.log(np.array([[1e-30, 1.0]]) + 1e-300).astype(np.float32)
    lost_M = SEVERAL.losses(sure_MK, np.array([[True, True]]))
    assert lost_M[0] == pytest.approx(10.0, abs=0.01)


def test_a_temperature_undoes_overconfidence(rng):
    true_MK = rng.normal(size=(4000, 3))
    there_MK = rng.random((4000, 3)) < expit(true_MK)
    overconfident_MK = SEVERAL.linked(3.0 * true_MK)
    temperature = SEVERAL.temperature(overconfident_MK, there_MK)
    assert temperature == pytest.approx(3.0, rel=0.1)
    stated_MK = SEVERAL.stated(overconfident_MK, temperature)
    np.testing.assert_allclose(stated_MK, expit(3.0 * true_MK / temperature), atol=1e-5)
    np.testing.assert_allclose(np.exp(SEVERAL.as_answers(stated_MK)), stated_MK, atol=1e-6)


def test_the_truth_is_a_table_and_classes_that_are_left_out_leave_their_clips():
    some = clips("b|a", "", "c")
    assert SEVERAL.classes(some) == ("a", "b", "c")
    there_MK = SEVERAL.truth(some, ("a", "b", "c"))
    assert there_MK.tolist() == [[True, True, False], [False] * 3, [False, False, True]]
    kept = SEVERAL.of_classes(clips("b|a", "c", None), ("a", "c"))
    assert [c.label for c in kept] == ["a", "c", None]


def test_strata_are_classes_with_and_without():
    there_MK = np.array([[True, False], [True, True], [True, False]])
    assert SEVERAL.strata(there_MK).tolist()[0] == [True, False, False, True]
    assert SEVERAL.stratum(there_MK).tolist()[0] == SEVERAL.stratum(there_MK).tolist()[2]


def test_classes_above_their_thresholds_are_said_as_sure_as_the_least():
    said = SEVERAL.said(np.array([0.5, 0.3, 0.9]), ("a", "b", "c"), (0.4, 0.4, 0.4))
    assert (said.label, said.probability) == ("a|c", 0.5)
    none = SEVERAL.said(np.array([0.1, 0.3]), ("a", "b"), (0.4, 0.4))
    assert (none.label, none.probability) == ("", 0.7)

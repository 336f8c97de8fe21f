"""Labels as texts and as arrays, and what they are dealt to folds by."""

from __future__ import annotations

import numpy as np

from vidfit.contracts import Clip
from vidfit.labels import classes_of, joined, names_in, of_classes, strata_of, stratum_of, truth_of


def clips(*labels: str | None) -> list[Clip]:
    return [Clip(f"{i}.mp4", label=label) for i, label in enumerate(labels)]


def test_several_names_are_one_text_whatever_their_order():
    assert joined(["sign", "car", "sign"]) == "car|sign"
    assert names_in(" sign | car|") == ("sign", "car")
    assert names_in("") == () and joined([]) == ""


def test_truth_of_each_kind():
    some = clips("b|a", "", "c")
    assert classes_of(some, "several") == ("a", "b", "c")
    there_MK = truth_of(some, ("a", "b", "c"), "several")
    assert there_MK.tolist() == [[True, True, False], [False] * 3, [False, False, True]]
    assert truth_of(clips("b", "a"), ("a", "b"), "one").tolist() == [1, 0]
    number_M = truth_of(clips("1.5", "-2e3"), classes_of(some, "number"), "number")
    assert number_M.tolist() == [1.5, -2000.0] and number_M.dtype == np.float64


def test_classes_that_are_left_out_leave_their_clips_where_there_are_several():
    some = clips("b|a", "c", None)
    assert [c.label for c in of_classes(some, ("a", "c"), "several")] == ["a", "c", None]
    assert [c.label for c in of_classes(clips("a", "b", None), ("a",))] == ["a", None]
    assert of_classes(clips("1", "2"), ("number",), "number") == clips("1", "2")


def test_strata_are_classes_with_and_without_and_fifths_of_numbers():
    there_MK = np.array([[True, False], [True, True], [True, False]])
    assert strata_of(there_MK).tolist()[0] == [True, False, False, True]
    assert stratum_of(there_MK).tolist()[0] == stratum_of(there_MK).tolist()[2]
    number_M = np.arange(100, dtype=np.float64)
    assert np.bincount(stratum_of(number_M)).tolist() == [20] * 5
    assert strata_of(number_M).sum(axis=0).tolist() == [20] * 5

"""How far an export is from vidfit is told by its worst answer."""

from __future__ import annotations

import numpy as np
import pytest

from vidfit.errors import ModelError
from vidfit.jobs.export.parity import check_parity, difference
from vidfit.runtime import TOLERANCE


def test_one_wrong_answer_among_many_is_the_difference():
    expected = np.full(1000, -4.0, np.float32)
    found = expected.copy()
    found[7] += 1.0
    # Its mean would be 0.00025, which nothing would stop.
    assert difference(found, expected) == pytest.approx(0.25)


def test_the_difference_is_relative_to_the_largest_of_what_is_expected():
    expected = np.array([1.0, -200.0], np.float32)
    assert difference(np.array([3.0, -200.0], np.float32), expected) == pytest.approx(0.01)
    assert difference(np.array([0.5, 0.0]), np.zeros(2)) == 0.5  # of nothing: as it is


def test_another_shape_is_as_far_as_can_be():
    assert difference(np.zeros((2, 3)), np.zeros((3, 2))) == float("inf")


@pytest.mark.parametrize("error", [2 * TOLERANCE, float("inf"), float("nan")])
def test_what_is_far_or_no_number_is_refused(error):
    with pytest.raises(ModelError, match="graph differs"):
        check_parity("graph", error)


def test_what_is_near_is_returned():
    assert check_parity("graph", TOLERANCE / 2) == TOLERANCE / 2

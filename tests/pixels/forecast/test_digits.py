"""Moving digits: the standard protocol, and no digit on two sides."""

from __future__ import annotations

import numpy as np
import pytest

from vidfit.backbones.package_weights import is_fetched
from vidfit.pixels.forecast.digits import (
    CHOOSE,
    LEARN,
    NAME,
    TEST,
    MovingDigits,
    packed_digits,
    paths,
)

needs_digits = pytest.mark.skipif(
    not is_fetched(NAME), reason=f"needs vidfit models --fetch {NAME}"
)


def test_digits_stay_inside_and_move_a_tenth_of_the_free_way():
    places = paths(np.random.default_rng(0), 50, 40, 36)
    assert places.min() >= 0 and places.max() <= 36
    moved = np.abs(np.diff(places, axis=1)).max()
    assert 3 <= moved <= 4  # 3.6 pixels along one side


def test_the_brighter_pixel_counts_and_sequences_repeat():
    digits = np.full((1, 28, 28), 200, np.uint8)
    drawn = MovingDigits(digits, 64, 2).draw(np.random.default_rng(3), 4, 5)
    assert drawn.shape == (4, 5, 64, 64)
    assert set(np.unique(drawn)) == {0, 200}
    again = MovingDigits(digits, 64, 2).draw(np.random.default_rng(3), 4, 5)
    assert np.array_equal(drawn, again)


def test_parts_share_no_digit():
    assert LEARN[1] == CHOOSE[0]
    assert CHOOSE[1] == TEST[0]


@needs_digits
def test_packaged_digits_are_ten_thousand_in_three_parts():
    counts = [len(packed_digits(part)) for part in (LEARN, CHOOSE, TEST)]
    assert sum(counts) == 10_000
    small = MovingDigits.of(TEST, 32, 1)
    assert small.digits_NHW.shape[1:] == (14, 14)

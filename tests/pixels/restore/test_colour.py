"""Colours come back, and are enlarged beside a luma of another origin."""

from __future__ import annotations

import numpy as np
import pytest

from vidfit.metrics.pictures import luma
from vidfit.pixels.restore.colour import enlarged, joined, small_colours, split

RGB = np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8)


def test_split_and_joined_are_inverse_and_of_bt601():
    apart = split(RGB)
    assert np.abs(joined(apart[0], apart[1:]).astype(int) - RGB).max() <= 1
    assert apart[0] == pytest.approx(luma(RGB)[..., 0], abs=1e-3)
    assert apart[1:].min() >= 15.9 and apart[1:].max() <= 240.1


def test_enlarged_takes_the_luma_given():
    flat = np.full((12, 16, 3), (90, 140, 60), np.uint8)
    bright = np.full((24, 32), 180, np.float32)
    made = enlarged(bright, flat, 2)
    assert made.shape == (24, 32, 3)
    assert split(made)[0] == pytest.approx(bright, abs=1.0)
    assert small_colours(flat, 2)[:, 2, 2] == pytest.approx(split(flat)[1:, 0, 0], abs=1e-2)

"""A frame comes to lie over the next."""

from __future__ import annotations

import numpy as np
import pytest
from tests.moving import frames

from vidfit.pixels.restore.align import flow, moved
from vidfit.pixels.restore.material import rounded_luma

LUMA = rounded_luma(frames(count=5, height=96, width=128, seed=3))
INSIDE = np.s_[12:-12, 12:-12]


def test_the_flow_of_a_drift_is_the_drift():
    found = flow(LUMA[2], LUMA[4])  # two pixels up and to the left
    assert np.median(found[INSIDE], axis=(0, 1)) == pytest.approx([-2, -2], abs=0.25)


def test_a_frame_moved_along_the_flow_is_the_other():
    back = flow(LUMA[3], LUMA[2])
    before = np.abs(LUMA[2].astype(float) - LUMA[3])[INSIDE].mean()
    after = np.abs(moved(LUMA[2], back) - LUMA[3])[INSIDE].mean()
    assert after < before / 3


@pytest.mark.parametrize("size", [(8, 8), (9, 31), (17, 300)])
def test_small_frames_have_a_flow(size):
    one = LUMA[0, : size[0], : size[1]] if size[1] <= 128 else np.zeros(size, np.uint8)
    assert flow(one, one).shape == (*one.shape, 2)

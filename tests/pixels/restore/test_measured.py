"""Figures of a way: a perfect one errs in nothing, and blur is steady."""

from __future__ import annotations

import numpy as np
import pytest
from tests.moving import frames

from vidfit.metrics.pictures import psnr, without_border
from vidfit.pixels.restore.degrade import Degradation
from vidfit.pixels.restore.material import Stretch, rounded_luma
from vidfit.pixels.restore.measured import filter_way, in_colour, measured, true_warping

COLOUR = frames(count=5, height=96, width=128, seed=2)
LARGE = rounded_luma(COLOUR)
STRETCH = Stretch("a.mp4", "a", LARGE, Degradation(2).applied(LARGE), COLOUR[2])


def perfect():
    left = list(range(5))
    return lambda *_: LARGE[left.pop(0)].astype(np.float32)


def test_a_perfect_way_has_no_error():
    found = measured([STRETCH], perfect, 2)
    assert found.psnr_luma == 100.0 and found.ssim_luma == pytest.approx(1.0)
    assert found.shimmer_levels == 0.0
    assert found.warping_levels == pytest.approx(true_warping([STRETCH]))
    assert found.psnr_rgb < 100.0  # its colours are bicubic's


def test_bicubic_is_measured_as_its_definition_says():
    found = measured([STRETCH], filter_way(2), 2)
    run = filter_way(2)()
    wanted = [
        psnr(*(without_border(x[None, ..., None], 2) for x in (LARGE[t], run(s))), 255.0)[0]
        for t, s in zip(range(5), STRETCH.small_THW, strict=True)
    ]
    assert found.psnr_luma == pytest.approx(np.mean(wanted))


def test_what_flickers_is_told():
    sign = [1.0]

    def flickering():
        run = perfect()

        def made(*args):
            sign[0] = -sign[0]
            return run(*args) + 6 * sign[0]

        return made

    found = measured([STRETCH], flickering, 2)
    assert found.warping_levels > true_warping([STRETCH]) + 6
    assert found.shimmer_levels == pytest.approx(12.0, abs=0.5)


def test_in_colour_is_of_the_size_of_the_true_frame():
    assert in_colour(STRETCH, filter_way(2), 2).shape == COLOUR[2].shape

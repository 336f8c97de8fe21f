"""Degradations do what they say."""

from __future__ import annotations

import numpy as np
import pytest
from tests.moving import frames

from vidfit.pixels.restore.degrade import Degradation, encoded_again, fitting
from vidfit.pixels.restore.material import rounded_luma

LUMA = rounded_luma(frames(count=4, height=66, width=99))


def test_what_is_done_is_said():
    whole = Degradation(4, blur_pixels=1.6, noise_levels=2.0, crf=33)
    assert whole.text == (
        "blurred by sigma 1.6, antialiased bicubic to 1/4, noise of 2 levels, "
        "encoded again by H.264 at CRF 33"
    )
    assert Degradation(2).text == "antialiased bicubic to 1/2"


def test_rows_that_the_scale_does_not_divide_are_left_out():
    assert fitting(LUMA, 4).shape == (4, 64, 96)
    assert Degradation(4).applied(LUMA).shape == (4, 16, 24)


def test_noise_is_as_strong_as_it_says_and_depends_on_the_seed():
    flat = np.full((3, 64, 64), 100.0, np.float32)
    noisy = Degradation(2, noise_levels=5.0)
    assert noisy.at_small(flat).std() == pytest.approx(5.0, rel=0.05)
    assert (noisy.at_small(flat, 1) == noisy.at_small(flat, 1)).all()
    assert (noisy.at_small(flat, 1) != noisy.at_small(flat, 2)).any()


def test_blur_takes_detail_away():
    plain, blurred = (Degradation(2, blur_pixels=s).applied(LUMA) for s in (0.0, 2.0))
    assert blurred.std() < plain.std()


@pytest.mark.parametrize("size", [(16, 24), (17, 25)])
def test_encoded_again_keeps_size_and_time_and_loses_more_at_a_higher_crf(size):
    small = LUMA[:, : size[0], : size[1]]
    errors = [np.abs(encoded_again(small, crf).astype(int) - small).mean() for crf in (1, 40)]
    assert errors[0] < 2 < errors[1]

"""PSNR and SSIM, held against the definition worked out window by window in float64."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vidfit.metrics.pictures import luma, psnr, ssim, without_border

RNG = np.random.default_rng(0)
TRUTH = RNG.uniform(0, 255, (2, 21, 17, 3))
MADE = np.clip(TRUTH + RNG.normal(0, 20, TRUTH.shape), 0, 255)


def oracle(a_HW, b_HW, data_range, weights_TT, unbiased):
    """Equation 13 of Wang et al. at each window, one after the other."""
    size = len(weights_TT)
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    found = []
    for y in range(a_HW.shape[0] - size + 1):
        for x in range(a_HW.shape[1] - size + 1):
            a, b = (of[y : y + size, x : x + size] for of in (a_HW, b_HW))
            mean_a, mean_b = (weights_TT * a).sum(), (weights_TT * b).sum()
            var_a = unbiased * (weights_TT * (a - mean_a) ** 2).sum()
            var_b = unbiased * (weights_TT * (b - mean_b) ** 2).sum()
            both = unbiased * (weights_TT * (a - mean_a) * (b - mean_b)).sum()
            top = (2 * mean_a * mean_b + c1) * (2 * both + c2)
            found.append(top / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2)))
    return np.mean(found)


def gaussian():
    place = np.arange(11) - 5
    weights = np.exp(-(place[:, None] ** 2 + place**2) / (2 * 1.5**2))
    return weights / weights.sum()


@pytest.mark.parametrize(
    ("window", "weights", "unbiased"),
    [("gaussian", gaussian(), 1.0), ("uniform", np.full((7, 7), 1 / 49), 49 / 48)],
)
def test_ssim_is_the_definition(window, weights, unbiased):
    of_channels = [
        [oracle(TRUTH[n, ..., c], MADE[n, ..., c], 255.0, weights, unbiased) for c in range(3)]
        for n in range(2)
    ]
    found_N = ssim(TRUTH, MADE, 255.0, window)
    assert found_N == pytest.approx(np.mean(of_channels, axis=1), abs=1e-10)
    assert ssim(TRUTH, TRUTH, 255.0, window) == pytest.approx([1.0, 1.0])


def test_ssim_depends_on_the_range():
    assert ssim(TRUTH / 255, MADE / 255, 1.0) == pytest.approx(ssim(TRUTH, MADE, 255.0))
    assert (ssim(TRUTH / 255, MADE / 255, 255.0) > 0.999).all()  # what a wrong range gives


def test_psnr():
    grey = np.full((1, 8, 8, 1), 100.0)
    assert psnr(grey, grey + 1, 255.0)[0] == pytest.approx(20 * math.log10(255))
    assert psnr(grey, grey, 255.0)[0] == math.inf


def test_luma_is_that_of_bt601():
    corners = np.array([[[[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255]]]])
    expected = [16.0, 235.0, 81.481, 144.553, 40.966]
    assert luma(corners)[0, 0, :, 0] == pytest.approx(expected)


def test_a_border_is_cut():
    assert without_border(TRUTH, 4).shape == (2, 13, 9, 3)
    with pytest.raises(ValueError, match="no inside"):
        without_border(TRUTH, 9)


def test_pictures_that_cannot_be_compared():
    with pytest.raises(ValueError, match="the same shape"):
        psnr(TRUTH, MADE[:1], 255.0)
    with pytest.raises(ValueError, match="smaller than 11"):
        ssim(TRUTH[:, :9], MADE[:, :9], 255.0)
    with pytest.raises(ValueError, match="three channels"):
        luma(TRUTH[..., :1])

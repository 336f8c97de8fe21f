"""How near a picture is to the true one: PSNR and SSIM, on luma or on colours.

Figures of papers differ by decibels for the same pictures, since they differ in what is compared
and do not say so. Here it is said each time: the data range is always given, luma is that of
ITU-R BT.601 in 16 to 235 as MATLAB's ``rgb2ycbcr`` makes it, and pictures that were enlarged are
compared without a border as wide as the scale (`without_border`).

SSIM is that of Wang, Bovik, Sheikh and Simoncelli (2004, "Image quality assessment: from error
visibility to structural similarity"), equation 13 with K1 = 0.01 and K2 = 0.03, averaged over the
places where the whole window lies in the picture, then over channels.

Shape letters: N pictures, H rows, W columns, C channels.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Pictures = NDArray[np.float64]
Window = Literal["gaussian", "uniform"]

_TAPS, _SIGMA = 11, 1.5
_UNIFORM = 7
_K1, _K2 = 0.01, 0.03
_LUMA = np.array([65.481, 128.553, 24.966]) / 255.0


def luma(rgb_NHWC: ArrayLike) -> Pictures:
    """Return BT.601 luma, 16 to 235, of RGB pictures of 0 to 255, [..., 1]."""
    rgb = np.asarray(rgb_NHWC, np.float64)
    if rgb.shape[-1:] != (3,):
        raise ValueError(f"pictures of shape {rgb.shape}; valid are three channels at the end")
    return 16.0 + rgb @ _LUMA[:, None]


def without_border(pictures_NHWC: ArrayLike, pixels: int) -> Pictures:
    """Return pictures without so many rows and columns on each side.

    Raises
    ------
    ValueError
        If nothing would be left.
    """
    pictures = np.asarray(pictures_NHWC, np.float64)
    if min(pictures.shape[1:3]) <= 2 * pixels:
        raise ValueError(
            f"pictures of {pictures.shape[1:3]} have no inside at a border of {pixels}"
        )
    return pictures[:, pixels : pictures.shape[1] - pixels, pixels : pictures.shape[2] - pixels]


def psnr(truth_NHWC: ArrayLike, made_NHWC: ArrayLike, data_range: float) -> NDArray[np.float64]:
    """Return the peak signal-to-noise ratio of each picture in dB, over all of its channels, [N].

    ``10 log10(data_range² / mean squared error)``; infinite where both are equal.

    Parameters
    ----------
    data_range
        Between the least and the largest value that there could be: 255 of 8 bits, also of luma
        in 16 to 235, as papers do.

    Raises
    ------
    ValueError
        If shapes differ or are not [N, H, W, C].
    """
    truth, made = _paired(truth_NHWC, made_NHWC)
    error_N = np.square(truth - made).mean(axis=(1, 2, 3))
    with np.errstate(divide="ignore"):
        decibels_N: NDArray[np.float64] = 10.0 * np.log10(data_range**2 / error_N)
    return decibels_N


def ssim(
    truth_NHWC: ArrayLike,
    made_NHWC: ArrayLike,
    data_range: float,
    window: Window = "gaussian",
) -> NDArray[np.float64]:
    """Return the structural similarity of each picture, at most 1, [N].

    Parameters
    ----------
    window
        ``gaussian``: 11 taps of sigma 1.5, as Wang et al. and papers on super-resolution.
        ``uniform``: 7 × 7 with variances of samples (n - 1), as scikit-image does unless told
        otherwise, and papers on forecasting.

    Raises
    ------
    ValueError
        If shapes differ, are not [N, H, W, C], or pictures are smaller than the window.
    """
    truth, made = _paired(truth_NHWC, made_NHWC)
    taps = _taps(window)
    if min(truth.shape[1:3]) < len(taps):
        raise ValueError(
            f"pictures of {truth.shape[1:3]} are smaller than {len(taps)} by {len(taps)}"
        )
    samples = len(taps) ** 2
    unbiased = samples / (samples - 1) if window == "uniform" else 1.0
    pairs = zip(truth, made, strict=True)
    return np.array([_of_one(a, b, data_range, taps, unbiased) for a, b in pairs])


def _of_one(
    a_HWC: Pictures, b_HWC: Pictures, data_range: float, taps_T: Pictures, unbiased: float
) -> float:
    mean_a, mean_b = _smoothed(a_HWC, taps_T), _smoothed(b_HWC, taps_T)
    variances = unbiased * (
        _smoothed(np.square(a_HWC) + np.square(b_HWC), taps_T) - mean_a**2 - mean_b**2
    )
    covariance = unbiased * (_smoothed(a_HWC * b_HWC, taps_T) - mean_a * mean_b)
    c1, c2 = (_K1 * data_range) ** 2, (_K2 * data_range) ** 2
    similar = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    return float((similar / ((mean_a**2 + mean_b**2 + c1) * (variances + c2))).mean())


def _taps(window: Window) -> Pictures:
    if window == "uniform":
        return np.full(_UNIFORM, 1.0 / _UNIFORM)
    place = np.arange(_TAPS) - _TAPS // 2
    weights: Pictures = np.exp(-(place**2) / (2 * _SIGMA**2))
    weights /= weights.sum()
    return weights


def _smoothed(picture_HWC: Pictures, taps_T: Pictures) -> Pictures:
    """Return weighted means where the whole window lies inside."""
    from scipy.ndimage import correlate1d

    cut = len(taps_T) // 2
    rows = correlate1d(picture_HWC, taps_T, axis=0)[cut : len(picture_HWC) - cut]
    both: Pictures = correlate1d(rows, taps_T, axis=1)
    return both[:, cut : both.shape[1] - cut]


def _paired(truth: ArrayLike, made: ArrayLike) -> tuple[Pictures, Pictures]:
    a, b = np.asarray(truth, np.float64), np.asarray(made, np.float64)
    if a.shape != b.shape or a.ndim != 4 or not a.size:
        raise ValueError(
            f"pictures of shape {a.shape} and {b.shape}; valid is the same shape [pictures, rows, "
            "columns, channels] of both"
        )
    return a, b

"""How near restored frames come to the true ones, and how steady they are from frame to frame.

Frames are compared on luma, and the middle one of each stretch in RGB as well, without a border
as wide as the scale; the data range is 255.

Shape letters: T frames of a stretch, H rows, W columns.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise

import numpy as np

from vidfit.contracts import Floats, Frames
from vidfit.metrics.pictures import psnr, ssim, without_border
from vidfit.pixels.restore.align import flow, moved
from vidfit.pixels.restore.colour import joined, small_colours
from vidfit.pixels.restore.degrade import Luma
from vidfit.pixels.restore.enlarge import larger
from vidfit.pixels.restore.material import Stretch
from vidfit.pixels.restore.restorer import Restored

RANGE = 255.0
_ALIKE_LEVELS = 12.0
"""By which the true frame may differ from the one before, laid over it, where steadiness counts."""

_LEAST_SHARE = 0.3
"""Of a frame that must be found again, or it is another scene."""

Way = Callable[[], Restored]
"""Begins a stretch: returns what makes its frames larger, in their order."""


@dataclass(frozen=True)
class RestoreFigures:
    """Of one way on one recording: means over its frames.

    Parameters
    ----------
    psnr_luma, psnr_rgb
        In dB.
    ssim_luma, ssim_rgb
        With a Gaussian window of 11 taps.
    warping_levels
        Mean absolute difference, in 8-bit levels, between a frame and the one before laid over it
        along the motion of the true frames, where those agree (after Lai et al. 2018, "Learning
        blind video temporal consistency"); NaN where nothing could be followed.
    shimmer_levels
        The same of the error: how much what is wrong changes from frame to frame.
    """

    psnr_luma: float
    ssim_luma: float
    psnr_rgb: float
    ssim_rgb: float
    warping_levels: float
    shimmer_levels: float


FIGURES = tuple(field.name for field in fields(RestoreFigures))


def measured(stretches: Sequence[Stretch], way: Way, scale: int) -> RestoreFigures:
    """Return the figures of a way on stretches of one recording."""
    parts = [_of_stretch(one, way, scale) for one in stretches]
    return RestoreFigures(*(_mean([part[name] for part in parts]) for name in FIGURES))


def true_warping(stretches: Sequence[Stretch]) -> float:
    """Return the warping error of the true frames themselves, in levels."""
    found = []
    for one in stretches:
        found += [pair[0] for pair in _steadiness(one, list(one.large_THW.astype(np.float32)))]
    return _mean([found])


def filter_way(scale: int, name: str = "bicubic") -> Way:
    """Return a fixed filter as a way."""

    def made(frame_HW: Luma) -> Floats:
        return next(iter(larger(frame_HW[None].astype(np.float32), scale, name)))

    return lambda: made


def in_colour(stretch: Stretch, way: Way, scale: int) -> Frames:
    """Return the middle frame of a stretch restored, RGB: luma by the way, colours by bicubic."""
    return _coloured(stretch, _made(stretch, way)[stretch.middle], scale)


def _coloured(stretch: Stretch, luma_HW: Floats, scale: int) -> Frames:
    return joined(luma_HW, larger(small_colours(stretch.colour_HWC, scale), scale))


def _made(stretch: Stretch, way: Way) -> list[Floats]:
    run = way()
    return [run(frame) for frame in stretch.small_THW]


def _of_stretch(stretch: Stretch, way: Way, scale: int) -> dict[str, list[float]]:
    made = _made(stretch, way)
    truth = list(stretch.large_THW.astype(np.float32))
    cut = [[_cut(one[..., None], scale) for one in of] for of in (truth, made)]
    coloured = _coloured(stretch, made[stretch.middle], scale)
    colour = [_cut(one, scale) for one in (stretch.colour_HWC, coloured)]
    steady = _steadiness(stretch, made)
    return {
        "psnr_luma": [float(psnr(a, b, RANGE)[0]) for a, b in zip(*cut, strict=True)],
        "ssim_luma": [float(ssim(a, b, RANGE)[0]) for a, b in zip(*cut, strict=True)],
        "psnr_rgb": [float(psnr(colour[0], colour[1], RANGE)[0])],
        "ssim_rgb": [float(ssim(colour[0], colour[1], RANGE)[0])],
        "warping_levels": [pair[0] for pair in steady],
        "shimmer_levels": [pair[1] for pair in steady],
    }


def _cut(picture_HWC: Floats | Frames, scale: int) -> np.ndarray:
    return without_border(picture_HWC[None], scale)


def _steadiness(stretch: Stretch, made: Sequence[Floats]) -> list[tuple[float, float]]:
    """Return the warping error and the shimmer of each frame that follows another."""
    found = []
    for place, (before, truth) in enumerate(pairwise(stretch.large_THW), 1):
        back_HW2 = flow(truth, before)
        apart = truth.astype(np.float32) - moved(before, back_HW2, cubic=False)
        same = np.abs(apart) <= _ALIKE_LEVELS
        if same.mean() < _LEAST_SHARE:
            continue
        own = made[place] - moved(made[place - 1], back_HW2, cubic=False)
        pair = (float(np.abs(own)[same].mean()), float(np.abs(own - apart)[same].mean()))
        found.append(pair)
    return found


def _mean(parts: Sequence[Sequence[float]]) -> float:
    """Return the mean of all values, an infinite PSNR counted as 100 dB; NaN of none."""
    values = np.array([value for part in parts for value in part])
    return float(np.minimum(values, 100.0).mean()) if values.size else float("nan")

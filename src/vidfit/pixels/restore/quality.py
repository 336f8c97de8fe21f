"""How blurred, noisy and blocky frames are, and the degradation that comes nearest to an example.

The example's large frames are unknown, so that its degradation cannot be read off it. Each of a
grid of degradations is tried on the clips that are learned from; the one whose small frames are
most like the example by the three statistics is taken.

Shape letters: T frames, H rows, W columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, replace
from itertools import islice, product
from pathlib import Path

import numpy as np

from vidfit.contracts import Clip, Floats
from vidfit.errors import NotEnoughDataError, VideoError
from vidfit.pixels.restore.degrade import Degradation, Luma
from vidfit.pixels.restore.material import FLAT_LEVELS, rounded_luma
from vidfit.video import VideoReader

_FRAMES = 5
_STRETCHES = 4
_CLIPS = 6
_MOST_SIDE = 480
"""Frames are cut to so many pixels around their middle: statistics need no more."""

_BLUR_OF_SCALE = (0.0, 0.4, 0.8)
_NOISE = (0.0, 2.0, 4.0, 8.0)
_CRF = (None, 23, 28, 33, 38)
_BLOCK = 8


@dataclass(frozen=True)
class Quality:
    """Statistics of frames.

    Parameters
    ----------
    fineness
        Logarithm of the mean difference of neighbours over that of pixels two apart: the lower,
        the more blurred.
    noise
        Logarithm of 1 and the standard deviation of noise, in levels (Immerkaer 1996, "Fast noise
        variance estimation", by the median in place of the mean, so that edges do not count).
    blockiness
        Logarithm of the mean difference across borders of blocks of 8 pixels over that elsewhere
        (after Wang, Sheikh and Bovik 2002).
    """

    fineness: float
    noise: float
    blockiness: float

    @classmethod
    def of(cls, frames_THW: Luma) -> Quality:
        """Measure frames."""
        planes = frames_THW.astype(np.float32)
        one = [np.abs(np.diff(planes, axis=axis)) for axis in (1, 2)]
        two = [np.abs(planes[:, 2:] - planes[:, :-2]), np.abs(planes[..., 2:] - planes[..., :-2])]
        fine = np.mean([one[a].mean() / max(float(two[a].mean()), 1e-3) for a in (0, 1)])
        blocky = np.mean([_across(one[0].mean((0, 2))), _across(one[1].mean((0, 1)))])
        return cls(float(np.log(fine + 1e-3)), float(np.log1p(_noise(planes))), float(blocky))

    def distance(self, other: Quality) -> float:
        """Return how unlike two are."""
        return float(np.abs(np.subtract(astuple(self), astuple(other))).sum())

    @property
    def text(self) -> str:
        """The statistics, in words."""
        return (
            f"fineness {np.exp(self.fineness):.2f}, noise {np.expm1(self.noise):.1f} levels, "
            f"blockiness {np.exp(self.blockiness):.2f}"
        )


def fitted_degradation(example: Path, clips: Sequence[Clip], scale: int) -> tuple[Degradation, str]:
    """Return the degradation that makes clips most like an example, and what was measured.

    Raises
    ------
    VideoError
        If the example cannot be read.
    NotEnoughDataError
        If it, or all clips, are of one colour.
    """
    seen = list(_stretches(str(example)))
    if not seen:
        raise NotEnoughDataError(f"{example} is of one colour: its quality cannot be measured")
    wanted = _mean([Quality.of(_middle(one)) for one in seen])
    large = [one for clip in _spread(clips) for one in _readable(clip)]
    if not large:
        raise NotEnoughDataError("no clip has frames to learn from; give other clips")
    best, found = Degradation(scale), None
    for blur in _BLUR_OF_SCALE:
        plain = Degradation(scale, blur_pixels=blur * scale)
        small = [_middle(plain.applied(one)) for one in large]
        for noise, crf in product(_NOISE, _CRF):
            tried = replace(plain, noise_levels=noise, crf=crf)
            got = _mean([Quality.of(tried.at_small(s.astype(np.float32))) for s in small])
            if found is None or wanted.distance(got) < wanted.distance(found):
                best, found = tried, got
    why = f"{example.name} has {wanted.text}; so made, the clips have {found.text if found else ''}"
    return best, why


def _noise(planes_THW: Floats) -> float:
    import cv2

    mask = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    answers = [np.abs(np.asarray(cv2.filter2D(p, -1, mask)))[1:-1, 1:-1] for p in planes_THW]
    return float(np.median(answers)) / (0.6745 * 6.0)


def _across(differences_X: Floats) -> float:
    """Return the logarithm of differences at borders of blocks over those elsewhere."""
    at = np.arange(len(differences_X)) % _BLOCK == _BLOCK - 1
    if not at.any() or at.all():
        return 0.0
    return float(np.log((differences_X[at].mean() + 0.1) / (differences_X[~at].mean() + 0.1)))


def _mean(found: Sequence[Quality]) -> Quality:
    return Quality(*(float(v) for v in np.mean([astuple(one) for one in found], axis=0)))


def _spread(clips: Sequence[Clip]) -> list[Clip]:
    count = min(_CLIPS, len(clips))
    return [clips[number * len(clips) // count] for number in range(count)]


def _readable(clip: Clip) -> list[Luma]:
    try:
        return list(islice(_stretches(clip.path), 1))
    except VideoError:
        return []  # it is named among the failures when it is to be learned from


def _stretches(path: str) -> Iterator[Luma]:
    """Yield luma of stretches of a video that are not of one colour."""
    with VideoReader(path) as reader:
        count = len(reader.pts_seconds)
        length = min(_FRAMES, count)
        starts = np.linspace(0, count - length, min(_STRETCHES, count)).round().astype(int)
        for start in np.unique(starts):
            found = rounded_luma([f.rgb(None) for f in reader.frames(range(start, start + length))])
            if float(found.std()) >= FLAT_LEVELS:
                yield found


def _middle(frames_THW: Luma) -> Luma:
    """Return frames cut around their middle, in step with blocks of 8 pixels."""
    cut = [max(side - _MOST_SIDE, 0) // 2 // _BLOCK * _BLOCK for side in frames_THW.shape[1:]]
    top, left = cut
    return frames_THW[:, top : top + _MOST_SIDE, left : left + _MOST_SIDE]

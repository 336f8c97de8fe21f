"""Whether the probabilities of pixels are true, and the line that makes them truer.

Platt, "Probabilistic outputs for support vector machines" (1999): the logit times a slope, plus an
offset; fitted on held-out recordings by Newton's method. Brightness may lie between 0 and 1, and is
then the probability that is aimed at.

Shape letters: N pixels, B bins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Estimate, Floats
from vidfit.metrics.resampled import draws, expanded, numbered

Pixels = NDArray[np.float32]

_STEPS, _MOST_PIXELS, _BINS = 25, 200_000, 10
_SLOPES, _OFFSETS = (0.1, 4.0), (-4.0, 4.0)
_RIDGE = 1e-3
_UNSURE = (0.05, 0.95)


@dataclass(frozen=True)
class Platt:
    """A line over logits; the slope is one over a temperature."""

    slope: float = 1.0
    offset: float = 0.0

    def __call__(self, logits: Floats) -> Floats:
        """Return logits that say what is true more often."""
        changed: Floats = np.float32(self.slope) * logits + np.float32(self.offset)
        return changed


def fit_platt(logits: Floats, truth: Floats, seed: int = 0) -> Platt:
    """Return the line with the lowest cross-entropy on pixels in [0, 1], of any shape.

    At most 200,000 pixels are looked at, drawn at random. Black pixels alone say nothing of how
    sure others are: slope and offset are held near 1 and 0, and within bounds.
    """
    logits_N, truth_N = logits.ravel(), truth.ravel()
    if len(logits_N) > _MOST_PIXELS:
        some = np.random.default_rng(seed).integers(len(logits_N), size=_MOST_PIXELS)
        logits_N, truth_N = logits_N[some], truth_N[some]
    x_N2 = np.stack([logits_N, np.ones_like(logits_N)], axis=1).astype(np.float64)
    line = np.array([1.0, 0.0])
    for _ in range(_STEPS):
        said_N = 1 / (1 + np.exp(-np.clip(x_N2 @ line, -30, 30)))
        slope = x_N2.T @ (said_N - truth_N) / len(x_N2) + _RIDGE * (line - [1.0, 0.0])
        weight_N = said_N * (1 - said_N)
        bend = (x_N2 * weight_N[:, None]).T @ x_N2 / len(x_N2) + _RIDGE * np.eye(2)
        step = np.linalg.solve(bend, slope)
        line = line - step / max(1.0, float(np.abs(step).max()))
        line = np.array([np.clip(line[0], *_SLOPES), np.clip(line[1], *_OFFSETS)])
        if np.abs(step).max() < 1e-6:
            break
    return Platt(float(line[0]), float(line[1]))


@dataclass(frozen=True)
class PixelBin:
    """Pixels of one range of probabilities.

    Parameters
    ----------
    said
        Mean probability.
    lit
        Mean brightness that came, with an interval over recordings.
    share
        Of all pixels.
    """

    said: float
    lit: Estimate
    share: float


@dataclass(frozen=True)
class PixelReliability:
    """Probabilities of pixels beside what came.

    Parameters
    ----------
    bins
        Of equal width; those without a pixel are left out.
    error
        Mean distance between what was said and what came, weighted by pixels (the expected
        calibration error).
    unsure_error
        The same over pixels between 5 and 95 %; most others are plain background.
    unsure_share
        How many these are.
    """

    bins: tuple[PixelBin, ...]
    error: float
    unsure_error: float
    unsure_share: float


def pixel_reliability(
    said: Sequence[Floats], truth: Sequence[Floats], groups: Sequence[str]
) -> PixelReliability:
    """Return the reliability of probabilities, one array of any shape for each window.

    Parameters
    ----------
    groups
        The recording of each window.
    """
    group_M, count = numbered(groups)
    all_pixels = _tallies(said, truth, group_M, count, (0.0, 1.0))
    unsure = _tallies(said, truth, group_M, count, _UNSURE)
    pixels = all_pixels.pixels_GB.sum()
    return PixelReliability(
        all_pixels.bins(), all_pixels.error(), unsure.error(),
        float(unsure.pixels_GB.sum() / max(pixels, 1.0)),
    )  # fmt: skip


@dataclass(frozen=True)
class _Tallies:
    """Sums by recording and bin."""

    pixels_GB: NDArray[np.float64]
    said_GB: NDArray[np.float64]
    lit_GB: NDArray[np.float64]

    def error(self) -> float:
        pixels_B = self.pixels_GB.sum(axis=0)
        gap_B = np.abs(self.said_GB.sum(axis=0) - self.lit_GB.sum(axis=0))
        return float(gap_B.sum() / max(pixels_B.sum(), 1.0))

    def bins(self) -> tuple[PixelBin, ...]:
        pixels_B = self.pixels_GB.sum(axis=0)
        recordings, found = len(self.pixels_GB), []
        drawn = [(w @ self.lit_GB, w @ self.pixels_GB) for w in draws(recordings, 0)]
        for b in np.flatnonzero(pixels_B):
            lit = float(self.lit_GB[:, b].sum() / pixels_B[b])
            shares = [lit_RB[:, b] / np.maximum(of_RB[:, b], 1e-9) for lit_RB, of_RB in drawn]
            there = np.concatenate([of_RB[:, b] > 0 for _, of_RB in drawn])
            interval = expanded(lit, np.concatenate(shares)[there], recordings)
            said = float(self.said_GB[:, b].sum() / pixels_B[b])
            found.append(PixelBin(said, interval, float(pixels_B[b] / pixels_B.sum())))
        return tuple(found)


def _tallies(
    said: Sequence[Floats],
    truth: Sequence[Floats],
    group_M: NDArray[np.int64],
    count: int,
    within: tuple[float, float],
) -> _Tallies:
    shape = (count, _BINS)
    pixels, sums, lit = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for said_of, truth_of, g in zip(said, truth, group_M, strict=True):
        said_N, truth_N = said_of.ravel(), truth_of.ravel()
        if within != (0.0, 1.0):
            some_N = (said_N >= within[0]) & (said_N <= within[1])
            said_N, truth_N = said_N[some_N], truth_N[some_N]
        bin_N = np.minimum((said_N * _BINS).astype(int), _BINS - 1)
        pixels[g] += np.bincount(bin_N, minlength=_BINS)
        sums[g] += np.bincount(bin_N, said_N, _BINS)
        lit[g] += np.bincount(bin_N, truth_N, _BINS)
    return _Tallies(pixels, sums, lit)

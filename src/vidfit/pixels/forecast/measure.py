"""Figures of frames that were said, window by window, so that they can be drawn by recording.

- **MSE**: squared differences of brightness in [0, 1], summed over the pixels of a frame, averaged
  over frames, as papers on Moving MNIST and OpenSTL print it.
- **SSIM**: windows of 7 x 7, with the data range 1 that brightness has.
- **Cross-entropy** in nats, summed over the pixels of a frame: the proper score of a probability.
  Of grey pixels it does not fall to zero: what is left is the entropy of the brightness itself.

Shape letters: M windows, A frames ahead, H and W pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Floats
from vidfit.metrics.pictures import ssim
from vidfit.pixels.forecast.forecaster import HALF_LEVEL

Figures = NDArray[np.float64]


@dataclass(frozen=True)
class WindowScores:
    """Figures of each window [M], and the squared error of each of its frames, [M, A]."""

    mse_M: Figures
    ssim_M: Figures
    cross_entropy_M: Figures
    mse_MA: Figures

    def of(self, rows: NDArray[np.int64]) -> WindowScores:
        """Return the figures of some windows."""
        return WindowScores(
            self.mse_M[rows], self.ssim_M[rows], self.cross_entropy_M[rows], self.mse_MA[rows]
        )

    @classmethod
    def of_parts(cls, parts: dict[int, WindowScores]) -> WindowScores:
        """Return the figures of windows that were measured one by one, by their rows."""
        rows = [parts[row] for row in sorted(parts)]
        return cls(
            np.concatenate([one.mse_M for one in rows]),
            np.concatenate([one.ssim_M for one in rows]),
            np.concatenate([one.cross_entropy_M for one in rows]),
            np.concatenate([one.mse_MA for one in rows]),
        )


def measured(said_MAHW: Floats, truth_MAHW: Floats) -> WindowScores:
    """Return the figures of probabilities beside brightness, both in [0, 1]."""
    parts = {
        row: _of_one(said, truth)
        for row, (said, truth) in enumerate(zip(said_MAHW, truth_MAHW, strict=True))
    }
    return WindowScores.of_parts(parts)


def _of_one(said_AHW: Floats, truth_AHW: Floats) -> WindowScores:
    mse_A = np.square(said_AHW - truth_AHW, dtype=np.float64).sum(axis=(1, 2))
    alike = ssim(truth_AHW[..., None], said_AHW[..., None], 1.0, "uniform")
    nats = cross_entropy(said_AHW, truth_AHW).sum(axis=(1, 2))
    return WindowScores(
        np.array([mse_A.mean()]), np.array([alike.mean()]), np.array([nats.mean()]), mse_A[None]
    )


def cross_entropy(said: Floats, truth: Floats) -> Figures:
    """Return the cross-entropy of each pixel in nats; nothing is said surer than 8 bits tell."""
    said_64 = np.asarray(said, np.float64).clip(HALF_LEVEL, 1 - HALF_LEVEL)
    true_64 = np.asarray(truth, np.float64)
    nats: Figures = -(true_64 * np.log(said_64) + (1 - true_64) * np.log1p(-said_64))
    return nats


def entropy(truth: Floats) -> Figures:
    """Return the entropy of each pixel's brightness in nats: cross-entropy falls no further."""
    return cross_entropy(truth, truth)


def surprise(said: Floats, truth: Floats) -> Figures:
    """Return by how much cross-entropy exceeds the entropy of the brightness, pixel by pixel."""
    return np.maximum(cross_entropy(said, truth) - entropy(truth), 0.0)

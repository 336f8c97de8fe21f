"""Forecasts without a network, which a network has to beat: black, the mean picture, copy-last.

Shape letters: M windows, S frames of a window, A frames ahead, H and W pixels.
"""

from __future__ import annotations

import numpy as np

from vidfit.contracts import Floats, Frames
from vidfit.pixels.forecast.measure import cross_entropy
from vidfit.pixels.forecast.trainee import DrawWindows

BLACK, MEAN, COPY = "black", "mean", "copy-last"
_DRAWS, _BATCH = 16, 32


def unit(frames: Frames) -> Floats:
    """Return brightness in [0, 1] of 8 bits."""
    return frames.astype(np.float32) / np.float32(255)


def baseline(name: str, windows_MSHW: Frames, seen: int, mean_HW: Floats) -> Floats:
    """Return what a baseline says of the frames ahead, [M, A, H, W]."""
    ahead = windows_MSHW.shape[1] - seen
    shape = (len(windows_MSHW), ahead, *windows_MSHW.shape[2:])
    if name == COPY:
        return np.broadcast_to(unit(windows_MSHW[:, seen - 1 : seen]), shape)
    return np.broadcast_to(mean_HW if name == MEAN else np.zeros_like(mean_HW), shape)


def mean_picture(draw: DrawWindows, seed: int = 0) -> Floats:
    """Return the mean of 512 windows that are learned from, [H, W]."""
    rng = np.random.default_rng(seed)
    means = [draw(rng, _BATCH).mean(axis=(0, 1), dtype=np.float64) for _ in range(_DRAWS)]
    picture: Floats = (np.mean(means, axis=0) / 255).astype(np.float32)
    return picture


def copying_pays(draw: DrawWindows, seen: int, mean_HW: Floats, seed: int = 1) -> bool:
    """Return whether the last frame says more of those ahead than the mean picture does.

    Of windows that are learned from, by cross-entropy.
    """
    windows = draw(np.random.default_rng(seed), 2 * _BATCH)
    truth = unit(windows[:, seen:])
    nats = {
        name: cross_entropy(baseline(name, windows, seen, mean_HW), truth).mean()
        for name in (COPY, MEAN)
    }
    return bool(nats[COPY] < nats[MEAN])

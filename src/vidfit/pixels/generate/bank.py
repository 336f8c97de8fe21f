"""Clips in memory as numbers, and batches of them.

Shape letters: N clips, B of a batch, T frames, S side, C = 3 T channels, K classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from vidfit.contracts import Frames, Indices


@dataclass(frozen=True, eq=False)
class ClipBank:
    """Clips of one size.

    Parameters
    ----------
    frames_NTSSC
        uint8 RGB.
    labels_N
        Number of the class of each, -1 without one.
    groups
        Recording of each.
    names
        Of each, as reports have it.
    """

    frames_NTSSC: Frames
    labels_N: Indices
    groups: tuple[str, ...]
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels_N)

    def rows(self, rows: Indices) -> ClipBank:
        """Return some of the clips."""
        return ClipBank(
            self.frames_NTSSC[rows],
            self.labels_N[rows],
            tuple(self.groups[row] for row in rows),
            tuple(self.names[row] for row in rows),
        )

    def batch(self, rng: np.random.Generator, size: int, classes: int) -> tuple[Tensor, Tensor]:
        """Return clips [B, C, S, S] drawn at random, half of them mirrored, and classes [B, K]."""
        rows_B = rng.integers(len(self), size=size)
        clips_BCSS = as_numbers(self.frames_NTSSC[rows_B])
        mirrored_B = torch.from_numpy(rng.random(size) < 0.5)
        clips_BCSS[mirrored_B] = clips_BCSS[mirrored_B].flip(3)
        return clips_BCSS, one_hot(self.labels_N[rows_B], classes)


def as_numbers(frames_BTSSC: Frames) -> Tensor:
    """Return clips as float32 [B, C, S, S] from -1 to 1, the frames as channels."""
    batch, frames, height, width, _ = frames_BTSSC.shape
    moved = np.ascontiguousarray(frames_BTSSC.transpose(0, 1, 4, 2, 3))
    return torch.from_numpy(moved).reshape(batch, frames * 3, height, width).float() / 127.5 - 1


def as_frames(clips_BCSS: Tensor) -> Frames:
    """Return clips as uint8 [B, T, S, S, 3]."""
    batch, channels, height, width = clips_BCSS.shape
    whole = ((clips_BCSS + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    frames: Frames = whole.reshape(batch, channels // 3, 3, height, width).numpy()
    return np.ascontiguousarray(frames.transpose(0, 1, 3, 4, 2))


def one_hot(labels_B: Indices, classes: int) -> Tensor:
    """Return classes as [B, K]; a clip without a label has zeros."""
    labels = torch.from_numpy(np.asarray(labels_B, np.int64))
    if not classes:
        return torch.zeros(len(labels), 0)
    return functional.one_hot(labels.clamp(min=0), classes).float() * (labels >= 0)[:, None]

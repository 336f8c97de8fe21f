"""Laws of memory: what grows with the micro-batch, what processes share, what the system sees.

The peak of a step is the largest of sums that each grow evenly with the micro-batch: affine,
but for a bend at small ones. So two runs tell of all others.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vidfit.planning.child import write_text
from vidfit.plans import Layout, Machine, Recipe

STATES = {"adamw": 2, "sgd": 1}
"""Copies of the learned weights in the optimizer's state."""

CUDA_CONTEXT_BYTES = 600 * 2**20
"""Of a process on a graphics processor before its first tensor; of the order that drivers take."""

FACTORS = (1.0, 3.0)
"""Of resident memory over tensors; small tensors among large ones leave holes."""

_KEPT_PAIRS = 40
_TELLING_BYTES = 32 * 2**20


@dataclass(frozen=True, slots=True)
class Line:
    """A value that grows evenly: ``start + slope * x``."""

    start: float
    slope: float

    def at(self, x: float) -> float:
        """Return the value."""
        return self.start + self.slope * x

    def most(self, limit: float) -> int:
        """Return the largest whole x that stays within a limit; 0 when none does."""
        if self.slope <= 0:
            return 0 if self.start > limit else 2**31
        return max(0, int((limit - self.start) / self.slope))


def line(xs: Sequence[float], ys: Sequence[float]) -> Line:
    """Return the line through the first and the last point, never falling."""
    slope = max(0.0, (ys[-1] - ys[0]) / (xs[-1] - xs[0]))
    return Line(ys[-1] - slope * xs[-1], slope)


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes that do not depend on the micro-batch, of one process that holds everything.

    Parameters
    ----------
    weights_bytes, learned_bytes
        All weights and buffers; those that learn, which have gradients and optimizer state.
    block_bytes
        The largest block of the encoder; 0 without blocks.
    clip_bytes
        What the network sees of one clip.
    """

    weights_bytes: int
    learned_bytes: int
    block_bytes: int
    blocks: int
    clip_bytes: int

    def state_bytes(self, recipe: Recipe) -> int:
        """Return gradients and the optimizer's state."""
        return (1 + STATES[recipe.optimizer]) * self.learned_bytes

    def copies_bytes(self, recipe: Recipe) -> int:
        """Return the copies that training keeps: the best weights, and their average."""
        return self.weights_bytes * (2 if recipe.ema else 1)


def rank_bytes(
    peak_bytes: float, sizes: Sizes, recipe: Recipe, layout: Layout, machine: Machine
) -> int:
    """Return the peak of one process among several, from that of one that stands alone.

    DDP keeps everything in each process, and a copy of the gradients in its buckets. FSDP keeps a
    share of weights, gradients and optimizer state (ZeRO stage 3; Rajbhandari et al. 2020), and
    the largest block whole with its gradient, twice, as the next is gathered in advance. The best
    weights lie whole with the first process, in the host's memory.
    """
    best = sizes.weights_bytes
    alone = peak_bytes - (best if machine.device == "cuda" else 0)
    if layout.sharding == "none" or layout.processes == 1:
        return int(alone)
    if layout.sharding == "ddp":
        return int(alone + sizes.learned_bytes)
    shared = sizes.weights_bytes + sizes.state_bytes(recipe)
    shared += sizes.weights_bytes if recipe.ema else 0
    whole = 2 * 2 * (sizes.block_bytes or sizes.weights_bytes)
    return int(max(0.0, alone - shared) + shared / layout.processes + whole)


@dataclass(frozen=True, slots=True)
class Resident:
    """What the system counts for a process, from the peak of its tensors.

    ``base_bytes`` is code, interpreter and libraries; ``factor`` what the allocator loses.
    """

    base_bytes: float = 450 * 2**20
    factor: float = 1.15

    def of(self, peak_bytes: float) -> float:
        """Return resident bytes."""
        return self.base_bytes + self.factor * peak_bytes

    def room(self, limit_bytes: float) -> float:
        """Return the peak of tensors that a limit on the process leaves room for."""
        return (limit_bytes - self.base_bytes) / self.factor


def tells_factor(pairs: Sequence[tuple[float, float]]) -> bool:
    """Whether runs differ enough in size to tell what the allocator loses."""
    peaks = [peak for peak, _ in pairs]
    return len(peaks) > 1 and max(peaks) - min(peaks) > _TELLING_BYTES


def learned_resident(pairs: Sequence[tuple[float, float]]) -> Resident:
    """Fit what was resident, by the peak of tensors.

    A line by least squares, with its factor held in `FACTORS`, then raised until no run that was
    seen lies above it. Runs that hardly differ in size leave the factor as it is in `Resident`.
    """
    if not pairs:
        return Resident()
    peaks, resident = np.array(pairs, dtype=float).T
    factor = Resident().factor
    if tells_factor(pairs):
        factor = float(np.clip(np.polyfit(peaks, resident, 1)[0], *FACTORS))
    return Resident(float((resident - factor * peaks).max()), factor)


def read_pairs(folder: Path) -> list[tuple[float, float]]:
    """Return predicted peaks and resident bytes of earlier runs on this machine."""
    try:
        found = json.loads((folder / "resident.json").read_text(encoding="utf-8"))
        return [(float(peak), float(resident)) for peak, resident in found]
    except (FileNotFoundError, ValueError, TypeError):  # none yet, or damaged: they come again
        return []


def keep_pairs(folder: Path, pairs: Sequence[tuple[float, float]]) -> None:
    """Write the latest runs."""
    write_text(folder / "resident.json", json.dumps(list(pairs)[-_KEPT_PAIRS:]))

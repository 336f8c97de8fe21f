"""Laws of memory: what grows with the micro-batch, what processes share, what the system sees.

The peak of a step is the largest of sums that each grow evenly with the micro-batch: affine,
but for a bend at small ones. So two runs tell of all others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vidfit.plans import Layout, Machine, Recipe

STATES = {"adamw": 2, "sgd": 1}
"""Copies of the learned weights in the optimizer's state."""

CUDA_CONTEXT_BYTES = 600 * 2**20
"""Of a process on a graphics processor before its first tensor; of the order that drivers take."""


LOST: Mapping[bool, float] = {False: 1.35, True: 2.4}
"""By checkpointing, how much resident memory grows with that of tensors: the heap has holes.

Medians over the networks of `benchmarks.plan_memory`. Computing activations again frees and takes
blocks of many sizes: of what it adds, more lies in holes than lives.
"""


@dataclass(frozen=True, slots=True)
class Line:
    """A value that grows evenly: ``start + slope * x``."""

    start: float
    slope: float

    def at(self, x: float) -> float:
        """Return the value."""
        return self.start + self.slope * x


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
    """

    weights_bytes: int
    learned_bytes: int
    block_bytes: int
    blocks: int

    def state_bytes(self, recipe: Recipe) -> int:
        """Return gradients and the optimizer's state."""
        return (1 + STATES[recipe.optimizer]) * self.learned_bytes


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
    """What a process holds, by the tensors in it; the defaults are usual.

    Parameters
    ----------
    base_bytes
        Before training: interpreter and libraries.
    beside_bytes
        Code that training loads, and what kernels take within an operation.
    lost
        By how much resident memory grows with that of tensors.
    """

    base_bytes: float = 250 * 2**20
    beside_bytes: float = 200 * 2**20
    lost: float = LOST[False]

    def taken(self, peak_bytes: float) -> float:
        """Return what training takes, from the peak of its tensors."""
        return self.beside_bytes + self.lost * peak_bytes

    def turned(self, peak_bytes: float, lost: float) -> Resident:
        """Return one that takes as much at a peak, and grows otherwise from there."""
        return Resident(self.base_bytes, self.taken(peak_bytes) - lost * peak_bytes, lost)

"""What a training run is given, where it stands, and what it comes to."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from vidfit.contracts import Indices
from vidfit.networks.step import classified
from vidfit.progress import SILENT, Progress
from vidfit.training.clipset import ClipSet
from vidfit.training.epoch import Epoch


@dataclass(frozen=True)
class Run:
    """Where a run reads, writes and tells.

    Parameters
    ----------
    learn_M, choose_M
        Rows of the clip set that are learned from, and those that early stopping and the choice
        of an epoch look at (which may be none).
    folder
        Of checkpoints; ``None`` writes none.
    stop
        Asked at each step whether to write a checkpoint and end.
    look
        Called after each epoch.
    unlabelled_M
        Rows without a label, which the average of the weights teaches where the recipe asks for it
        (`vidfit.training.teacher`).
    objective
        What a network gives for a micro-batch, targets [B, K] (zeros for clips that do not
        count) and the clips of the whole step -> the micro-batch's share of the step's mean loss.
    """

    clips: ClipSet
    learn_M: Indices
    choose_M: Indices
    folder: Path | None = None
    stop: Callable[[], bool] = lambda: False
    look: Callable[[Epoch], None] = lambda epoch: None
    objective: Callable[[Tensor, Tensor, float], Tensor] = classified
    progress: Progress = SILENT
    unlabelled_M: Indices = field(default_factory=lambda: np.zeros(0, np.int64))


@dataclass(frozen=True)
class TrainedWeights:
    """Weights of the best epoch (on the first process), and what each epoch did."""

    weights: Mapping[str, Tensor]
    history: tuple[Epoch, ...]
    best_epoch: int
    finished: bool


@dataclass
class State:
    """Where a run stands, as far as it is no tensor."""

    epoch: int = 0
    offset: int = 0
    step: int = 0
    factor: float = 1.0
    best: float = math.inf
    best_epoch: int = -1
    loss_sum: float = 0.0
    taught: float = 0.0
    history: list[Epoch] = field(default_factory=list)


class Average:
    """An exponential moving average of a module's parameters and running statistics.

    Parameters
    ----------
    decay
        Share of the average that a step keeps; smaller in the first steps, so that the random
        start is soon forgotten: ``min(decay, (1 + n) / (10 + n))``.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self.tensors = {name: t.detach().clone() for name, t in averaged(module).items()}

    @torch.no_grad()
    def update(self, module: nn.Module, steps: int) -> None:
        """Move towards the weights after a number of steps."""
        decay = min(self.decay, (1 + steps) / (10 + steps))
        for name, tensor in averaged(module).items():
            self.tensors[name].lerp_(tensor.detach(), 1 - decay)

    @contextmanager
    def used_by(self, module: nn.Module) -> Iterator[None]:
        """Let the module compute with the average for a while."""
        self._swap(module)
        try:
            yield
        finally:
            self._swap(module)

    @torch.no_grad()
    def _swap(self, module: nn.Module) -> None:
        for name, tensor in averaged(module).items():
            kept = tensor.detach().clone()
            tensor.copy_(self.tensors[name])
            self.tensors[name] = kept


def averaged(module: nn.Module) -> dict[str, Tensor]:
    """Return what is averaged: parameters that learn, and buffers of real numbers."""
    learned = {name: p for name, p in module.named_parameters() if p.requires_grad}
    buffers = {name: b for name, b in module.named_buffers() if b.is_floating_point()}
    return {**learned, **buffers}

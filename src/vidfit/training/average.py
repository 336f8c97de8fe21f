"""The moving average of weights (Polyak and Juditsky 1992), which is what is kept and used."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


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

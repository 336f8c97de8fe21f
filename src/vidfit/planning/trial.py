"""Optimizer steps as training takes them, and what they take of memory and time.

`vidfit.training` holds one micro-batch at a time, the gradients that are added up, and the best
weights so far; so do these steps. Shape letters: B clips of a micro-batch, K classes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from vidfit.networks.clips import Clips
from vidfit.networks.step import classified, make_optimizer
from vidfit.plans import Layout, Precision, Recipe

STEPS = 2
"""The optimizer's state is there from the second step on."""

_TYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Trainee:
    """What is to be trained: ``forward`` of the network maps clips to logits [B, K].

    Parameters
    ----------
    batch
        Gives a micro-batch of a number of clips, of the real shapes.
    """

    network: nn.Module
    batch: Callable[[int], Clips]
    classes: int


@dataclass
class Times:
    """Seconds of each micro-batch, and of each update of the weights."""

    micro: list[float] = field(default_factory=list)
    update: list[float] = field(default_factory=list)


def take_steps(trainee: Trainee, recipe: Recipe, layout: Layout) -> Times:
    """Take `STEPS` optimizer steps of a layout, in one process."""
    network = trainee.network.train()
    optimizer = make_optimizer(network, recipe)
    copies = _kept_copies(network, recipe)
    times = Times()
    for _ in range(STEPS):
        for clips, target_BK in _micros(trainee, layout):
            started = time.perf_counter()
            with _autocast(layout.precision):
                logits_BK = network(clips)
            loss = classified(logits_BK, target_BK, float(layout.batch_clips))
            del logits_BK
            loss.backward()  # type: ignore[no-untyped-call]
            times.micro.append(time.perf_counter() - started)
            del clips, loss
        started = time.perf_counter()
        _update(network, optimizer, recipe)
        times.update.append(time.perf_counter() - started)
    del copies
    return times


def _update(network: nn.Module, optimizer: torch.optim.Optimizer, recipe: Recipe) -> None:
    if recipe.clip_norm:
        learned = [p for p in network.parameters() if p.requires_grad]
        torch.nn.utils.clip_grad_norm_(learned, recipe.clip_norm)
    optimizer.step()
    optimizer.zero_grad()


def _micros(trainee: Trainee, layout: Layout) -> Iterator[tuple[Clips, Tensor]]:
    for _ in range(layout.accumulation):
        yield (
            trainee.batch(layout.micro_batch),
            torch.full((layout.micro_batch, trainee.classes), 1.0 / trainee.classes),
        )


def _kept_copies(network: nn.Module, recipe: Recipe) -> list[Tensor]:
    """Return the copies that training keeps: the best weights, and their moving average."""
    best = [t.detach().clone() for t in (*network.parameters(), *network.buffers())]
    if not recipe.ema:
        return best
    learned = [p for p in network.parameters() if p.requires_grad]
    averaged = [*learned, *(b for b in network.buffers() if b.is_floating_point())]
    return best + [t.detach().clone() for t in averaged]


def _autocast(precision: Precision) -> AbstractContextManager[object]:
    low = _TYPES.get(precision)
    return torch.autocast("cpu", dtype=low or torch.bfloat16, enabled=low is not None)

"""A forecaster that learns: half by being told each frame before the next, half on its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from vidfit.contracts import Frames
from vidfit.pixels.forecast.forecaster import FrameForecaster
from vidfit.pixels.learn import Descent
from vidfit.training.checkpoint import Saved

_TURNS = 8

DrawWindows = Callable[[np.random.Generator, int], Frames]
"""Draws so many windows [B, S, H, W] to learn from."""


@dataclass(frozen=True)
class ForecastRecipe:
    """How a forecaster learns.

    Parameters
    ----------
    batch
        Windows a step.
    rate
        Highest learning rate of AdamW.
    """

    batch: int = 32
    rate: float = 2e-3


class ForecastTrainee:
    """A forecaster under AdamW; at first its frames are told, later it sees what it said.

    Both kinds of step take turns as long as steps are not counted, in the share that they have
    later: so what is measured is what training costs.
    """

    def __init__(
        self, network: FrameForecaster, draw: DrawWindows, seen: int, recipe: ForecastRecipe
    ) -> None:
        self.network = network
        self._draw, self._seen, self._batch = draw, seen, recipe.batch
        self._steps = 0
        self._descent = Descent(network, self._loss, recipe.rate)

    def step(self, rng: np.random.Generator, done: float) -> float:
        """Take a step and return its loss."""
        loss = self._descent.step(rng, done)
        self._steps += 1
        return loss

    def state(self) -> Saved:
        """Return the weights, the optimizer's state, and the number of steps."""
        saved = self._descent.state()
        return Saved(saved.tensors, {**saved.facts, "steps": self._steps})

    def restore(self, saved: Saved) -> None:
        """Take back what `state` returned."""
        self._descent.restore(saved)
        self._steps = int(saved.facts["steps"])

    def _loss(self, rng: np.random.Generator, done: float) -> Tensor:
        if not done:
            done = (self._steps % _TURNS + 0.5) / _TURNS
        frames = torch.from_numpy(self._draw(rng, self._batch)).float() / 255
        return self.network.loss(frames, self._seen, done)

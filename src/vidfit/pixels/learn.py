"""Training within a budget of the processor's time, in steps that can be interrupted and go on.

How many steps the budget pays is measured over the first of them, and then stands: the learning
rate depends on the share of steps that are done, and a run that was interrupted goes on to the bit.
Random numbers depend on the seed and the step alone.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from vidfit.errors import NotEnoughDataError, StoreError
from vidfit.progress import SILENT, Progress
from vidfit.schedule import rate_factor
from vidfit.training.checkpoint import Saved, gathered, read_checkpoint, scatter, write_checkpoint

_WARMING, _MEASURED = 2, 8
"""Steps that are not measured, as buffers are made, and steps that are."""

NEVER: Callable[[], bool] = lambda: False  # noqa: E731  (a constant)


@dataclass(frozen=True)
class StepBudget:
    """What training may take.

    Parameters
    ----------
    cpu_seconds
        Of the processor, over all its cores.
    steps
        So many steps, whatever they take; ``None`` counts them by ``cpu_seconds``.
    checkpoint_seconds
        A checkpoint is written as often, by the clock.
    """

    cpu_seconds: float = 600.0
    steps: int | None = None
    checkpoint_seconds: float = 60.0


class PixelTrainee(Protocol):
    """What learns step by step: one network, or several that play against each other."""

    def step(self, rng: np.random.Generator, done: float) -> float:
        """Take a step and return its loss.

        Parameters
        ----------
        rng
            Of this step; `torch`'s is seeded for it, too.
        done
            Share of the steps that are over, in [0, 1).
        """
        ...

    def state(self) -> Saved:
        """Return all that a later step depends on."""
        ...

    def restore(self, saved: Saved) -> None:
        """Take back what `state` returned."""
        ...


@dataclass(frozen=True)
class Learned:
    """The loss of each step, and the seconds of the processor that all of them took."""

    losses: tuple[float, ...]
    cpu_seconds: float


class Descent:
    """One network under AdamW (Loshchilov and Hutter 2019), its gradient clipped at norm 1.

    Parameters
    ----------
    loss
        Called with the random numbers of the step and the share of steps that are over.
    rate
        Highest learning rate; it rises over ``warmup_share`` of the steps, then falls along half
        a cosine.
    """

    def __init__(
        self,
        network: nn.Module,
        loss: Callable[[np.random.Generator, float], Tensor],
        rate: float,
        *,
        warmup_share: float = 0.05,
        decay: float = 0.0,
    ) -> None:
        self.network = network
        self._loss, self._rate, self._warmup_share = loss, rate, warmup_share
        learned = [p for p in network.parameters() if p.requires_grad]
        self._optimizer = torch.optim.AdamW(learned, lr=rate, weight_decay=decay)

    def step(self, rng: np.random.Generator, done: float) -> float:
        """Take a step and return its loss."""
        for group in self._optimizer.param_groups:
            group["lr"] = self._rate * max(rate_factor(done, self._warmup_share), 1e-3)
        loss = self._loss(rng, done)
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self._optimizer.step()
        return float(loss.detach())

    def state(self) -> Saved:
        """Return the weights, and the optimizer's state."""
        tensors, groups = gathered(self.network, self._optimizer)
        return Saved(tensors, {"groups": groups})

    def restore(self, saved: Saved) -> None:
        """Take back what `state` returned."""
        scatter(saved, self.network, self._optimizer, saved.facts["groups"])


def learn(  # noqa: PLR0913  (a run, and what is told of it)
    trainee: PixelTrainee,
    budget: StepBudget,
    *,
    run: str,
    seed: int = 0,
    folder: Path | None = None,
    stage: str = "train",
    stop: Callable[[], bool] = NEVER,
    progress: Progress = SILENT,
    each: Callable[[int], None] = lambda step: None,
) -> Learned | None:
    """Train in place.

    Parameters
    ----------
    run
        Names the data and the recipe: a folder with a checkpoint of another run is refused.
    folder
        Of checkpoints, from the last of which an interrupted run goes on; ``None`` writes none.
    stage
        What is shown beside the progress.
    stop
        Asked at each step whether to write a checkpoint and end.
    each
        Called after each step with the number of steps that are done, such as to show samples.

    Returns
    -------
    Learned
        ``None`` when ``stop`` asked it to pause.

    Raises
    ------
    StoreError
        If the folder holds a checkpoint of another run, or cannot be written.
    NotEnoughDataError
        If the loss is no number.
    """
    place = _Place(folder, run, trainee)
    state = place.resume()
    state.steps = budget.steps or state.steps
    clock = _Clock(state.cpu_seconds)
    progress.start(stage, state.steps or 0)
    progress.advance(len(state.losses))
    written = time.monotonic()
    while state.steps is None or len(state.losses) < state.steps:
        state.losses.append(_step(trainee, state, seed))
        done = len(state.losses)
        if state.steps is not None:
            progress.advance()
        elif steps := clock.steps(done, budget.cpu_seconds):
            state.steps = steps
            progress.start(stage, steps)
            progress.advance(done)
        if done % 100 == 0:
            progress.note(f"step {done} of {state.steps}: loss {np.mean(state.losses[-100:]):.4g}")
        each(done)
        paused = stop()
        if paused or time.monotonic() - written > budget.checkpoint_seconds:
            place.write(replace(state, cpu_seconds=clock.spent))
            written = time.monotonic()
        if paused:
            return None
    place.write(replace(state, cpu_seconds=clock.spent))
    return Learned(tuple(state.losses), clock.spent)


def _step(trainee: PixelTrainee, state: _State, seed: int) -> float:
    """Take the step that comes next; return its loss."""
    done = len(state.losses)
    torch.manual_seed(1_000_003 * seed + done)
    share = done / state.steps if state.steps else 0.0
    loss = trainee.step(np.random.default_rng([seed, done]), share)
    if not math.isfinite(loss):
        raise NotEnoughDataError(f"the loss is no number at step {done}; train at a lower rate")
    return loss


class _Clock:
    """Seconds of the processor that a run took, and how many steps a budget pays."""

    def __init__(self, before: float) -> None:
        self._before, self._began, self._warmed = before, time.process_time(), 0.0

    @property
    def spent(self) -> float:
        """What was spent before an interruption, and since."""
        return self._before + time.process_time() - self._began

    def steps(self, done: int, cpu_seconds: float) -> int | None:
        """Return how many steps the budget pays, as soon as enough of them are measured."""
        if done == _WARMING:
            self._warmed = self.spent
        if done != _WARMING + _MEASURED:
            return None
        each_seconds = max((self.spent - self._warmed) / _MEASURED, 1e-6)
        return max(done, done + round((cpu_seconds - self.spent) / each_seconds))


@dataclass
class _State:
    losses: list[float]
    steps: int | None
    cpu_seconds: float


@dataclass(frozen=True)
class _Place:
    """Where a run writes checkpoints, if anywhere."""

    folder: Path | None
    run: str
    trainee: PixelTrainee

    def resume(self) -> _State:
        """Return what is done; the trainee goes on."""
        saved = read_checkpoint(self.folder) if self.folder else None
        if saved is None:
            return _State([], None, 0.0)
        facts: Mapping[str, Any] = saved.facts
        if facts.get("run") != self.run:
            raise StoreError(
                f"{self.folder} holds a checkpoint of other clips, or another recipe; choose "
                "another folder with --output, or remove it"
            )
        self.trainee.restore(Saved(saved.tensors, facts["trainee"]))
        losses = [float(loss) for loss in facts["losses"]]
        return _State(losses, facts["steps"], float(facts["cpu_seconds"]))

    def write(self, state: _State) -> None:
        """Write a checkpoint, unless there is no folder."""
        if self.folder is None:
            return
        saved = self.trainee.state()
        facts = {
            "run": self.run,
            "losses": state.losses,
            "steps": state.steps,
            "cpu_seconds": state.cpu_seconds,
            "trainee": dict(saved.facts),
        }
        write_checkpoint(self.folder, len(state.losses), Saved(saved.tensors, facts))

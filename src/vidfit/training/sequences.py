"""The loop of a language model: windows of one long sequence of tokens, read from disk.

What is learned depends on tokens, recipe and steps alone: each step seeds its windows and its
random numbers, so that a run that was interrupted goes on as if nothing had been. Memory does not
grow with the sequence.

Shape letters: B windows of a step, N tokens of a window, V vocabulary.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from vidfit.errors import NotEnoughDataError, StoreError, VidfitError
from vidfit.networks.step import make_optimizer
from vidfit.plans import Recipe
from vidfit.progress import SILENT, Progress
from vidfit.schedule import rate_factor
from vidfit.training.checkpoint import (
    Saved,
    gathered,
    read_checkpoint,
    scatter,
    write_checkpoint,
)
from vidfit.training.loop import SAVE_SECONDS
from vidfit.training.state import Average, averaged

LOOKS = 10
"""How often in a run tokens that are not learned from are looked at."""

_TIMED = 3


@dataclass(frozen=True)
class SequenceRun:
    """What a language model learns from, and for how long.

    Parameters
    ----------
    tokens_N
        All that is learned from, documents one after the other; an array on disk.
    choose_N
        Tokens that are not learned from, by which the best weights are kept; may be empty.
    steps, windows, length
        Steps in all, windows of a step, tokens of a window.
    facts
        What else the run is, plain values: a checkpoint of another run is refused.
    """

    tokens_N: NDArray[Any]
    choose_N: NDArray[Any]
    recipe: Recipe
    steps: int
    windows: int = 16
    length: int = 256
    folder: Path | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    stop: Callable[[], bool] = lambda: False
    progress: Progress = SILENT


@dataclass(frozen=True)
class SequenceLook:
    """A look at tokens that are not learned from: the step, nats a token learned, and here."""

    step: int
    learned_nats: float
    nats: float


@dataclass(frozen=True)
class TrainedSequences:
    """The best weights, what each look found, the processor's seconds, whether it is all."""

    weights: Mapping[str, Tensor]
    looks: tuple[SequenceLook, ...]
    cpu_seconds: float
    finished: bool


def train_sequences(network: nn.Module, run: SequenceRun) -> TrainedSequences:
    """Train a network that maps tokens [B, N] to logits [B, N, V]; go on from a checkpoint.

    Raises
    ------
    NotEnoughDataError
        If there are fewer tokens than a window.
    StoreError
        If a checkpoint is of another run, is damaged or cannot be written.
    VidfitError
        If the loss is no longer a number.
    """
    if len(run.tokens_N) <= run.length:
        raise NotEnoughDataError(
            f"{len(run.tokens_N)} tokens cannot fill a window of {run.length}; give more texts"
        )
    learner = _Learner(network, run)
    learner.resume()
    run.progress.start("learn", run.steps)
    run.progress.advance(learner.step)
    while learner.step < run.steps:
        learner.one()
        run.progress.advance()
        if learner.step % max(run.steps // LOOKS, 1) == 0 or learner.step == run.steps:
            learner.look()
        if run.stop() and learner.step < run.steps:
            break
    learner.save()
    return learner.result()


class _Learner:
    """The parts of a run that change."""

    def __init__(self, network: nn.Module, run: SequenceRun) -> None:
        self.network, self.run = network, run
        self.optimizer = make_optimizer(network, run.recipe)
        self.average = Average(network, run.recipe.ema) if run.recipe.ema else None
        self.step, self.loss_sum, self.since = 0, 0.0, 0
        self.looks: list[SequenceLook] = []
        self.best: dict[str, Tensor] = {}
        self.saved_at = time.monotonic()
        self.began, self.cpu_before = time.process_time(), 0.0

    @property
    def cpu_seconds(self) -> float:
        """What learning took of the processor, before an interrupt included."""
        return self.cpu_before + time.process_time() - self.began

    def result(self) -> TrainedSequences:
        """Return what the run came to."""
        whole = self.step == self.run.steps
        return TrainedSequences(self.best, tuple(self.looks), self.cpu_seconds, whole)

    def one(self) -> None:
        """Take a step."""
        run, recipe = self.run, self.run.recipe
        self.network.train()
        torch.manual_seed(seed_of(recipe.seed, self.step))
        factor = rate_factor((self.step + 0.5) / run.steps, recipe.warmup_share)
        for group in self.optimizer.param_groups:
            group["lr"] = recipe.learning_rate * factor
        loss = nats(self.network, windows(run.tokens_N, run, self.step))
        loss.backward()  # type: ignore[no-untyped-call]
        if recipe.clip_norm:
            nn.utils.clip_grad_norm_(self.network.parameters(), recipe.clip_norm)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.step, self.since = self.step + 1, self.since + 1
        self.loss_sum += float(loss.detach())
        if self.average:
            self.average.update(self.network, self.step)
        if time.monotonic() - self.saved_at > SAVE_SECONDS:
            self.save()

    def look(self) -> None:
        """Look at what is not learned from; keep the weights if they are the best so far."""
        learned = self.loss_sum / self.since
        self.loss_sum, self.since = 0.0, 0
        with self.average.used_by(self.network) if self.average else nullcontext():
            found = mean_nats(self.network, self.run.choose_N, self.run.length)
            if not math.isfinite(learned):
                raise VidfitError(
                    f"training diverged at step {self.step}: its loss is {learned:.3g}; lower the "
                    "learning rate"
                )
            before = min((look.nats for look in self.looks), default=math.inf)
            if math.isnan(found) or found < before:
                self.best = {n: t.detach().clone() for n, t in self.network.state_dict().items()}
        self.looks.append(SequenceLook(self.step, learned, found))

    def save(self) -> None:
        """Write a checkpoint."""
        self.saved_at = time.monotonic()
        if self.run.folder is None:
            return
        tensors, groups = gathered(self.network, self.optimizer)
        if self.average:
            tensors |= {f"average/{n}": t for n, t in self.average.tensors.items()}
        tensors |= {f"best/{n}": t for n, t in self.best.items()}
        state = {
            "run": self._is(),
            "optimizer": groups,
            "looks": [asdict(look) for look in self.looks],
            "loss": [self.loss_sum, self.since],
            "cpu_seconds": self.cpu_seconds,
        }
        write_checkpoint(self.run.folder, self.step, Saved(tensors, state))

    def resume(self) -> None:
        """Go on from the newest checkpoint, if there is one."""
        saved = read_checkpoint(self.run.folder) if self.run.folder else None
        if saved is None:
            return
        if saved.facts["run"] != self._is():
            raise StoreError(
                f"the checkpoint in {self.run.folder} is of another run; choose another --output, "
                "or remove it to start anew"
            )
        scatter(saved, self.network, self.optimizer, saved.facts["optimizer"])
        self.step, (self.loss_sum, self.since) = int(saved.facts["step"]), saved.facts["loss"]
        self.looks = [SequenceLook(**look) for look in saved.facts["looks"]]
        self.best, self.cpu_before = saved.part("best"), float(saved.facts["cpu_seconds"])
        if self.average:
            self.average.tensors = {n: t.clone() for n, t in saved.part("average").items()}

    def _is(self) -> dict[str, Any]:
        run = self.run
        recipe = asdict(run.recipe)
        recipe["batch_schedule"] = [list(pair) for pair in run.recipe.batch_schedule]
        return {
            "recipe": recipe, "steps": run.steps, "windows": run.windows, "length": run.length,
            "tokens": len(run.tokens_N), "shapes": {n: list(t.shape) for n, t in
            averaged(self.network).items()}, **run.facts,
        }  # fmt: skip


def windows(tokens_N: NDArray[Any], run: SequenceRun, step: int) -> Tensor:
    """Return the windows of a step, [B, N + 1]: the last token of each is only said."""
    rng = np.random.default_rng((run.recipe.seed, step))
    starts_B = rng.integers(0, len(tokens_N) - run.length, run.windows)
    rows = [np.asarray(tokens_N[s : s + run.length + 1]).astype(np.int64) for s in starts_B]
    return torch.from_numpy(np.stack(rows))


def nats(network: nn.Module, tokens_BN: Tensor) -> Tensor:
    """Return the mean of -log p of each token but the first, by those before it."""
    logits_BNV = network(tokens_BN[:, :-1])
    return functional.cross_entropy(logits_BNV.flatten(0, 1).float(), tokens_BN[:, 1:].flatten())


@torch.no_grad()
def mean_nats(network: nn.Module, tokens_N: NDArray[Any], length: int) -> float:
    """Return the same of a long sequence, in windows that follow one another; ``nan`` of none."""
    network.eval()
    total, count = 0.0, 0
    for start in range(0, len(tokens_N) - 1, length):
        window = np.asarray(tokens_N[start : start + length + 1]).astype(np.int64)
        said = len(window) - 1
        total += float(nats(network, torch.from_numpy(window)[None])) * said
        count += said
    return total / count if count else math.nan


def seconds_a_step(network: nn.Module, run: SequenceRun) -> float:
    """Return the processor's seconds of a step, measured on some that are not kept."""
    timed = _Learner(network, replace(run, folder=None, steps=10**9))
    kept = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    timed.one()
    began = time.process_time()
    for _ in range(_TIMED):
        timed.one()
    network.load_state_dict(kept)
    return (time.process_time() - began) / _TIMED


def seed_of(*numbers: int) -> int:
    """Return one seed of several numbers."""
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])

"""Learn forecasters side by side, and say which is kept.

Shape letters: M windows, S frames of a window, A frames ahead, H and W pixels.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vidfit.contracts import Floats, Frames
from vidfit.documents import to_json
from vidfit.pixels.forecast.baselines import (
    BLACK,
    COPY,
    MEAN,
    baseline,
    copying_pays,
    mean_picture,
    unit,
)
from vidfit.pixels.forecast.candidates import CANDIDATES, ForecastSizes
from vidfit.pixels.forecast.compare import CandidateSaid, ForecastTable, compared
from vidfit.pixels.forecast.forecaster import HALF_LEVEL, FrameForecaster
from vidfit.pixels.forecast.grey import HeldOutWindows
from vidfit.pixels.forecast.trainee import DrawWindows, ForecastRecipe, ForecastTrainee
from vidfit.pixels.learn import NEVER, StepBudget, learn
from vidfit.progress import SILENT, Progress

_ANSWERED = 32
RECIPES = {
    "cnn-lstm-fc": ForecastRecipe(batch=32, rate=3e-3),
    "conv-lstm": ForecastRecipe(batch=16, rate=3e-3),
    "conv-translator": ForecastRecipe(batch=16, rate=2e-3),
}


@dataclass(frozen=True)
class ForecastRun:
    """What is learned from and measured on, and how.

    Parameters
    ----------
    draw
        Draws windows of ``seen`` and ``ahead`` frames to learn from.
    held_out
        Windows of recordings that are not learned from.
    cpu_seconds
        Of the processor, for all networks together; each gets the same.
    steps
        In place of the seconds, for each network.
    networks
        Keys of `CANDIDATES`.
    folder
        Of checkpoints; ``None`` writes none.
    data
        Names the data: a folder with checkpoints of others is refused.
    """

    draw: DrawWindows
    held_out: HeldOutWindows
    side_pixels: int
    seen: int
    ahead: int
    cpu_seconds: float
    steps: int | None = None
    networks: tuple[str, ...] = tuple(CANDIDATES)
    folder: Path | None = None
    data: str = ""
    seed: int = 0


@dataclass(frozen=True)
class LearnedForecaster:
    """A network that was trained.

    Parameters
    ----------
    losses
        By step.
    cpu_seconds
        That training took.
    """

    sizes: ForecastSizes
    network: FrameForecaster
    losses: tuple[float, ...]
    cpu_seconds: float

    @property
    def parameters(self) -> int:
        """How many numbers are learned."""
        return sum(one.numel() for one in self.network.parameters())


@dataclass(frozen=True)
class FittedForecasters:
    """All networks, what was measured of them, and what the chosen one said of the windows."""

    learned: dict[str, LearnedForecaster]
    table: ForecastTable
    logits_MAHW: Floats
    mean_HW: Floats


def fit_forecasters(
    run: ForecastRun, stop: Callable[[], bool] = NEVER, progress: Progress = SILENT
) -> FittedForecasters | None:
    """Train each network, answer the held-out windows, compare; ``None`` when asked to pause.

    Raises
    ------
    StoreError
        If checkpoints cannot be written, or are of other data.
    NotEnoughDataError
        If a loss is no number.
    """
    mean_HW = mean_picture(run.draw)
    copies = copying_pays(run.draw, run.seen, mean_HW)
    learned = {}
    for name in run.networks:
        sizes = ForecastSizes(name, run.side_pixels, run.seen, run.ahead, copies)
        one = learn_forecaster(sizes, run, stop, progress)
        if one is None:
            return None
        learned[name] = one
    windows = run.held_out.windows_MSHW
    said = [_of_baseline(name, windows, run.seen, mean_HW) for name in (BLACK, MEAN, COPY)]
    said += [_of_network(name, one, windows) for name, one in learned.items()]
    truth = unit(windows[:, run.seen :])
    progress.start("compare forecasts", 1)
    table = compared(said, truth, run.held_out.groups)
    progress.advance()
    logits = next(one.logits_MAHW for one in said if one.name == table.chosen)
    return FittedForecasters(learned, table, logits, mean_HW)


def learn_forecaster(
    sizes: ForecastSizes,
    run: ForecastRun,
    stop: Callable[[], bool] = NEVER,
    progress: Progress = SILENT,
) -> LearnedForecaster | None:
    """Train one network; ``None`` when asked to pause."""
    recipe = RECIPES[sizes.network]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(run.seed)
        network = sizes.build()
        trainee = ForecastTrainee(network, run.draw, run.seen, recipe)
        seconds = run.cpu_seconds / len(run.networks)
        done = learn(
            trainee,
            StepBudget(cpu_seconds=seconds, steps=run.steps),
            run=_name_of(sizes, run, seconds, recipe),
            seed=run.seed,
            folder=run.folder / sizes.network if run.folder else None,
            stage=sizes.network,
            stop=stop,
            progress=progress,
        )
    if done is None:
        return None
    return LearnedForecaster(sizes, network.eval(), done.losses, done.cpu_seconds)


def answered(network: FrameForecaster, seen_MTHW: Frames, ahead: int) -> Floats:
    """Return logits [M, A, H, W] of the frames after those that are seen, of 8 bits."""
    parts: list[Tensor] = []
    with torch.inference_mode():
        for at in range(0, len(seen_MTHW), _ANSWERED):
            seen = torch.from_numpy(unit(seen_MTHW[at : at + _ANSWERED]))
            parts.append(network(seen, ahead))
        logits: Floats = torch.cat(parts).numpy()
    return logits


def _of_network(name: str, one: LearnedForecaster, windows: Frames) -> CandidateSaid:
    seen = windows[:, : one.sizes.seen]
    began = time.process_time()
    logits = answered(one.network, seen, one.sizes.ahead)
    return CandidateSaid(name, logits, True, (time.process_time() - began) / len(windows))


def _of_baseline(name: str, windows: Frames, seen: int, mean_HW: Floats) -> CandidateSaid:
    said = np.clip(baseline(name, windows, seen, mean_HW), HALF_LEVEL, 1 - HALF_LEVEL)
    return CandidateSaid(name, np.log(said / (1 - said)).astype(np.float32), network=False)


def _name_of(sizes: ForecastSizes, run: ForecastRun, seconds: float, recipe: ForecastRecipe) -> str:
    """Return what a checkpoint must be of."""
    asked = [run.steps, None if run.steps else seconds, run.seed, recipe.batch, recipe.rate]
    facts = to_json([sizes.facts, run.data, asked], sort_keys=True)
    return hashlib.sha256(facts.encode()).hexdigest()

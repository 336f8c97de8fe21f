"""What a training run is given, where it stands, and what it comes to."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from vidfit.contracts import SILENT, Indices, Progress
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
    """

    clips: ClipSet
    learn_M: Indices
    choose_M: Indices
    folder: Path | None = None
    stop: Callable[[], bool] = lambda: False
    look: Callable[[Epoch], None] = lambda epoch: None
    progress: Progress = SILENT


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
    history: list[Epoch] = field(default_factory=list)

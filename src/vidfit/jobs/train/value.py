"""What training came to: values that `train` hands to a report."""

from __future__ import annotations

from dataclasses import dataclass

from vidfit.contracts import Estimate, Failure
from vidfit.plans import Plan
from vidfit.reported import Stage
from vidfit.training.epoch import Epoch


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """A network that was trained, and what it is worth.

    Parameters
    ----------
    learned, chosen_by, tested
        Clips that it learned from, that chose its epoch, and that it was tested on: of different
        recordings each.
    score
        Top-1 on the tested clips, in [0, 1]; ``None`` when none were put aside.
    majority
        Of always answering the most frequent class, on the same clips.
    best_epoch
        Whose weights were kept.
    step_seconds, peak_bytes
        Measured: of a step on the median epoch, and the most memory of the first process above
        what it held before; ``plan`` holds what was predicted.
    """

    data: str
    classes: tuple[str, ...]
    plan: Plan
    learned: int
    chosen_by: int
    tested: int
    score: Estimate | None
    majority: Estimate | None
    history: tuple[Epoch, ...]
    best_epoch: int
    step_seconds: float
    peak_bytes: int
    failures: tuple[Failure, ...]
    stages: tuple[Stage, ...]
    machine: dict[str, str]
    warnings: tuple[str, ...] = ()

"""What training came to: values that `train` hands to a report."""

from __future__ import annotations

from dataclasses import dataclass

from vidfit.contracts import Estimate, Failure
from vidfit.plans import Plan
from vidfit.reported import Stage
from vidfit.training.epoch import Epoch


@dataclass(frozen=True, slots=True)
class Teaching:
    """What clips without a label brought.

    Parameters
    ----------
    clips, recordings
        That were learned from without a label.
    held
        Clips without a label of recordings that choose the epoch or test: they were left out.
    taught
        Share of them, in [0, 1], of whose class the teacher was sure in the epoch that was kept.
    seconds
        Of all steps with them.
    epochs_alone
        Most epochs of training on labels alone that compute as much; 0 where it was not done.
    alone, gain
        Top-1 on the tested clips of labels alone, and by how much the taught network is better,
        paired over recordings; ``None`` where they were not compared.
    """

    clips: int
    recordings: int
    held: int
    taught: float
    seconds: float
    epochs_alone: int = 0
    alone: Estimate | None = None
    gain: Estimate | None = None


@dataclass(frozen=True, slots=True)
class ReadWords:
    """What a network reads beside frames.

    Parameters
    ----------
    words
        That it knows: all others are one unknown word.
    learned, tested
        Clips with words among those learned from, and among those tested.
    telling
        Clips that are learned from whose words hold their own label.
    silent, gain
        Top-1 on the tested clips by the same network without their words, and by how much it is
        better with them, paired over recordings; ``None`` where none was tested with words.
    """

    words: int
    learned: int
    tested: int
    telling: int
    silent: Estimate | None = None
    gain: Estimate | None = None


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
    teaching
        What clips without a label brought; ``None`` where none were given.
    read
        What is read beside frames; ``None`` of a network that sees frames or tokens alone.
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
    teaching: Teaching | None = None
    read: ReadWords | None = None

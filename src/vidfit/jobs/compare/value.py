"""What a comparison of architectures came to, as frozen values.

Scores are figures of the metric on recordings that the fit has not seen; intervals are 95 % over
recordings. Times of learning are of the processor, in all threads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from vidfit.reported import MAJORITY

if TYPE_CHECKING:
    from vidfit.contracts import Estimate, Failure
    from vidfit.jobs.compare.architectures import How
    from vidfit.reported import Stage

TieStanding = Literal["best", "tied", "behind"]


@dataclass(frozen=True, slots=True)
class ArchitectureRow:
    """One row of the table.

    Parameters
    ----------
    name, architecture, how
        As in `vidfit.jobs.compare.architectures.RowPlan`.
    sees
        What it is given of a clip, in words.
    pretrained_on
        What its weights had seen before the labels, in words.
    standing
        ``"tied"``: may be the best, see tied set; ``"behind"``: proven worse than another.
    behind_best
        By how much the row of the best figure is better, paired on the same clips.
    learn_seconds
        Processor time of learning, all folds together; ``pretrain_seconds`` of it without labels.
    epochs
        That were run in each fold; none of a linear probe.
    seconds_per_clip
        Measured decode and inference of a clip in one thread of this machine.
    memory_bytes
        By how much memory rose at most while it learned.
    """

    name: str
    architecture: str
    how: How
    sees: str
    pretrained_on: str
    standing: TieStanding
    score: Estimate
    behind_best: Estimate
    learn_seconds: float
    pretrain_seconds: float
    epochs: tuple[int, ...]
    seconds_per_clip: float
    memory_bytes: int
    parameters: int
    gmacs_per_clip: float


@dataclass(frozen=True, slots=True)
class PairedGain:
    """By how much one row is better than another on the same clips.

    ``proven`` says whether sign flips of recordings prove it, too; ``lost`` that the other is
    proven better.
    """

    name: str
    over: str
    gain: Estimate
    proven: bool
    lost: bool


@dataclass(frozen=True, slots=True)
class ArchitectureTable:
    """Architectures on one data set, with the same folds and the same budget.

    Parameters
    ----------
    rows
        Best figure first.
    trained_gain
        The best trained row against the best frozen one; ``None`` where one of them is missing.
    pretraining
        Each row that learned without labels first, against the same network without that.
    folds
        Of recordings; each row answers each clip from a fit without its fold.
    budget_seconds
        Processor time that each row had.
    unlabelled
        Clips without a label that self-supervised rows saw beside the training clips.
    settings
        How all networks were made and learned, by name.
    """

    data: str
    classes: tuple[str, ...]
    clip_count: int
    group_count: int
    grouping: str
    rows: tuple[ArchitectureRow, ...]
    trained_gain: PairedGain | None
    pretraining: tuple[PairedGain, ...]
    majority: Estimate
    majority_class: str
    folds: int
    budget_seconds: float
    unlabelled: int
    settings: dict[str, str]
    failures: tuple[Failure, ...]
    dropped: tuple[Failure, ...]
    stages: tuple[Stage, ...]
    machine: dict[str, str]
    provenance: dict[str, str]
    warnings: tuple[str, ...] = ()
    baseline: str = MAJORITY
    metric: str = "accuracy"
    higher_is_better: bool = True

    @property
    def best(self) -> ArchitectureRow:
        """The row of the best figure."""
        return self.rows[0]

    @property
    def beats_majority(self) -> bool:
        """Whether the best row is proven better than the majority class."""
        return self.best.score.proves_better(self.majority.value, higher=self.higher_is_better)

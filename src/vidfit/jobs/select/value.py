"""The answer to "which pretrained model?", as frozen values.

Scores are figures of the metric on recordings that the probe has not learned from; intervals are
95 % over recordings.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from vidfit.reported import MAJORITY

if TYPE_CHECKING:
    from vidfit.contracts import Estimate, Failure
    from vidfit.plans import Regime
    from vidfit.reported import Stage

Standing = Literal["recommended", "tied", "behind", "dropped"]


@dataclass(frozen=True, slots=True)
class Ranked:
    """One candidate of a race.

    Parameters
    ----------
    name
        As `vidfit.backbones.load` takes it.
    standing
        ``"recommended"``; ``"tied"`` with the best; ``"behind"``: ran to the end and is proven
        worse; ``"dropped"`` on the way.
    reason
        Why it stands there, in words.
    score
        Out-of-fold, on the ``clips`` clips that it ran on; not corrected for the choice.
    behind_best
        By how much the leader is better, paired on the clips that both ran on.
    clips
        On how many clips it ran before it was dropped or the race ended.
    seconds_per_clip
        Measured decode and inference of a clip in one thread of this machine.
    memory_bytes
        What loading it took.
    modality
        What it was trained on: ``"image"``, ``"video"`` or ``"none"`` (an algorithm).
    scores
        Transferability scores on the same clips, by name.
    """

    name: str
    standing: Standing
    reason: str
    score: Estimate
    behind_best: Estimate
    clips: int
    seconds_per_clip: float
    memory_bytes: int
    parameters: int
    gmacs_per_clip: float
    dim: int
    sampling: str
    modality: str
    licence: str
    commercial_use: bool | None
    scores: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rung:
    """One round of a race: who ran on how many clips, who was dropped, what it took.

    ``scores`` are figures by candidate on the ``clips`` clips of this round.
    """

    clips: int
    recordings: int
    scores: dict[str, float]
    dropped: tuple[Failure, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a choice without the user's clips would have taken, and how it fares on them.

    ``rule`` is ``"largest"`` or ``"best published"``; ``evidence`` is the figure that it goes
    by. ``behind_best`` as in `Ranked`.
    """

    rule: str
    name: str
    evidence: str
    score: Estimate
    behind_best: Estimate


@dataclass(frozen=True, slots=True)
class Temporal:
    """Does the order of frames matter for this task? Ordered against shuffled frames.

    ``gain`` is by how much ``name`` is better with ordered frames than with the same frames
    shuffled, paired over recordings; ``verdict`` says in words what follows.
    """

    name: str
    ordered: Estimate
    shuffled: Estimate
    gain: Estimate
    clips: int
    verdict: str


@dataclass(frozen=True, slots=True)
class Ranking:
    """Which pretrained model fits these clips, and what is known of the others.

    Parameters
    ----------
    recommended, why
        The candidate to use, and the reason: the best, or a cheaper one within one standard
        error of it.
    best
        The candidate of the best figure.
    score
        What the recommended one is worth on new recordings: its own figure less the optimism
        of choosing among them (BBC-CV).
    naive
        The winner's own figure, as selection usually reports it.
    majority
        What always answering the most frequent class, ``majority_class``, scores.
    metric
        What is compared and what decides, such as ``"accuracy"``; of a loss lower is better, but
        what is behind the best is always above zero.
    candidates
        All that ran, best first.
    dropped
        Candidates that never ran on a clip: missing weights, licence, budget.
    rungs, ended
        The rounds of the race, and why it ended.
    temporal
        ``None`` when it was not measured.
    labels_per_class, regime
        Clips of the rarest class, or of all where they have a number, and how to train with so
        many.
    labels, row
        What clips are labelled with, and what one is called.
    spent_seconds, exhaustive_seconds
        Seconds of decode and inference, added over threads: what the race took, its run with
        shuffled frames included, and what all candidates on all clips would take at the
        measured costs.
    """

    data: str
    classes: tuple[str, ...]
    clip_count: int
    group_count: int
    grouping: str
    recommended: str
    why: str
    best: str
    score: Estimate
    naive: Estimate
    majority: Estimate
    candidates: tuple[Ranked, ...]
    dropped: tuple[Failure, ...]
    rungs: tuple[Rung, ...]
    ended: str
    baselines: tuple[Baseline, ...]
    temporal: Temporal | None
    labels_per_class: int
    regime: Regime
    spent_seconds: float
    exhaustive_seconds: float
    failures: tuple[Failure, ...]
    stages: tuple[Stage, ...]
    machine: dict[str, str]
    provenance: dict[str, str]
    warnings: tuple[str, ...] = ()
    majority_class: str = ""
    baseline: str = MAJORITY
    metric: str = "accuracy"
    higher_is_better: bool = True
    labels: str = "one"
    row: str = "clip"

    @property
    def beats_majority(self) -> bool:
        """Whether the recommended one is proven better than the majority class."""
        return self.score.proves_better(self.majority.value, higher=self.higher_is_better)

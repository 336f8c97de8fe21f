"""The answer to "how do I combine models?": values that `fuse` hands to a report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from vidfit.contracts import Estimate, Failure
from vidfit.reported import MAJORITY, Stage

Family = Literal["single", "concatenation", "integration", "complement"]


@dataclass(frozen=True, slots=True)
class Pair:
    """What two models have in common, and what the second adds to the first.

    All figures are of answers to recordings that a model has not learned from.

    Parameters
    ----------
    agreement
        Cohen's kappa of the two models' answers: 0 is what chance would give, 1 the same answers.
    oracle
        Share of clips that at least one of them answers right: no choice between their answers
        can do better.
    error_correlation
        Pearson correlation of their errors (1 wrong, 0 right); ``nan`` when one never errs.
    added
        Accuracy of their stack minus that of ``first``, the better of the two, paired over
        recordings.
    """

    first: str
    second: str
    agreement: float
    oracle: Estimate
    error_correlation: float
    added: Estimate


@dataclass(frozen=True, slots=True)
class Option:
    """One way to answer: a model alone, or a fusion.

    Parameters
    ----------
    name
        Backbone, or method and number of members such as ``stack-2``.
    family
        ``"single"``, or the family of fusions that it belongs to.
    members
        Backbones that the final model asks, fitted on all clips.
    score
        Figure of the metric on recordings that it has not learned from (nested cross-validation).
    gain
        By how much it is better than the best single model, paired over recordings.
    seconds_per_clip
        Decode and inference of a clip in one thread, from costs measured one by one; of a
        cascade the mean over clips, by the members that each was shown to.
    memory_bytes
        What loading its members took.
    calls
        Of a cascade, by member the share of clips shown to it; empty for others.
    pareto
        Whether no other option is both better and faster.
    """

    name: str
    family: Family
    members: tuple[str, ...]
    score: Estimate
    gain: Estimate
    seconds_per_clip: float
    memory_bytes: int
    parameters: int
    calls: dict[str, float]
    pareto: bool


@dataclass(frozen=True, slots=True)
class Student:
    """A head on one backbone that learned to answer as the fusion does.

    Parameters
    ----------
    score
        Figure of the metric in nested cross-validation.
    gain
        By how much it is better than the best single model, paired over recordings.
    kept
        Its gain as a share of the fusion's gain, with an interval; ``None`` where the fusion
        has no proven gain to be kept.
    """

    name: str
    score: Estimate
    gain: Estimate
    kept: Estimate | None
    seconds_per_clip: float


@dataclass(frozen=True, slots=True)
class Combination:
    """Whether to combine models for these clips, and how.

    Parameters
    ----------
    chosen
        Name of the option in the model directory: the best fusion if its gain is proven and
        worth its time, else the recommended single model.
    best_single
        The single model that fusions are held against: the best in nested
        cross-validation.
    fusion
        Score of "the best fusion", chosen anew in each fold without its recordings;
        ``None`` with a single candidate.
    gain
        By how much ``fusion`` is better than the best single model, paired over recordings: a
        fusion is kept only if the interval lies above zero.
    proven
        Whether it does.
    score
        What the whole procedure scores, decision included.
    metric
        What is compared and what decides, such as ``"accuracy"``; of a loss lower is better, but
        every gain is above zero where the first is better.
    options
        All that was tried, best first.
    pairs
        Each pair of single models once, the largest addition first.
    student
        ``None`` when none was asked for.
    """

    data: str
    classes: tuple[str, ...]
    clip_count: int
    group_count: int
    grouping: str
    protocol: str
    chosen: str
    verdict: str
    best_single: str
    fusion: Estimate | None
    gain: Estimate | None
    proven: bool
    score: Estimate
    majority: Estimate
    options: tuple[Option, ...]
    pairs: tuple[Pair, ...]
    student: Student | None
    failures: tuple[Failure, ...]
    dropped: tuple[Failure, ...]
    stages: tuple[Stage, ...]
    machine: dict[str, str]
    provenance: dict[str, str]
    warnings: tuple[str, ...] = ()
    majority_class: str = ""
    baseline: str = MAJORITY
    task: str = ""
    metric: str = "accuracy"
    higher_is_better: bool = True

    @property
    def beats_majority(self) -> bool:
        """Whether what was chosen is proven better than the majority class."""
        return self.score.proves_better(self.majority.value, higher=self.higher_is_better)

    @property
    def keeps_fusion(self) -> bool:
        """Whether a fusion was chosen: its gain is proven and worth its time."""
        return any(o.name == self.chosen and o.family != "single" for o in self.options)

    @property
    def offers_student(self) -> bool:
        """Whether a student is written: one that keeps some of a proven gain."""
        return self.proven and self.student is not None and self.student.gain.value > 0

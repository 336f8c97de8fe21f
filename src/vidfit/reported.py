"""The answer of `vidfit fit`: what it compared, what it chose, and how that was measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from vidfit.contracts import Clip, Estimate, Failure, Note
from vidfit.documents import number_of

MAJORITY = "majority class"
"""Name of the baseline of one class a clip: it always answers the most frequent one."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One row of the leaderboard.

    ``kind`` is ``"backbone"``, ``"fusion"`` or ``"baseline"``. ``score`` is the figure of
    the metric on recordings not seen in training. ``seconds_per_clip`` is measured time of decode
    and inference on one thread of this machine.
    """

    name: str
    kind: Literal["backbone", "fusion", "baseline"]
    members: tuple[str, ...]
    score: Estimate
    seconds_per_clip: float
    dim: int
    parameters: int
    gmacs_per_clip: float
    sampling: str
    licence: str
    commercial_use: bool | None
    chosen: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class ClipResult:
    """The answer to one clip by a model that has not seen its recording.

    ``predicted`` is the most probable class, also where the model ``declined`` to answer.
    """

    clip: Clip
    predicted: str
    probability: float
    probability_of_label: float
    declined: bool = False


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Clips whose confidence lies in one range: mean confidence, accuracy, how many."""

    confidence: float
    accuracy: float
    count: int


@dataclass(frozen=True, slots=True)
class ClassScores:
    """How well one class is told from all others, on recordings not seen in training.

    Parameters
    ----------
    clips, recordings
        Of the class.
    precision
        Share of the clips answered with the class that are of it; not measured if none is.
    recall
        Share of the clips of the class that are answered with it.
    f1
        Harmonic mean of precision and recall.
    average_precision
        Mean precision over the clips of the class, taken by falling probability.
    curve
        Recall and precision, by falling probability.
    """

    label: str
    clips: int
    recordings: int
    precision: Estimate
    recall: Estimate
    f1: Estimate
    average_precision: Estimate
    curve: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Declines:
    """What share of clips a model declines, on recordings that it has not seen, in [0, 1].

    Parameters
    ----------
    known, strict_known
        Of clips of known classes, as it is and with ``--unknown strict``.
    new, strict_new
        Of clips of a class never seen: each class left out in turn; ``None`` if not measured.
    auroc
        How often a clip of a new class has a lower probability than one of a known class, the
        mean over the classes left out; ``None`` if not measured.
    classes_left_out
        How many classes were left out in turn.
    why
        Why new classes were not measured; empty if they were.
    """

    known: Estimate
    strict_known: Estimate
    new: Estimate | None = None
    strict_new: Estimate | None = None
    auroc: float | None = None
    classes_left_out: int = 0
    why: str = ""


def estimate_of(found: Mapping[str, Any]) -> Estimate:
    """Return a figure that stands in a card; what was not measured is ``null`` there."""
    return Estimate(**{name: number_of(value) for name, value in found.items()})


@dataclass(frozen=True, slots=True)
class Figure:
    """What was chosen, and the baseline, score by a metric; see `vidfit.metrics.MEASURES`."""

    metric: str
    score: Estimate
    baseline: Estimate
    higher_is_better: bool = True


@dataclass(frozen=True, slots=True)
class Mark:
    """A box in a picture, in shares of it: an ``"object"``, or an answer, ``"right"`` or not."""

    edges: tuple[float, float, float, float]
    what: Literal["object", "right", "wrong"]


@dataclass(frozen=True, slots=True)
class Scene:
    """A part of a frame that is shown, with what is marked in it.

    Parameters
    ----------
    clip
        Whose first frame it is.
    title, note
        What is to be seen, and where it lies.
    window
        The part, as edges in shares of the picture.
    panels
        Pictures to be seen beside it, as PNG in base64; the frame is then shown in its own shape.
    """

    clip: Clip
    title: str
    note: str
    window: tuple[float, float, float, float]
    marks: tuple[Mark, ...]
    panels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RecallCurve:
    """Precision over recall, as points of both; ``note`` stands below it."""

    name: str
    note: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class TaskPart:
    """What a task shows of its answers beside the figures that all tasks have.

    Parameters
    ----------
    title, lead
        Its heading, and what stands out.
    columns, rows
        A table in words.
    confusion_KK
        Shares of what is truly of each class (rows) by what it is answered as (columns), which
        add up to 1, or 0 where nothing is of it; ``confused`` says of what. Empty where there is
        none.
    curves, scenes
        In groups with a name each.
    """

    title: str
    lead: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    curves: tuple[RecallCurve, ...] = ()
    scenes: tuple[tuple[str, tuple[Scene, ...]], ...] = ()
    confusion_KK: tuple[tuple[float, ...], ...] = ()
    confused: str = ""


@dataclass(frozen=True, slots=True)
class NearDuplicate:
    """Two clips of different recordings that look the same; distance in bits of 64."""

    first: str
    second: str
    distance_bits: float


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of a job: wall seconds predicted before it ran, and measured."""

    name: str
    predicted_seconds: float | None
    measured_seconds: float


@dataclass(frozen=True, slots=True)
class Report:
    """All that ``fit`` found out.

    ``score``, ``majority`` and the figures of candidates are of ``metric``, on recordings that
    no choice has seen; ``accuracy`` is top-1 in [0, 1]. ``grouped_split`` and
    ``random_split`` are the chosen candidate under folds of recordings and under folds of clips:
    the second is what leakage would have claimed; ``leak`` is the second less the first, paired
    over recordings.
    ``confusion_KK`` counts clips, rows true classes, columns answers.
    ``notes`` says what should be known of clips that were used, such as damage.
    ``declines`` is ``None`` where it was not measured.
    ``by_class`` are scores of each class, in the order of ``classes``.
    ``majority_class`` is what the baseline of ``majority`` always answers, ``baseline`` its name.
    ``thumbnails`` maps ``clip_key(clip)`` to JPEG bytes, and those of scenes by their place.
    ``part`` is what the task shows itself, and ``answers`` what is where in each frame, and what
    was answered, of tasks that say so (`vidfit.tasks.task.Task`).
    ``labels`` says what clips are labelled with, ``row`` what one is called. Of several labels, and
    of numbers, ``figures`` are those of all metrics of that kind, and there is no accuracy,
    confusion or calibration (NaN, empty). ``thresholds`` are the probabilities above which the
    model says each of several classes, and ``numbers`` the number of each clip beside the answer
    to it.
    """

    data: str
    task: str
    classes: tuple[str, ...]
    clip_count: int
    group_count: int
    grouping: str
    protocol: str
    chosen: str
    verdict: str
    score: Estimate
    accuracy: Estimate
    mean_class_accuracy: Estimate
    majority: Estimate
    grouped_split: Estimate
    random_split: Estimate
    leak: Estimate
    candidates: tuple[Candidate, ...]
    confusion_KK: tuple[tuple[int, ...], ...]
    reliability: tuple[ReliabilityBin, ...]
    calibration_error: float
    unknown_probability: float
    clips: tuple[ClipResult, ...]
    failures: tuple[Failure, ...]
    dropped: tuple[Failure, ...]
    near_duplicates: tuple[NearDuplicate, ...]
    stages: tuple[Stage, ...]
    machine: dict[str, str]
    provenance: dict[str, str]
    warnings: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    thumbnails: dict[str, bytes] = field(default_factory=dict)
    majority_class: str = ""
    baseline: str = MAJORITY
    metric: str = "accuracy"
    higher_is_better: bool = True
    declines: Declines | None = None
    by_class: tuple[ClassScores, ...] = ()
    labels: str = "one"
    row: str = "clip"
    figures: tuple[Figure, ...] = ()
    thresholds: tuple[float, ...] = ()
    numbers: tuple[tuple[float, float], ...] = ()
    part: TaskPart | None = None
    answers: tuple[Mapping[str, object], ...] = ()

    @property
    def beats_majority(self) -> bool:
        """Whether what was chosen is proven better than the majority class."""
        return self.score.proves_better(self.majority.value, higher=self.higher_is_better)

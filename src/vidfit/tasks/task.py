"""What a task is: what is hidden in clips, how it is learned, judged and combined."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from vidfit.contracts import Backbone, Clip, Floats, Indices
from vidfit.features import STATISTICS, Pooling
from vidfit.fitted import FittedFusion
from vidfit.fusion.learner import Learner
from vidfit.labels import Kind
from vidfit.manifest import Manifest, read_manifest
from vidfit.metrics import AnyMeasure
from vidfit.progress import Progress
from vidfit.reported import TaskPart


class Judged(Protocol):
    """Clips that were judged."""

    @property
    def clips(self) -> tuple[Clip, ...]:
        """The clips."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of their classes."""

    @property
    def groups(self) -> Sequence[str]:
        """The recording of each."""


@dataclass(frozen=True)
class LearnedEncoder:
    """An encoder of which a part was trained, under a name of its own, and the head over it."""

    encoder: Backbone
    head: FittedFusion


class EncoderTraining(Protocol):
    """Trains a part of an encoder on some of the clips that it was opened with, as often as asked.

    What its frozen part sees of a clip is computed once.
    """

    @property
    def base(self) -> str:
        """Name of the encoder of which a part is trained."""

    def learned(self, places: Indices) -> LearnedEncoder:
        """Train on the clips at these places."""

    def answers(self, learned: LearnedEncoder, places: Indices) -> Floats:
        """Return the answers [M, K] to clips."""


OpenTraining = Callable[
    [Sequence[Clip], Any, tuple[str, ...], Sequence[str]], EncoderTraining | None
]
"""Clips, what is true of them, their classes, names of encoders -> a training of one of them; none
where no part of any can be trained."""


Read = Callable[[str | Path, Path | None, Kind | None], Manifest]
"""A source of clips, a file of groups, and the kind that is asked for -> clips with labels."""


Prepare = Callable[[Manifest, Path, Progress], Manifest]
"""Clips as they were read, and the folder of a job's output -> the clips that are looked at."""


def from_lists(source: str | Path, groups: Path | None, kind: Kind | None) -> Manifest:
    """Read the folders and lists that `vidfit.manifest` knows."""
    return read_manifest(source, groups=groups, labels=kind)


@dataclass(frozen=True)
class Task:
    """What is asked of clips.

    A row of a comparison is a clip: a video, a span of one, a photo. Whatever the task is, folds
    hold whole recordings, copies are joined, choices are nested, and intervals draw recordings
    again: that needs no more of a task than stands here.

    Parameters
    ----------
    name
        Its name, as in ``--task``.
    kind
        What is hidden of a clip, and what answers to it are.
    measures
        By name of ``--metric``; the first decides unless another is asked for. Each is made of
        sums, or of rows, of recordings.
    asked
        What it is called in reports.
    baseline
        Name of the candidate that answers the same to all clips (`Kind.constant`).
    learner
        How vectors of one encoder are learned from.
    methods
        Keys of `vidfit.fusion.METHODS` that combine its answers; empty where none can.
    pooling
        What the learner is given of a clip.
    read
        Reads the formats that its users have.
    windows
        Whether clips are windows of long videos, rather than videos of their own.
    row
        What one of them is called in reports.
    backbones
        Candidates unless others are asked for; empty for those of `vidfit.backbones.BACKBONES`.
    declines
        Whether a model may give no answer to what is unlike all that it has learned from.
    suited
        Returns the task as it can be asked of some clips, such as by other measures.
    prepare
        Returns clips that were cut out of those that were read, or labels that were drawn, and
        written to the output.
    consent
        What is done to people, where nothing may start unless it is stated that they agreed;
        empty where nothing is.
    told
        Makes vectors that tell the truth through noise, where the learner takes vectors of a form
        of its own: by these `vidfit.testing.check_task` proves what is learned.
    took
        Says in a sentence which setting a fitted head took, where users should know.
    training
        Opens the training of a part of an encoder, for ``--train``.
    part
        Makes the task's own part of the page of a fit, of truth and held-out answers.
    answers
        Yields what is where in each frame and what was answered there, of the same.
    """

    name: str
    kind: Kind
    measures: Mapping[str, AnyMeasure]
    asked: str
    baseline: str
    learner: Learner
    methods: tuple[str, ...] = ()
    pooling: Pooling = STATISTICS
    read: Read = from_lists
    windows: bool = False
    row: str = "clip"
    backbones: tuple[str, ...] = ()
    declines: bool = True
    suited: Callable[[Task, Manifest], Task] | None = None
    prepare: Prepare | None = None
    consent: str = ""
    told: Callable[[Any], Floats] | None = None
    took: Callable[[FittedFusion], str] | None = None
    training: OpenTraining | None = None
    part: Callable[[Any, Floats, Judged], TaskPart] | None = None
    answers: Callable[[Any, Floats, Judged], Iterator[Mapping[str, object]]] | None = None

    @property
    def measure(self) -> AnyMeasure:
        """The measure that decides unless another is asked for."""
        return next(iter(self.measures.values()))

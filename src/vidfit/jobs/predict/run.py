"""The way back: a model and videos in, answers over time out.

The same sampling, preprocessing, backbones and head run as in `fit`, by the same code.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vidfit.contracts import (
    SILENT,
    Backbone,
    Clip,
    ClipFeatures,
    Failure,
    FittedFusion,
    Floats,
    InTime,
    Note,
    Progress,
    Segment,
    StagedFusion,
    Timeline,
    Why,
    clip_key,
)
from vidfit.errors import ModelError, VideoError, VidfitError
from vidfit.features import stream
from vidfit.hardware import hardware
from vidfit.jobs.predict.declined import Unknown, with_thresholds
from vidfit.jobs.predict.smoothing import check_smoothing, lasting
from vidfit.jobs.predict.windows import clips_of, join, length_of
from vidfit.labels import Kind
from vidfit.model import Model
from vidfit.runtime import accelerate
from vidfit.shown import name_of
from vidfit.study import heads
from vidfit.study.opened_model import open_model
from vidfit.tasks import task_named
from vidfit.video import VideoReader


@dataclass(frozen=True)
class Answer:
    """What a clip is answered with, none where the model declined; see `Segment`."""

    label: str | None
    probability: float
    declined: bool = False
    why: Why = ""
    scores: tuple[float, ...] = ()
    value: float | None = None


@dataclass(frozen=True)
class Looked:
    """What a head gives to a clip, [K], and how far the clip lies from what was learned.

    ``clues_E`` is what a head that answers in time keeps of it.
    """

    given_K: Floats
    novelty: float
    clues_E: Floats | None = None


@dataclass(frozen=True)
class Predictor:
    """A loaded model: its networks are open and it may be asked again and again.

    ``smooth_seconds`` is how long a class lasts on average; 0 leaves each window by itself.
    """

    model: Model
    backbones: tuple[Backbone, ...]
    head: FittedFusion
    smooth_seconds: float = 0.0

    def wanted(self, features: Mapping[str, ClipFeatures]) -> Sequence[str]:
        """Return the members to ask next about a clip, by what the others saw in it."""
        if not isinstance(self.head, StagedFusion):
            return () if features else [backbone.spec.name for backbone in self.backbones]
        return [self.model.members[i] for i in self.head.wanted(self._blocks(features))]

    def look(self, features: Mapping[str, ClipFeatures]) -> Looked:
        """Return what the head gives to a clip, by what its members saw in it.

        Raises
        ------
        ModelError
            If that is no number.
        """
        # Only a staged head, which knows what to do without them, is given absent blocks.
        blocks: Sequence[Floats] = self._blocks(features)  # type: ignore[assignment]
        given_1K = self.head.log_probabilities(blocks)
        novelty = float(self.head.novelty(blocks)[0])
        best = float(self._kind.stated(given_1K, self.model.temperature).max())
        if not np.isfinite((best, novelty)).all():
            raise ModelError(
                f"the model of {', '.join(self.model.members)} answers a clip with "
                f"{best:g} at a novelty of {novelty:g}: its weights are damaged; fit or "
                "copy it again"
            )
        clues_E = self.head.clues(blocks)[0] if isinstance(self.head, InTime) else None
        return Looked(given_1K[0], novelty, clues_E)

    def answer(self, features: Mapping[str, ClipFeatures]) -> Answer:
        """Answer a clip by what its members saw in it, or decline to."""
        return self.say(self.look(features))

    def say(self, looked: Looked) -> Answer:
        """Return in words what the head gave to a clip, or that the model declines."""
        stated_1K = self._kind.stated(looked.given_K[None], self.model.temperature)
        said = self._kind.said(stated_1K[0], self.model.classes, self.model.thresholds)
        why = self._why(float(self._kind.confidence(stated_1K)[0]), looked.novelty)
        are_probabilities = said.value is None and (
            self._kind.exclusive or self.is_in_time or bool(said.scores)
        )
        scores = tuple(float(p) for p in stated_1K[0]) if are_probabilities else ()
        if why:
            return Answer(None, said.probability, True, why, scores, said.value)
        kept = scores if self.is_in_time else said.scores
        return Answer(said.label, said.probability, scores=kept, value=said.value)

    def in_time(self, looked: Mapping[Clip, Looked]) -> dict[Clip, Looked]:
        """Return what is given to windows of one video in the light of one another."""
        if len(looked) < 2 or not self.is_in_time:
            return dict(looked)
        order = np.zeros(len(looked), np.int64), np.array([clip.start_seconds for clip in looked])
        if isinstance(self.head, InTime):
            clues_ME = np.stack([one.clues_E for one in looked.values() if one.clues_E is not None])
            given_MK = self.head.in_time(clues_ME, *order)
        else:
            given_MK = np.stack([one.given_K for one in looked.values()])
            stated_MK = self._kind.stated(given_MK, self.model.temperature)
            answers_MK = lasting(self._kind.as_answers(stated_MK), self.smooth_seconds, *order)
            given_MK = answers_MK * self.model.temperature  # by which they are divided again
        pairs = zip(looked.items(), given_MK, strict=True)
        return {clip: replace(one, given_K=given_K) for (clip, one), given_K in pairs}

    @property
    def is_in_time(self) -> bool:
        """Whether windows of a video are answered in the light of one another."""
        return isinstance(self.head, InTime) or self.smooth_seconds > 0

    def smoothing(self, seconds: float | None) -> Predictor:
        """Return the same model, whose answers to windows are smoothed over time.

        Parameters
        ----------
        seconds
            How long a class lasts on average; ``None`` and 0 leave each window by itself.

        Raises
        ------
        VidfitError
            If it is below 0, or answers are not one class, or are smoothed by the model itself.
        """
        check_smoothing(seconds, self._kind, isinstance(self.head, InTime))
        return replace(self, smooth_seconds=seconds or 0.0)

    @property
    def _kind(self) -> Kind:
        return task_named(self.model.task).kind

    def declining(self, unknown: Unknown) -> Predictor:
        """Return the same model with other thresholds.

        Parameters
        ----------
        unknown
            ``None`` for those that it was fitted with; ``"off"``: it always answers;
            ``"strict"``: it declines earlier, by what was measured when it was fitted; a number
            above 0, to 1: the least probability of an answer.

        Raises
        ------
        VidfitError
            If it is none of these.
        ModelError
            If the model was written before there were strict thresholds.
        """
        if unknown is None:
            return self
        return replace(self, model=with_thresholds(self.model, unknown))

    def _why(self, confidence: float, novelty: float) -> Why:
        """Return why a clip gets no class; empty where it gets one.

        Windows that are answered in the light of one another are all answered: a segment is as
        sure as its windows together.
        """
        if isinstance(self.head, InTime):
            return ""
        if novelty > self.model.unknown_novelty:
            return "unlike anything seen"
        return "low confidence" if confidence < self.model.unknown_probability else ""

    def _blocks(self, features: Mapping[str, ClipFeatures]) -> list[Floats | None]:
        pool = heads.pooling(self.model.head, task_named(self.model.task))
        return [
            pool(features[name].tokens_ND)[None] if name in features else None
            for name in self.model.members
        ]


def load(directory: Path, own: Sequence[str] = (), task: str | None = None) -> Predictor:
    """Open a model directory that `fit` wrote, for answers; see `open_model`.

    Parameters
    ----------
    own
        ``FILE.py:NAME`` of encoders of one's own that the model may hold.
    task
        The task that it must answer; ``None`` takes any.

    Raises
    ------
    ModelError
        If it is incomplete or altered, does not answer as a model does, or answers another task.
    BackboneError
        If a member cannot run here.
    """
    opened = open_model(directory, own)
    if task is not None and task_named(task) is not opened.task:
        raise ModelError(
            f"{directory} answers the task {opened.task.name!r}, and --task asks for {task!r}; "
            "leave it away, or give another model"
        )
    backbones = tuple(accelerate(member) for member in opened.members)
    return Predictor(opened.model, backbones, opened.head)


def run_predict(  # noqa: PLR0913  (how one video is answered)
    predictor: Predictor,
    path: str,
    *,
    span: tuple[float, float | None] = (0.0, None),
    window_seconds: float | None = None,
    unknown: Unknown = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Timeline:
    """Answer a video: one as long as a training clip as a whole, a longer one by windows.

    A window that cannot be read has no label and probability 0, and is listed in
    ``failures``; the others are answered. Memory does not grow with the length of the video,
    but for the answers themselves: about a kilobyte a window, and 32 bytes for each class of one
    that keeps them.

    Parameters
    ----------
    span
        Start and end in seconds of what is answered; ``None`` is the end of the video.
    window_seconds
        Length of a window; ``None`` takes that of the model's training clips.
    unknown
        When to decline: see `Predictor.declining`.

    Raises
    ------
    VideoError
        If the video cannot be read, or none of its windows, or if it ends before the span.
    """
    if window_seconds is not None and not window_seconds > 0:
        raise VidfitError(f"a window of {window_seconds:g} s is none; give more than 0")
    with VideoReader(path) as reader:
        info = reader.info
    predictor = predictor.declining(unknown)
    model = predictor.model
    whole = Clip(path, *span)
    clips = clips_of(whole, length_of(whole, info.duration_seconds), model, window_seconds)
    progress = progress or SILENT
    progress.start(Path(name_of(path)).name, len(clips))
    looked: dict[Clip, Looked] = {}
    failed: dict[Clip, str] = {}
    noted: dict[Clip, str] = {}
    seen = 0
    asked: Counter[str] = Counter()
    workers = workers or hardware().cores
    for outcome in stream(clips, predictor.backbones, workers=workers, wanted=predictor.wanted):
        if reason := outcome.failure or "; ".join(outcome.backbone_failures.values()):
            failed[outcome.clip] = reason
        else:
            looked[outcome.clip] = predictor.look(outcome.features)
        seen += len({int(i) for f in outcome.features.values() for i in f.indices})
        asked.update(outcome.features.keys())
        if said := max((f.note for f in outcome.features.values()), key=len, default=""):
            noted[outcome.clip] = said
        progress.advance()
    if len(failed) == len(clips):
        why = failed[clips[0]].removeprefix(f"{path}: ")
        raise VideoError(f"{path}: no part of it can be answered: {why}")
    looked = predictor.in_time(looked)
    ordered = tuple(
        _segment(clip, looked.get(clip), predictor, info.duration_seconds) for clip in clips
    )
    return Timeline(
        path=path,
        duration_seconds=info.duration_seconds,
        classes=model.classes,
        labels=task_named(model.task).kind.name,
        windows=ordered,
        segments=tuple(join(ordered)),
        frames_seen=seen,
        frame_count=info.frame_count,
        sampling=", ".join(f"{b.spec.name} {b.spec.sampling}" for b in predictor.backbones),
        asked=dict(asked),
        failures=tuple(Failure(clip_key(clip), failed[clip]) for clip in clips if clip in failed),
        notes=tuple(_notes({clip: noted[clip] for clip in clips if clip in noted})),
    )


def _notes(noted: Mapping[Clip, str]) -> Iterator[Note]:
    """Yield notes on windows; what is said of several comes once."""
    by_text: dict[str, list[Clip]] = {}
    for clip, text in noted.items():
        by_text.setdefault(text, []).append(clip)
    for text, (first, *others) in by_text.items():
        more = f" and {len(others)} more" if others else ""
        yield Note(f"{clip_key(first)}{more}", text)


def _segment(
    clip: Clip, looked: Looked | None, predictor: Predictor, duration_seconds: float
) -> Segment:
    """Return a window with its answer, none where it could not be read."""
    end = duration_seconds if clip.end_seconds is None else min(clip.end_seconds, duration_seconds)
    answer = Answer(None, 0.0) if looked is None else predictor.say(looked)
    return Segment(clip.start_seconds, end, **vars(answer))

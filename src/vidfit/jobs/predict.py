"""The way back: a model and videos in, answers over time out.

The same sampling, preprocessing, backbones and head run as in `fit`, by the same code.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vidfit import backbones as zoo
from vidfit.contracts import (
    Backbone,
    Clip,
    ClipFeatures,
    Failure,
    FittedFusion,
    Floats,
    Progress,
    Segment,
    StagedFusion,
    Timeline,
    clip_key,
)
from vidfit.errors import ModelError, VideoError, VidfitError
from vidfit.features import ClipOutcome, stream
from vidfit.hardware import hardware
from vidfit.jobs import heads
from vidfit.metrics import probabilities
from vidfit.model import Model, load_model, member_directory
from vidfit.runtime import accelerate
from vidfit.shown import name_of
from vidfit.threads import in_threads
from vidfit.video import VideoReader
from vidfit.work import Launcher, Work

_WHOLE_CLIP_WINDOWS = 1.5
"""A video of up to so many windows is answered as one clip."""

_AS_LONG_AS = 1.05
"""So much longer than the longest training clip still counts as that long."""


@dataclass(frozen=True)
class Answer:
    """The class of a clip, none where the model declined; see `vidfit.contracts.Segment`."""

    label: str | None
    probability: float
    declined: bool = False


@dataclass(frozen=True)
class Predictor:
    """A loaded model: its networks are open and it may be asked again and again."""

    model: Model
    backbones: tuple[Backbone, ...]
    head: FittedFusion

    def wanted(self, features: Mapping[str, ClipFeatures]) -> Sequence[str]:
        """Return the members to ask next about a clip, by what the others saw in it."""
        if not isinstance(self.head, StagedFusion):
            return () if features else [backbone.spec.name for backbone in self.backbones]
        return [self.model.members[i] for i in self.head.wanted(self._blocks(features))]

    def answer(self, features: Mapping[str, ClipFeatures]) -> Answer:
        """Answer a clip by what its members saw in it, or decline to."""
        # Only a staged head, which knows what to do without them, is given absent blocks.
        blocks: Sequence[Floats] = self._blocks(features)  # type: ignore[assignment]
        answer_K = probabilities(self.head.log_probabilities(blocks), self.model.temperature)[0]
        best = int(answer_K.argmax())
        probability = float(answer_K[best])
        declined = (
            probability < self.model.unknown_probability
            or float(self.head.novelty(blocks)[0]) > self.model.unknown_novelty
        )
        return Answer(None if declined else self.model.classes[best], probability, declined)

    def _blocks(self, features: Mapping[str, ClipFeatures]) -> list[Floats | None]:
        pool = heads.pooling(self.model.head)
        return [
            pool(features[name].tokens_ND)[None] if name in features else None
            for name in self.model.members
        ]


def load(directory: Path, own: Sequence[str] = ()) -> Predictor:
    """Open a model directory that `fit` wrote.

    Parameters
    ----------
    own
        ``FILE.py:NAME`` of encoders of one's own that the model may hold: the file knows how
        to restore them, a model directory never holds code.

    Raises
    ------
    ModelError
        If it is incomplete or altered.
    BackboneError
        If a member cannot run here.
    """
    model = load_model(directory)
    for name in own:
        zoo.load(name)
    backbones = tuple(
        accelerate(zoo.restore(member_directory(directory, i))) for i in range(len(model.members))
    )
    if model.head not in heads.KINDS:
        raise ModelError(
            f"{directory} has a head of the kind {model.head!r}; this vidfit knows "
            f"{', '.join(heads.KINDS)}: update vidfit"
        )
    return Predictor(model, backbones, heads.restore(model.head, model.arrays))


def run_predict(
    predictor: Predictor,
    path: str,
    *,
    window_seconds: float | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Timeline:
    """Answer a video: one as long as a training clip as a whole, a longer one by windows.

    A window that cannot be read has no label and probability 0, and is listed in
    ``failures``; the others are answered. Memory does not grow with the length of the video,
    but for the answers themselves.

    Parameters
    ----------
    window_seconds
        Length of a window; ``None`` takes that of the model's training clips.

    Raises
    ------
    VideoError
        If the video cannot be read, or none of its windows.
    """
    if window_seconds is not None and not window_seconds > 0:
        raise VidfitError(f"a window of {window_seconds:g} s is none; give more than 0")
    with VideoReader(path) as reader:
        info = reader.info
    model = predictor.model
    clips = _clips(path, info.duration_seconds, model, window_seconds)
    if progress:
        progress.start(Path(name_of(path)).name, len(clips))
    answers: dict[Clip, Segment] = {}
    failed: dict[Clip, str] = {}
    seen = 0
    asked: Counter[str] = Counter()
    workers = workers or hardware().cores
    for outcome in stream(clips, predictor.backbones, workers=workers, wanted=predictor.wanted):
        answer, reason = _answer(predictor, outcome)
        start, end = outcome.clip.start_seconds, outcome.clip.end_seconds
        end = info.duration_seconds if end is None else end
        answers[outcome.clip] = Segment(
            start, end, answer.label, answer.probability, answer.declined
        )
        if reason:
            failed[outcome.clip] = reason
        seen += len({int(i) for f in outcome.features.values() for i in f.indices})
        asked.update(outcome.features.keys())
        if progress:
            progress.advance()
    if len(failed) == len(clips):
        why = failed[clips[0]].removeprefix(f"{path}: ")
        raise VideoError(f"{path}: no part of it can be answered: {why}")
    ordered = tuple(answers[clip] for clip in clips)
    return Timeline(
        path=path,
        duration_seconds=info.duration_seconds,
        classes=model.classes,
        windows=ordered,
        segments=tuple(join(ordered)),
        frames_seen=seen,
        frame_count=info.frame_count,
        sampling=", ".join(f"{b.spec.name} {b.spec.sampling}" for b in predictor.backbones),
        asked=dict(asked),
        failures=tuple(Failure(clip_key(clip), failed[clip]) for clip in clips if clip in failed),
    )


def _clips(
    path: str, duration_seconds: float, model: Model, window_seconds: float | None
) -> list[Clip]:
    """Return the video as one clip, or its windows when it is longer than a clip."""
    window = window_seconds or model.window_seconds
    whole = window * _WHOLE_CLIP_WINDOWS
    if window_seconds is None:
        whole = max(whole, model.longest_seconds * _AS_LONG_AS)
    if duration_seconds <= whole:
        return [Clip(path)]
    return list(windows(path, duration_seconds, window))


@dataclass(frozen=True)
class Video:
    """A video to answer: a file, a folder of frames or a URL."""

    path: str


@dataclass(frozen=True)
class Answered:
    """The answers to a video, or why there are none."""

    path: str
    timeline: Timeline | None
    failure: str = ""


@dataclass(frozen=True)
class Predict:
    """The task of answering videos, wherever it runs (`vidfit.work.Task`)."""

    predictor: Predictor
    window_seconds: float | None = None
    item: type[Video] = Video
    result: type[Answered] = Answered

    def open(self, workers: int) -> Work[Video, Answered]:
        """Return what answers videos in their order, each in one of so many threads."""
        return lambda videos: in_threads(self._one, videos, workers)

    def _one(self, video: Video) -> Answered:
        path = video.path
        try:
            timeline = run_predict(
                self.predictor, path, window_seconds=self.window_seconds, workers=1
            )
        except VideoError as error:
            return Answered(path, None, str(error).removeprefix(f"{path}: "))
        return Answered(path, timeline)


def predict_many(
    predictor: Predictor,
    paths: Iterable[str],
    place: Launcher,
    *,
    window_seconds: float | None = None,
    progress: Progress | None = None,
) -> Iterator[Timeline | Failure]:
    """Yield the answers to many videos in their order; those that cannot be read as failures.

    One video is spread over the cores of this machine by windows, several are spread by videos,
    wherever they run. Paths are taken as they are needed: there may be any number of them.
    """
    alone = isinstance(paths, Sequence) and len(paths) == 1
    if alone:
        (path,) = paths
        cores = min(place.workers, hardware().cores)
        try:
            yield run_predict(
                predictor, path, window_seconds=window_seconds, workers=cores, progress=progress
            )
        except VideoError as error:
            yield Failure(path, str(error).removeprefix(f"{path}: "))
        return
    videos: Iterable[Video] = (Video(path) for path in paths)
    if isinstance(paths, Sequence):
        videos = list(videos)
        if progress:
            progress.start("predict", len(paths))
    for one in place.map(Predict(predictor, window_seconds), videos, progress):
        yield one.timeline or Failure(one.path, one.failure)


def _answer(predictor: Predictor, outcome: ClipOutcome) -> tuple[Answer, str]:
    """Return the answer, and the reason when there is none."""
    reason = outcome.failure or "; ".join(outcome.backbone_failures.values())
    if reason:
        return Answer(None, 0.0), reason
    return predictor.answer(outcome.features), ""


def windows(path: str, duration_seconds: float, window_seconds: float) -> Iterator[Clip]:
    """Yield equal windows that cover the video, as near to the wanted length as they can be."""
    count = max(1, round(duration_seconds / window_seconds))
    edges = np.linspace(0.0, duration_seconds, count + 1)
    for i in range(count):
        end = None if i == count - 1 else float(edges[i + 1])
        yield Clip(path, float(edges[i]), end)


def join(answers: Sequence[Segment]) -> Iterator[Segment]:
    """Yield runs of windows with one answer as one segment; probability is their mean.

    Windows that could not be read stay apart from those that were declined.
    """
    start = 0
    kinds = [(segment.label, segment.declined) for segment in answers]
    for i in range(1, len(answers) + 1):
        if i == len(answers) or kinds[i] != kinds[start]:
            run = answers[start:i]
            mean = float(np.mean([segment.probability for segment in run]))
            yield replace(run[0], end_seconds=run[-1].end_seconds, probability=mean)
            start = i

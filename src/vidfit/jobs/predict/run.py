"""The way back: a model and videos in, answers over time out.

The same sampling, preprocessing, backbones and head run as in `fit`, by the same code.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from vidfit.contracts import (
    SILENT,
    Clip,
    Failure,
    Note,
    Progress,
    Segment,
    StagedFusion,
    Timeline,
    clip_key,
)
from vidfit.errors import VideoError, VidfitError
from vidfit.features import ClipOutcome, ToSee, stream_each
from vidfit.hardware import hardware
from vidfit.jobs.predict.declined import Unknown
from vidfit.jobs.predict.predictor import Answer, Looked, Predictor
from vidfit.jobs.predict.windows import clips_of, join, length_of
from vidfit.shown import name_of
from vidfit.tasks import task_named
from vidfit.video import VideoInfo, VideoReader


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
    (timeline,) = run_predict_all(
        (predictor.declining(unknown),), path,
        span=span, window_seconds=window_seconds, workers=workers, progress=progress,
    )  # fmt: skip
    return timeline


def run_predict_all(
    predictors: Sequence[Predictor],
    path: str,
    *,
    span: tuple[float, float | None] = (0.0, None),
    window_seconds: float | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> tuple[Timeline, ...]:
    """Answer a video by several models, each as `run_predict` does, from one decode.

    Returns
    -------
    tuple
        A timeline for each model.

    Raises
    ------
    VideoError
        If the video cannot be read, or a model can answer no part of it.
    """
    if window_seconds is not None and not window_seconds > 0:
        raise VidfitError(f"a window of {window_seconds:g} s is none; give more than 0")
    with VideoReader(path) as reader:
        info = reader.info
    whole = Clip(path, *span)
    length = length_of(whole, info.duration_seconds)
    clips = [clips_of(whole, length, one.model, window_seconds) for one in predictors]
    answers = [_Answers(*pair) for pair in zip(predictors, clips, strict=True)]
    asked = [one for of, answer in enumerate(answers) for one in answer.to_see(of)]
    progress = progress or SILENT
    progress.start(Path(name_of(path)).name, len(asked))
    in_order = sorted(asked, key=lambda one: one.clip.start_seconds)
    for outcome in stream_each(in_order, workers=workers or hardware().cores):
        answers[outcome.of].add(outcome)
        progress.advance()
    return tuple(answer.timeline(info) for answer in answers)


class _Answers:
    """What one model answers to the clips of a video."""

    def __init__(self, predictor: Predictor, clips: Sequence[Clip]) -> None:
        self._predictor, self._clips = predictor, clips
        self._looked: dict[Clip, Looked] = {}
        self._failed: dict[Clip, str] = {}
        self._noted: dict[Clip, str] = {}
        self._asked: Counter[str] = Counter()
        self._seen = 0

    def to_see(self, of: int) -> Iterator[ToSee]:
        """Yield the clips; only a staged head asks its members in turn."""
        model = self._predictor
        wanted = model.wanted if isinstance(model.head, StagedFusion) else None
        return (ToSee(clip, model.backbones, wanted, of) for clip in self._clips)

    def add(self, outcome: ClipOutcome) -> None:
        """Answer a clip by what was seen of it, or note why not."""
        clip, features = outcome.clip, outcome.features
        if reason := outcome.failure or "; ".join(outcome.backbone_failures.values()):
            self._failed[clip] = reason
        else:
            self._looked[clip] = self._predictor.look(features)
        self._seen += len({int(i) for f in features.values() for i in f.indices})
        self._asked.update(features.keys())
        if said := max((f.note for f in features.values()), key=len, default=""):
            self._noted[clip] = said

    def timeline(self, info: VideoInfo) -> Timeline:
        """Return all answers in order.

        Raises
        ------
        VideoError
            If there is none.
        """
        clips, failed, predictor = self._clips, self._failed, self._predictor
        if len(failed) == len(clips):
            why = failed[clips[0]].removeprefix(f"{info.path}: ")
            raise VideoError(f"{info.path}: no part of it can be answered: {why}")
        looked = predictor.in_time(self._looked)
        ordered = tuple(
            _segment(clip, looked.get(clip), predictor, info.duration_seconds) for clip in clips
        )
        return Timeline(
            path=info.path,
            duration_seconds=info.duration_seconds,
            classes=predictor.model.classes,
            labels=task_named(predictor.model.task).kind.name,
            windows=ordered,
            segments=tuple(join(ordered)),
            frames_seen=self._seen,
            frame_count=info.frame_count,
            sampling=", ".join(f"{b.spec.name} {b.spec.sampling}" for b in predictor.backbones),
            asked=dict(self._asked),
            failures=tuple(
                Failure(clip_key(clip), failed[clip]) for clip in clips if clip in failed
            ),
            notes=tuple(_notes({c: self._noted[c] for c in clips if c in self._noted})),
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

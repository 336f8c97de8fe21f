"""The way back: a model and videos in, answers over time out.

The same sampling, preprocessing, backbones and head run as in `fit`, by the same code.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from itertools import starmap
from pathlib import Path
from typing import Protocol

from vidfit.answers import Segment, Timeline
from vidfit.contracts import Backbone, Clip, ClipFeatures, Failure, Note, clip_key
from vidfit.errors import VideoError, VidfitError
from vidfit.features import ClipOutcome, ToSee, stream_each
from vidfit.fitted import StagedFusion
from vidfit.hardware import hardware
from vidfit.jobs.predict.declined import Unknown
from vidfit.jobs.predict.extent import Extent, extent_of, with_text
from vidfit.jobs.predict.partial import SeenWindow, windows_of
from vidfit.jobs.predict.predictor import Answer, Looked, Predictor
from vidfit.jobs.predict.windows import clips_of, join, length_of
from vidfit.progress import SILENT, Progress
from vidfit.shown import name_of
from vidfit.study.kept import KeptRows
from vidfit.tasks import task_named

KEPT_WINDOWS = 100
"""Of a video with no more windows than this nothing is kept: it is soon seen again."""


class LooksBeside(Protocol):
    """What looks at the videos that are answered, from the same decode: an index of shots.

    It may be asked by several threads at once, about different videos.
    """

    def to_see(self, path: str) -> Sequence[tuple[Clip, Sequence[Backbone]]]:
        """Return the parts of a video that it wants to see, and by whom, in order.

        Raises
        ------
        VideoError
            If the video cannot be read.
        """
        ...

    def add(self, outcome: ClipOutcome) -> None:
        """Take what was seen of a part, or why it could not be."""
        ...


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


def run_predict_all(  # noqa: PLR0913  (how one video is answered)
    predictors: Sequence[Predictor],
    path: str,
    *,
    span: tuple[float, float | None] = (0.0, None),
    window_seconds: float | None = None,
    workers: int | None = None,
    kept: Path | None = None,
    beside: LooksBeside | None = None,
    text: str = "",
    progress: Progress | None = None,
) -> tuple[Timeline, ...]:
    """Answer a video by several models, each as `run_predict` does, from one decode.

    Parameters
    ----------
    kept
        Folder for what is seen of a video of more than `KEPT_WINDOWS` windows until all of it is
        answered: the same call goes on where a killed one ended.
    beside
        Looks at the whole video, too.
    text
        What is said in it, where that is known; else subtitles beside it are read.

    Returns
    -------
    tuple
        A timeline for each model.

    Raises
    ------
    VideoError
        If the video cannot be read, or a model can answer no part of it.
    StoreError
        If ``kept`` cannot be written.
    """
    if window_seconds is not None and not window_seconds > 0:
        raise VidfitError(f"a window of {window_seconds:g} s is none; give more than 0")
    info = extent_of(path, {sense for one in predictors for sense in one.senses})
    whole = Clip(path, *span)
    length = length_of(whole, info.duration_seconds)
    clips = [
        with_text(clips_of(whole, length, one.model, window_seconds), one.senses, text)
        for one in predictors
    ]
    answers = [_Answers(of, *pair) for of, pair in enumerate(zip(predictors, clips, strict=True))]
    others = [ToSee(*one, of=len(answers)) for one in beside.to_see(path)] if beside else []
    progress = progress or SILENT
    progress.start(Path(name_of(path)).name, sum(map(len, clips)) + len(others))
    with _partial(kept, predictors, clips, path) as partial:
        for window in windows_of(partial) if partial else ():
            answers[window.of].put(window)
            progress.advance()
        asked = [one for answer in answers for one in answer.to_see()]
        in_order = sorted([*asked, *others], key=lambda one: one.clip.start_seconds)
        for outcome in stream_each(in_order, workers=workers or hardware().cores):
            progress.advance()
            if beside and outcome.of == len(answers):
                beside.add(outcome)
                continue
            window = answers[outcome.of].add(outcome)
            if partial and not window.failure:
                partial.add(window.row())
        return tuple(answer.timeline(info) for answer in answers)


def _partial(
    kept: Path | None, predictors: Sequence[Predictor], clips: Sequence[Sequence[Clip]], path: str
) -> KeptRows | nullcontext[None]:
    """Return where windows of a long video are kept, none for others, and for those at URLs."""
    models = [one.sha256 for one in predictors]
    if kept is None or not all(models) or max(map(len, clips)) <= KEPT_WINDOWS:
        return nullcontext()
    try:
        stat = Path(path).stat()
    except OSError:
        return nullcontext()
    edges = [[(c.start_seconds, c.end_seconds) for c in of] for of in clips]
    said = [[c.text for c in of] for of in clips if any(c.text for c in of)]
    return KeptRows(kept, [models, str(path), stat.st_size, stat.st_mtime_ns, edges, *said])


class _Answers:
    """What one model answers to the clips of a video."""

    def __init__(self, of: int, predictor: Predictor, clips: Sequence[Clip]) -> None:
        self._of, self._predictor, self._clips = of, predictor, clips
        self._place = {clip: place for place, clip in enumerate(clips)}
        self._windows: dict[int, SeenWindow] = {}

    def to_see(self) -> Iterator[ToSee]:
        """Yield the clips that are not seen yet; only a staged head asks its members in turn."""
        model = self._predictor
        wanted = model.wanted if isinstance(model.head, StagedFusion) else None
        for place, clip in enumerate(self._clips):
            if place not in self._windows:
                yield ToSee(clip, model.backbones, wanted, self._of)

    def put(self, window: SeenWindow) -> None:
        """Take what an earlier run saw."""
        self._windows[window.place] = window

    def add(self, outcome: ClipOutcome) -> SeenWindow:
        """Take what was seen of a clip, and return it."""
        features, place = outcome.features, self._place[outcome.clip]
        framed = [one.spec.name for one in self._predictor.backbones if one.spec.sees == "frames"]
        shown = [features[name] for name in framed if name in features]
        window = SeenWindow(
            self._of,
            place,
            outcome.failure or "; ".join(outcome.backbone_failures.values()),
            seen=len({int(i) for one in shown for i in one.indices}),
            asked=tuple(features),
            note="; ".join(dict.fromkeys(filter(None, starmap(_note, features.items())))),
        )
        if not window.failure:
            window = replace(window, looked=self._predictor.look(features))
        self._windows[place] = window
        return window

    def timeline(self, info: Extent) -> Timeline:
        """Return all answers in order.

        Raises
        ------
        VideoError
            If there is none.
        """
        clips, predictor = self._clips, self._predictor
        windows = [self._windows[place] for place in range(len(clips))]
        pairs = list(zip(clips, windows, strict=True))
        failed = {clip: window.failure for clip, window in pairs if window.failure}
        if len(failed) == len(clips):
            why = failed[clips[0]].removeprefix(f"{info.path}: ")
            raise VideoError(f"{info.path}: no part of it can be answered: {why}")
        looked = predictor.in_time({clip: w.looked for clip, w in pairs if w.looked})
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
            frames_seen=sum(window.seen for window in windows),
            frame_count=info.frame_count,
            sampling=", ".join(map(_sampling, predictor.backbones)),
            asked=dict(Counter(name for window in windows for name in window.asked)),
            failures=tuple(Failure(clip_key(clip), why) for clip, why in failed.items()),
            notes=tuple(_notes({clip: window.note for clip, window in pairs if window.note})),
        )


def _sampling(backbone: Backbone) -> str:
    spec = backbone.spec
    words = " and words" if spec.reads else ""
    return f"{spec.name} {spec.sampling if spec.sees == 'frames' else spec.sees}{words}"


def _note(name: str, features: ClipFeatures) -> str:
    """Return what is said of what a member saw, or why it saw nothing."""
    return features.note if len(features.tokens_ND) else f"nothing for {name}: {features.note}"


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
    heat = looked.heat if looked else ()
    return Segment(clip.start_seconds, end, **vars(answer), heat=heat)

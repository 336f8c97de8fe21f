"""Answers to many videos, wherever they are given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vidfit.answers import Timeline
from vidfit.contracts import Clip, Failure
from vidfit.errors import VideoError
from vidfit.hardware import hardware
from vidfit.jobs.predict.predictor import Predictor
from vidfit.jobs.predict.run import LooksBeside, run_predict_all
from vidfit.progress import SILENT, Progress
from vidfit.threads import in_threads
from vidfit.work import Launcher, Work


@dataclass(frozen=True)
class Video:
    """A video to answer, or a span of one: a file, a folder of frames or a URL.

    ``trouble`` says why a row of a list cannot be answered; ``path`` is its name then. ``text`` is
    what is said in it, as far as a list knows.
    """

    path: str
    start_seconds: float = 0.0
    end_seconds: float | None = None
    trouble: str = ""
    text: str = ""

    @classmethod
    def of(cls, asked: str | Clip | Failure) -> Video:
        """Return what is asked for as an item of work."""
        if isinstance(asked, Failure):
            return cls(asked.name, trouble=asked.reason)
        if isinstance(asked, Clip):
            return cls(asked.path, asked.start_seconds, asked.end_seconds, text=asked.text or "")
        return cls(asked)


@dataclass(frozen=True)
class Answered:
    """The answers to a video, one of each model, or why there are none."""

    path: str
    timelines: tuple[Timeline, ...]
    failure: str = ""


@dataclass(frozen=True)
class Predict:
    """The task of answering videos, wherever it runs (`vidfit.work.Workload`)."""

    predictors: tuple[Predictor, ...]
    window_seconds: float | None = None
    kept: str = ""
    beside: LooksBeside | None = None
    item: type[Video] = Video
    result: type[Answered] = Answered

    def open(self, workers: int) -> Work[Video, Answered]:
        """Return what answers videos in their order, each in one of the threads."""
        return lambda videos: in_threads(self._one, videos, workers)

    def _one(self, video: Video) -> Answered:
        return self.answer(video, 1)

    def answer(self, video: Video, workers: int, progress: Progress = SILENT) -> Answered:
        """Answer one video in a number of threads; say why, if it cannot be answered."""
        if video.trouble:
            return Answered(video.path, (), video.trouble)
        try:
            timelines = run_predict_all(
                self.predictors,
                video.path,
                span=(video.start_seconds, video.end_seconds),
                window_seconds=self.window_seconds,
                workers=workers,
                kept=Path(self.kept) if self.kept else None,
                beside=self.beside,
                text=video.text,
                progress=progress,
            )
        except VideoError as error:
            return Answered(video.path, (), str(error).removeprefix(f"{video.path}: "))
        return Answered(video.path, timelines)


def predict_many(
    predictor: Predictor,
    asked: Iterable[str | Clip | Failure],
    place: Launcher,
    *,
    window_seconds: float | None = None,
    progress: Progress | None = None,
) -> Iterator[Timeline | Failure]:
    """Yield the answers of one model to many videos; see `predict_together`."""
    for found in predict_together(
        (predictor,), asked, place, window_seconds=window_seconds, progress=progress
    ):
        yield found if isinstance(found, Failure) else found[0]


def predict_together(  # noqa: PLR0913  (how videos are answered)
    predictors: Sequence[Predictor],
    asked: Iterable[str | Clip | Failure],
    place: Launcher,
    *,
    window_seconds: float | None = None,
    kept: Path | None = None,
    beside: LooksBeside | None = None,
    progress: Progress | None = None,
) -> Iterator[tuple[Timeline, ...] | Failure]:
    """Yield the answers of models to many videos in order; those that cannot be read as failures.

    One video is spread over the cores of this machine by windows, several are spread by videos,
    wherever they run. They are taken as they are needed: there may be any number of them.

    Parameters
    ----------
    asked
        Paths, or clips, of which the span is answered, or rows that could not be read.
    kept, beside
        As in `run_predict_all`; the second only on this machine.
    """
    progress = progress or SILENT
    task = Predict(tuple(predictors), window_seconds, str(kept or ""), beside)
    if isinstance(asked, Sequence) and len(asked) == 1:
        one = task.answer(Video.of(asked[0]), min(place.workers, hardware().cores), progress)
        yield one.timelines or Failure(one.path, one.failure)
        return
    videos: Iterable[Video] = map(Video.of, asked)
    if isinstance(asked, Sequence):
        videos = list(videos)
        progress.start("predict", len(asked))
    for one in place.map(task, videos, progress):
        yield one.timelines or Failure(one.path, one.failure)

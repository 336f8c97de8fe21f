"""Answer many videos: print a line each, write the files that were asked for."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import typer

from vidfit.cli.progress import Bars
from vidfit.contracts import Failure, Timeline
from vidfit.errors import ManifestError, VidfitError
from vidfit.jobs.predict import load, predict_many
from vidfit.report import TIMELINE_WRITERS, write_timeline
from vidfit.video import is_video_path


@dataclass(frozen=True)
class Wanted:
    """What files to write, and where; the rest as in `load` and `run_predict`."""

    output: Path | None
    suffixes: tuple[str, ...]
    window_seconds: float | None = None
    workers: int | None = None
    own: tuple[str, ...] = ()


def answer_all(model: Path, videos: Sequence[str], wanted: Wanted, bars: Bars) -> int:
    """Answer each video; one that cannot be read is named and stops nothing.

    Returns
    -------
    int
        How many videos could not be answered.
    """
    for suffix in wanted.suffixes:
        if f".{suffix}" not in TIMELINE_WRITERS:
            known = ", ".join(name.lstrip(".") for name in TIMELINE_WRITERS)
            raise VidfitError(f"there is no format {suffix!r}; valid are {known}")
    predictor = load(model, wanted.own)
    paths = list(_paths(videos))
    names = _names(paths)
    answers = predict_many(
        predictor,
        paths,
        window_seconds=wanted.window_seconds,
        workers=wanted.workers,
        progress=bars,
    )
    failed = 0
    for answer in answers:
        if isinstance(answer, Failure):
            typer.echo(f"{answer.name}: not answered: {answer.reason}", err=True)
            failed += 1
            continue
        _say(answer)
        if wanted.output is not None:
            for suffix in wanted.suffixes:
                write_timeline(answer, wanted.output / f"{names[answer.path]}.{suffix}")
    return failed


def _paths(videos: Sequence[str]) -> Iterator[str]:
    for video in videos:
        folder = Path(video)
        if "://" in video or not folder.is_dir():
            yield video
            continue
        found = sorted(str(path) for path in folder.rglob("*") if is_video_path(path))
        if not found:
            raise ManifestError(f"{folder} holds no videos")
        yield from found


def _names(paths: Sequence[str]) -> dict[str, str]:
    """Return the name of each video's answers: its own, with a digest where two share it."""
    stems = Counter(Path(path).stem for path in paths)
    return {
        path: Path(path).stem
        if stems[Path(path).stem] == 1
        else f"{Path(path).stem}-{hashlib.sha256(path.encode()).hexdigest()[:6]}"
        for path in paths
    }


def _say(timeline: Timeline) -> None:
    """Print the segments and which frames were seen."""
    typer.echo(
        f"{timeline.path}  {timeline.duration_seconds:.2f} s, "
        f"{timeline.frames_seen} of {timeline.frame_count} frames seen ({timeline.sampling})"
    )
    for segment in timeline.segments:
        typer.echo(
            f"  {segment.start_seconds:8.2f} - {segment.end_seconds:8.2f} s  "
            f"{segment.label}  {segment.probability:.1%}"
        )
    for failure in timeline.failures:
        typer.echo(f"  {failure.name}: not answered: {failure.reason}", err=True)

"""Answer many videos: print a line each, write the files that were asked for."""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path

import typer

from vidfit.cli.progress import Bars
from vidfit.contracts import Clip, Failure, Timeline
from vidfit.errors import ManifestError, VidfitError
from vidfit.jobs.predict import load, predict_many
from vidfit.launch import HERE, launcher
from vidfit.manifest import holds_shards, is_list, iter_clips, iter_members, stream_layout
from vidfit.report import TIMELINE_WRITERS, AnswersTable, write_timeline
from vidfit.video import is_video_path
from vidfit.video.source import is_url

TABLE = "parquet"
"""The format that holds all answers in one file."""


@dataclass(frozen=True)
class Wanted:
    """What files to write, and where; the rest as in `load` and `run_predict`."""

    output: Path | None
    suffixes: tuple[str, ...]
    window_seconds: float | None = None
    workers: int | None = None
    own: tuple[str, ...] = ()
    on: str = HERE


def answer_all(model: Path, videos: Sequence[str], wanted: Wanted, bars: Bars) -> int:
    """Answer each video; one that cannot be read is named and stops nothing.

    Returns
    -------
    int
        How many videos could not be answered.
    """
    files = [suffix for suffix in wanted.suffixes if suffix != TABLE]
    for suffix in files:
        if f".{suffix}" not in TIMELINE_WRITERS:
            known = ", ".join([*(name.lstrip(".") for name in TIMELINE_WRITERS), TABLE])
            raise VidfitError(f"there is no format {suffix!r}; valid are {known}")
    scratch = wanted.output or Path(tempfile.gettempdir())
    place = launcher(wanted.on, workers=wanted.workers, scratch=scratch)
    predictor = load(model, wanted.own)
    # Files have names that depend on all of them; a table takes any number of videos.
    found = _asked(videos, bars)
    asked = found if files == [] and wanted.output else list(found)
    names = _names(asked) if isinstance(asked, list) else repeat("")
    answers = predict_many(
        predictor, asked, place, window_seconds=wanted.window_seconds, progress=bars
    )
    failed = 0
    with _table(wanted) as table:
        for answer, name in zip(answers, names, strict=False):
            if table:
                table.add(answer)
            if isinstance(answer, Failure):
                typer.echo(f"{answer.name}: not answered: {answer.reason}", err=True)
                failed += 1
                continue
            _say(answer)
            if wanted.output is not None:
                for suffix in files:
                    write_timeline(answer, wanted.output / f"{name}.{suffix}")
    return failed


def _table(wanted: Wanted) -> AbstractContextManager[AnswersTable | None]:
    if wanted.output is None or TABLE not in wanted.suffixes:
        return nullcontext()
    return AnswersTable(wanted.output / f"answers.{TABLE}")


def _asked(videos: Sequence[str], bars: Bars) -> Iterator[Clip | Failure]:
    """Yield the clips of what was named; say what folders, lists and tables are read as."""
    for video in videos:
        path = Path(video)
        if is_url(video) and not is_video_path(video) and holds_shards(video):
            yield from map(Clip, iter_members(video))
            continue
        if is_url(video) or not (path.is_dir() or is_list(path)):
            yield Clip(video)
            continue
        if not path.exists():
            raise ManifestError(f"there is no {path}")
        bars.note(f"Read {path} as {stream_layout(path)}")
        found = iter_clips(path)
        first = next(found, None)
        if first is None:
            raise ManifestError(f"{path} holds no videos")
        yield from chain([first], found)


def _names(asked: Sequence[Clip | Failure]) -> list[str]:
    """Return the name of each clip's answers: its own, with a digest where two share it."""
    stems = [_stem(one) for one in asked]
    shared = Counter(stems)
    return [
        stem if shared[stem] == 1 else f"{stem}-{_digest(one)}"
        for stem, one in zip(stems, asked, strict=True)
    ]


def _stem(one: Clip | Failure) -> str:
    """Return the name of a video, and its span when it has one."""
    if isinstance(one, Failure):
        return ""
    stem = Path(one.path).stem
    if not one.start_seconds and one.end_seconds is None:
        return stem
    end = "end" if one.end_seconds is None else f"{one.end_seconds:g}"
    return f"{stem}@{one.start_seconds:g}-{end}"


def _digest(one: Clip | Failure) -> str:
    path = one.path if isinstance(one, Clip) else one.name
    return hashlib.sha256(path.encode()).hexdigest()[:6]


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
    for note in timeline.notes:
        typer.echo(f"  {note.name}: {note.text}", err=True)
    for failure in timeline.failures:
        typer.echo(f"  {failure.name}: not answered: {failure.reason}", err=True)

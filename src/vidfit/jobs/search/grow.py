"""Bring a library into the index: what is new is added, what changed replaced, the rest kept."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from vidfit.contracts import Backbone, Clip, Failure, clip_key
from vidfit.errors import VideoError
from vidfit.features.outcome import stream
from vidfit.features.store import file_digest
from vidfit.hardware import hardware
from vidfit.jobs.search.index import MOST_SECONDS, KnownVideo, ShotIndex, ShotRow
from vidfit.jobs.search.options import SearchOptions
from vidfit.jobs.search.query import Query
from vidfit.jobs.search.shots import refusal, shots_of, windows
from vidfit.jobs.search.value import Grown
from vidfit.progress import Progress
from vidfit.video import probe

_FLUSH_SHOTS = 2048
_FLUSH_SECONDS = 10.0


def grow(
    paths: Sequence[str],
    index: ShotIndex,
    encoders: Mapping[str, Backbone],
    options: SearchOptions,
    progress: Progress,
) -> Grown:
    """Add the shots of videos that the index does not have; forget those of others.

    Shots are written every few seconds: a killed run loses no more, and the next one goes on.
    Memory does not grow with the length of videos. Of a video that was moved nothing is computed
    again.

    Parameters
    ----------
    paths
        The videos of the library; those that cannot be read are listed and stop nothing.
    encoders
        By way; ``look`` and ``motion`` share the decode.
    """
    before = index.videos
    failures: list[Failure] = []
    videos = _scanned(paths, index, failures, progress)
    todo: dict[Clip, tuple[str, int]] = {}
    for video in {video.digest: video for video in videos}.values():
        spans = windows(video.path, (0.0, video.duration_seconds), options.shot_seconds)
        numbered = ((clip, (video.digest, number)) for number, clip in enumerate(spans))
        todo |= {clip: key for clip, key in numbered if key not in index.known}
    progress.start("look at shots", len(todo))
    workers = options.workers or hardware().cores
    failures += _looked(todo, index, encoders, workers, progress)
    index.tidy()
    shots = sum(int(answers_S.sum()) for answers_S in index.answers(Query("", "words")))
    return Grown(
        videos=len(videos),
        shots=shots,
        added=len({digest for digest, _ in todo.values()}),
        dropped=len(before.keys() - {*paths}),
        failures=tuple(failures),
    )


def _scanned(
    paths: Sequence[str], index: ShotIndex, failures: list[Failure], progress: Progress
) -> list[KnownVideo]:
    """Return the videos that can be read; only those of another size or time are read for that."""
    progress.start("look for videos", len(paths))
    old, videos, saved = dict(index.videos), [], time.monotonic()
    for path in paths:
        try:
            videos.append(_known(path, old.get(path)))
        except VideoError as error:
            failures.append(Failure(path, str(error).removeprefix(f"{path}: ")))
        progress.advance()
        if time.monotonic() - saved > _FLUSH_SECONDS:
            index.save_videos([*old.values(), *videos])
            saved = time.monotonic()
    if {video.path: video for video in videos} != old:
        index.save_videos(videos)
    return videos


def _known(path: str, old: KnownVideo | None) -> KnownVideo:
    try:
        facts = Path(path).stat()
        size, modified = facts.st_size, facts.st_mtime_ns
    except OSError:  # a URL, a member of a shard, or a file that is gone: the digest says it
        size, modified = -1, -1
    if old and size >= 0 and (old.bytes, old.modified) == (size, modified):
        return old
    digest = file_digest(path)
    if old and old.digest == digest:
        return replace(old, bytes=size, modified=modified)
    duration_seconds = probe(path).duration_seconds
    if not duration_seconds <= MOST_SECONDS:
        raise VideoError(f"{path}: it says that it lasts {duration_seconds:g} s; cut it")
    return KnownVideo(path, size, modified, digest, duration_seconds)


def _looked(
    todo: Mapping[Clip, tuple[str, int]],
    index: ShotIndex,
    encoders: Mapping[str, Backbone],
    workers: int,
    progress: Progress,
) -> Iterator[Failure]:
    """Write the shots of windows as they are found; yield the windows that cannot be read."""
    rows: list[ShotRow] = []
    written = time.monotonic()
    try:
        for outcome in stream([*todo], [*encoders.values()], workers=workers):
            if why := refusal(outcome):
                yield Failure(clip_key(outcome.clip), why.removeprefix(f"{outcome.clip.path}: "))
            else:
                seen = {way: outcome.features[one.spec.name] for way, one in encoders.items()}
                digest, number = todo[outcome.clip]
                rows += [ShotRow(digest, number, shot) for shot in shots_of(outcome.clip, seen)]
            progress.advance()
            if len(rows) >= _FLUSH_SHOTS or time.monotonic() - written > _FLUSH_SECONDS:
                index.add(rows)
                rows, written = [], time.monotonic()
    finally:
        index.add(rows)

"""Bring a library into the index: what is new is added, what changed replaced, the rest kept."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from vidfit.contracts import Backbone, Clip, Failure, clip_key
from vidfit.errors import VideoError
from vidfit.features.digests import file_digest
from vidfit.features.outcome import ClipOutcome, stream
from vidfit.hardware import hardware
from vidfit.jobs.search.index import ShotIndex, ShotRow
from vidfit.jobs.search.options import SearchOptions
from vidfit.jobs.search.query import Query
from vidfit.jobs.search.segments import MOST_SECONDS, KnownVideo
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
    arriving = ArrivingShots(index, encoders, options.shot_seconds)
    todo = [clips for video in videos if (clips := arriving.missing(video))]
    clips = [clip for of_video in todo for clip in of_video]
    progress.start("look at shots", len(clips))
    workers = options.workers or hardware().cores
    with arriving:
        for outcome in stream(clips, [*encoders.values()], workers=workers):
            arriving.add(outcome)
            progress.advance()
    shots = sum(int(answers_S.sum()) for answers_S in index.answers(Query("", "words")))
    return Grown(
        videos=len(videos),
        shots=shots,
        added=len(todo),
        dropped=len(before.keys() - {*paths}),
        failures=(*failures, *arriving.failures),
    )


def _scanned(
    paths: Sequence[str], index: ShotIndex, failures: list[Failure], progress: Progress
) -> list[KnownVideo]:
    """Return the videos that can be read; only those of another size or time are read for that."""
    progress.start("look for videos", len(paths))
    old, videos, saved = dict(index.videos), [], time.monotonic()
    for path in paths:
        try:
            videos.append(known_video(path, old.get(path)))
        except VideoError as error:
            failures.append(Failure(path, str(error).removeprefix(f"{path}: ")))
        progress.advance()
        if time.monotonic() - saved > _FLUSH_SECONDS:
            index.save_videos([*old.values(), *videos])
            saved = time.monotonic()
    if {video.path: video for video in videos} != old:
        index.save_videos(videos)
    return videos


def known_video(path: str, old: KnownVideo | None) -> KnownVideo:
    """Return a video as it is now; one of the same size and time as before is not read.

    Raises
    ------
    VideoError
        If it cannot be read, or says that it is longer than `MOST_SECONDS`.
    """
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


class ArrivingShots:
    """Shots on their way into an index, written every few seconds; several threads may add.

    Parameters
    ----------
    shot_seconds
        A shot is no longer.

    Attributes
    ----------
    failures
        Windows that could not be read.
    """

    def __init__(
        self, index: ShotIndex, encoders: Mapping[str, Backbone], shot_seconds: float
    ) -> None:
        self._index, self._encoders, self._shot_seconds = index, encoders, shot_seconds
        self.failures: list[Failure] = []
        self._asked: dict[Clip, tuple[str, int]] = {}
        self._taken = {*index.known}
        self._rows: list[ShotRow] = []
        self._written = time.monotonic()
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Write the last shots, of a run that was stopped, too."""
        self._index.add(self._rows)
        if error is None:
            self._index.tidy()

    def missing(self, video: KnownVideo) -> list[Clip]:
        """Return the windows of a video whose shots are not in the index, each only once."""
        spans = windows(video.path, (0.0, video.duration_seconds), self._shot_seconds)
        keys = {clip: (video.digest, number) for number, clip in enumerate(spans)}
        with self._lock:
            missing = {clip: key for clip, key in keys.items() if key not in self._taken}
            self._taken |= {*missing.values()}
            self._asked |= missing
        return [*missing]

    def add(self, outcome: ClipOutcome) -> None:
        """Take what encoders saw in a window that was missing."""
        why = refusal(outcome)
        with self._lock:
            key = self._asked.pop(outcome.clip)
            if why:
                reason = why.removeprefix(f"{outcome.clip.path}: ")
                self.failures.append(Failure(clip_key(outcome.clip), reason))
                return
            seen = {way: outcome.features[one.spec.name] for way, one in self._encoders.items()}
            self._rows += [ShotRow(*key, shot) for shot in shots_of(outcome.clip, seen)]
            full = len(self._rows) >= _FLUSH_SHOTS
            if full or time.monotonic() - self._written > _FLUSH_SECONDS:
                self._index.add(self._rows)
                self._rows, self._written = [], time.monotonic()

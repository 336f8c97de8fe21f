"""Decode once, ask many backbones.

Each worker thread takes the clips of one video, decodes the union of the frames that the
backbones want, and asks each backbone itself, with one thread. Decoding and inference so
overlap across workers, no core waits for another, and a worker holds the sampled frames of
one clip at a time: memory does not grow with the length of the videos.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import groupby

import numpy as np

from vidfit.contracts import Backbone, Clip, ClipFeatures, Frames, Indices, clip_key
from vidfit.errors import BackboneError, VideoError
from vidfit.features.store import clip_digest, file_digest
from vidfit.features.views import Gathered, gather_together, gather_views, views_bytes
from vidfit.video import VideoReader

_CLIPS_A_JOB = 16
_VIEWS_A_FORWARD = 8
_TOGETHER_BYTES = 128 * 2**20


Wanted = Callable[[Mapping[str, ClipFeatures]], Sequence[str]]
"""What backbones saw in a clip, by name -> names of those to run next; none when it is enough."""


@dataclass
class ClipOutcome:
    """What was seen of one clip; ``of`` is that of what was asked.

    ``features`` by backbone name, of what was computed now; ``failure`` says why the clip
    could not be read, ``backbone_failures`` which backbones could not answer, and why.
    """

    clip: Clip
    digest: str = ""
    failure: str = ""
    decode_seconds: float = 0.0
    features: dict[str, ClipFeatures] = field(default_factory=dict)
    backbone_failures: dict[str, str] = field(default_factory=dict)
    of: int = 0


@dataclass(frozen=True)
class ToSee:
    """A clip, and who looks at it.

    Parameters
    ----------
    wanted
        Says which backbones to run next, given what the others saw in the clip; ``None`` runs
        all at once, from one decode.
    of
        Tells apart who asks for the same clip.
    """

    clip: Clip
    backbones: Sequence[Backbone]
    wanted: Wanted | None = None
    of: int = 0


def stream(
    clips: Sequence[Clip],
    backbones: Sequence[Backbone],
    *,
    workers: int,
    known: Mapping[str, set[str]] | None = None,
    wanted: Wanted | None = None,
) -> Iterator[ClipOutcome]:
    """Yield each clip as it is finished; all are seen by the same backbones. See `stream_each`."""
    asked = [ToSee(clip, backbones, wanted) for clip in clips]
    return stream_each(asked, workers=workers, known=known)


def stream_each(
    asked: Sequence[ToSee], *, workers: int, known: Mapping[str, set[str]] | None = None
) -> Iterator[ClipOutcome]:
    """Yield each clip as it is finished, with bounded look-ahead.

    Clips of one video that stand together are read in one pass where they overlap: give them in
    the order in which they start.

    Parameters
    ----------
    known
        By backbone name, the digests of clips that need no computing. ``None`` computes
        everything and gives no digests.
    """
    stop = threading.Event()
    readers = _Readers()

    def run(job: _Job) -> list[ClipOutcome]:
        content = job.video.content if known is not None else ""
        # Of what is stored a part may be known: only the rest is decoded.
        runs = [[one] for one in job.asked] if known is not None else _overlapping(job.asked)
        outcomes = []
        for some in runs:
            if stop.is_set():
                break
            for one, ready in zip(some, _gathered(some, readers), strict=True):
                outcome = _outcome(one, content)
                at_once = [
                    b for b in one.backbones
                    if known is None or outcome.digest not in known[b.spec.name]
                ]  # fmt: skip
                for turn in _in_turn(at_once, outcome, one.wanted):
                    _run(outcome, turn, readers, ready)
                outcomes.append(outcome)
        return outcomes

    jobs = _jobs(asked, workers)
    with ThreadPoolExecutor(workers, thread_name_prefix="vidfit") as pool:
        running: set[Future[list[ClipOutcome]]] = set()
        try:
            for job in jobs:
                running.add(pool.submit(run, job))
                if len(running) >= 2 * workers:
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        yield from future.result()
            while running:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    yield from future.result()
        except KeyboardInterrupt:
            stop.set()
            for future in running:
                if not future.cancel():  # it runs: its present clip is finished and kept
                    yield from future.result()
            raise
        except BaseException:
            stop.set()
            for future in running:
                future.cancel()
            raise
        finally:
            pool.shutdown(wait=True)
            readers.close()


@dataclass
class _Video:
    """A video's digest, or why it has none: read once for all of its clips."""

    path: str

    @cached_property
    def content(self) -> str | VideoError:
        try:
            return file_digest(self.path)
        except VideoError as error:
            return error


@dataclass(frozen=True)
class _Job:
    """Some clips of one video."""

    video: _Video
    asked: Sequence[ToSee]


def _overlapping(asked: Sequence[ToSee]) -> Iterator[list[ToSee]]:
    """Yield clips of one video in runs that overlap, and whose frames fit in memory together."""
    run: list[ToSee] = []
    held, until = 0, 0.0
    for one in asked:
        frames_bytes = views_bytes([backbone.spec for backbone in one.backbones])
        full = held + frames_bytes > _TOGETHER_BYTES
        if run and (one.wanted or run[-1].wanted or full or one.clip.start_seconds >= until):
            yield run
            run, held, until = [], 0, 0.0
        end = one.clip.end_seconds
        until = max(until, math.inf if end is None else end)
        run.append(one)
        held += frames_bytes
    if run:
        yield run


def _gathered(run: Sequence[ToSee], readers: _Readers) -> Sequence[Gathered | None]:
    """Return the frames of clips that overlap from one pass; none where each is read by itself."""
    found: Sequence[Gathered] = ()
    if len(run) > 1:
        looks = [(one.clip, [backbone.spec for backbone in one.backbones]) for one in run]
        with suppress(VideoError):  # each clip tells it again
            found = gather_together(readers.open(run[0].clip.path), looks)
    return found or [None] * len(run)


def _jobs(asked: Sequence[ToSee], workers: int) -> Iterator[_Job]:
    """Group consecutive clips of one video, so that a reader goes forward through it.

    A video that is all there is, is dealt out to all workers.
    """
    size = min(_CLIPS_A_JOB, math.ceil(len(asked) / workers))
    for path, of_video in groupby(asked, key=lambda one: one.clip.path):
        video, spans = _Video(path), list(of_video)
        for i in range(0, len(spans), size):
            yield _Job(video, spans[i : i + size])


def _outcome(one: ToSee, content: str | VideoError) -> ClipOutcome:
    if isinstance(content, VideoError):
        return ClipOutcome(one.clip, failure=str(content), of=one.of)
    digest = clip_digest(one.clip, content) if content else ""
    return ClipOutcome(one.clip, digest=digest, of=one.of)


def _in_turn(
    backbones: Sequence[Backbone], outcome: ClipOutcome, wanted: Wanted | None
) -> Iterator[Sequence[Backbone]]:
    """Yield the backbones to run on a clip: all at once, or as they are wanted."""
    if wanted is None:
        yield backbones
        return
    while not outcome.failure and not outcome.backbone_failures:
        names = wanted(outcome.features)
        some = [backbone for backbone in backbones if backbone.spec.name in names]
        if not some:
            return
        yield some


def _run(
    outcome: ClipOutcome,
    backbones: Sequence[Backbone],
    readers: _Readers,
    ready: Gathered | None = None,
) -> None:
    """Decode a clip for some backbones unless it is ready, run them, and note what failed."""
    if outcome.failure or not backbones:
        return
    started = time.perf_counter()
    notes: list[str] = []
    try:
        reader = readers.open(outcome.clip.path)
        specs = [backbone.spec for backbone in backbones]
        if ready:
            views, notes = ready
        else:
            views = gather_views(reader, outcome.clip, specs, notes)
    except VideoError as error:
        outcome.failure = str(error)
        return
    outcome.decode_seconds += time.perf_counter() - started
    for backbone, (indices_VT, frames_VTHWC) in zip(backbones, views, strict=True):
        try:
            features = _forward(backbone, indices_VT, frames_VTHWC, reader)
        except Exception as error:  # a candidate's own code: whatever it raises drops it alone
            reason = f"{clip_key(outcome.clip)}: {type(error).__name__}: {error}"
            outcome.backbone_failures[backbone.spec.name] = reason
        else:
            outcome.features[backbone.spec.name] = replace(features, note="; ".join(notes))


def _forward(
    backbone: Backbone, indices_VT: Indices, frames_VTHWC: Frames, reader: VideoReader
) -> ClipFeatures:
    started = time.perf_counter()
    tokens_BND = np.concatenate(
        [
            backbone.forward(frames_VTHWC[v : v + _VIEWS_A_FORWARD])
            for v in range(0, len(frames_VTHWC), _VIEWS_A_FORWARD)
        ]
    )
    seconds = time.perf_counter() - started
    expected = (len(frames_VTHWC), backbone.spec.dim)
    if tokens_BND.ndim != 3 or tokens_BND.size == 0 or tokens_BND.shape[::2] != expected:
        raise BackboneError(
            f"{backbone.spec.name} gave tokens of shape {tokens_BND.shape} for {expected[0]} views;"
            f" expected [{expected[0]}, N, {expected[1]}] with N of at least 1"
        )
    tokens_ND = tokens_BND.reshape(-1, tokens_BND.shape[-1])
    if not np.isfinite(tokens_ND).all():
        raise BackboneError(f"{backbone.spec.name} gave features that are not finite")
    seen = np.unique(indices_VT)
    return ClipFeatures(tokens_ND, seen, reader.pts_seconds[seen], seconds)


class _Readers:
    """Each thread's open video, kept while the next job is of the same video."""

    def __init__(self) -> None:
        self._open: dict[int, tuple[str, VideoReader]] = {}

    def open(self, path: str) -> VideoReader:
        thread = threading.get_ident()
        if thread in self._open and self._open[thread][0] == path:
            return self._open[thread][1]
        if thread in self._open:
            self._open.pop(thread)[1].close()
        reader = VideoReader(path)
        self._open[thread] = (path, reader)
        return reader

    def close(self) -> None:
        for _, reader in self._open.values():
            reader.close()
        self._open.clear()

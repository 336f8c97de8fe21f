"""Decode once, ask many backbones.

Each worker thread takes the clips of one video, decodes the union of the frames that the
backbones want, and its sound, and asks each backbone itself, with one thread. Decoding and
inference so overlap across workers, no core waits for another, and a worker holds what is sampled
of one clip at a time: memory does not grow with the length of the videos.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import (
    Backbone,
    BackboneSpec,
    Clip,
    ClipFeatures,
    Floats,
    Indices,
    ReadingBackbone,
    clip_key,
)
from vidfit.errors import BackboneError, VideoError
from vidfit.features.digests import clip_digest, file_digest, row_key
from vidfit.features.senses import GivenViews, Readers, gather
from vidfit.features.views import Gathered, gather_together, views_bytes

_CLIPS_A_JOB = 16
_VIEWS_A_FORWARD = 8
_TOGETHER_BYTES = 128 * 2**20


Wanted = Callable[[Mapping[str, ClipFeatures]], Sequence[str]]
"""What backbones saw in a clip, by name -> names of those to run next; none when it is enough."""


@dataclass
class ClipOutcome:
    """What was seen of one clip; ``of`` is that of what was asked.

    ``features`` by backbone name, of what was computed now: without a token where the clip lacks
    what a backbone sees. ``failure`` says why the clip could not be read, or that it lacks what
    any of them sees; ``backbone_failures`` which backbones could not answer, and why.
    """

    clip: Clip
    digest: str = ""
    failure: str = ""
    decode_seconds: float = 0.0
    features: dict[str, ClipFeatures] = field(default_factory=dict)
    backbone_failures: dict[str, str] = field(default_factory=dict)
    of: int = 0


@dataclass(frozen=True, slots=True)
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
    known: Mapping[str, Container[str]] | None = None,
    wanted: Wanted | None = None,
) -> Iterator[ClipOutcome]:
    """Yield each clip as it is finished; all are seen by the same backbones. See `stream_each`."""
    asked = [ToSee(clip, backbones, wanted) for clip in clips]
    return stream_each(asked, workers=workers, known=known)


def stream_each(
    asked: Sequence[ToSee], *, workers: int, known: Mapping[str, Container[str]] | None = None
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
    readers = Readers()

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
                at_once = [b for b in one.backbones if not _is_known(b.spec, outcome, known)]
                for turn in _in_turn(at_once, outcome, one.wanted):
                    _run(outcome, turn, readers, ready)
                if len(at_once) == len(one.backbones):
                    _fail_unseen(outcome)
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
        frames_bytes = views_bytes(_framed(one.backbones))
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


def _framed(backbones: Sequence[Backbone]) -> list[BackboneSpec]:
    """Return the specs of those that see frames."""
    return [backbone.spec for backbone in backbones if backbone.spec.sees == "frames"]


def _gathered(run: Sequence[ToSee], readers: Readers) -> Sequence[Gathered | None]:
    """Return the frames of clips that overlap from one pass; none where each is read by itself."""
    found: Sequence[Gathered] = ()
    looks = [(one.clip, _framed(one.backbones)) for one in run]
    if len(run) > 1 and any(specs for _, specs in looks):
        with suppress(VideoError):  # each clip tells it again
            found = gather_together(readers.frames(run[0].clip.path), looks)
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


def _is_known(
    spec: BackboneSpec, outcome: ClipOutcome, known: Mapping[str, Container[str]] | None
) -> bool:
    if known is None or not outcome.digest:
        return False
    return row_key(spec, outcome.clip, outcome.digest) in known[spec.name]


def _fail_unseen(outcome: ClipOutcome) -> None:
    """Call a clip a failure that lacks what every backbone sees that it was shown to."""
    seen = outcome.features.values()
    if seen and not outcome.backbone_failures and not any(len(one.tokens_ND) for one in seen):
        outcome.failure = "; ".join(dict.fromkeys(one.note for one in seen))
        outcome.features = {}


def _run(
    outcome: ClipOutcome,
    backbones: Sequence[Backbone],
    readers: Readers,
    ready: Gathered | None = None,
) -> None:
    """Decode a clip for some backbones unless it is ready, run them, and note what failed."""
    if outcome.failure or not backbones:
        return
    started = time.perf_counter()
    found = gather(readers, outcome.clip, [one.spec for one in backbones], ready)
    outcome.decode_seconds += time.perf_counter() - started
    for backbone, seen in zip(backbones, found, strict=True):
        name = backbone.spec.name
        try:
            outcome.features[name] = features_of(backbone, seen)
        except Exception as error:  # a candidate's own code: whatever it raises drops it alone
            reason = f"{clip_key(outcome.clip)}: {type(error).__name__}: {error}"
            outcome.backbone_failures[name] = reason


def _forward(backbone: Backbone, views: NDArray[Any], text: str) -> Floats:
    if text and isinstance(backbone, ReadingBackbone):
        return backbone.forward_with(views, text)
    return backbone.forward(views)


def _without_repeats(seen: GivenViews) -> tuple[NDArray[Any], Indices | None]:
    """Return the views that are not as the one before, and where each view is among them.

    A clip with fewer frames than are wanted of it, such as a photo, repeats them.
    """
    views = seen.views
    if len(seen.indices) >= len(views) * views.shape[1]:
        return views, None
    new_B = [not np.array_equal(a, b) for a, b in pairwise(views)]
    is_new_B = np.array([True, *new_B])
    return views[is_new_B], np.cumsum(is_new_B) - 1


def features_of(backbone: Backbone, seen: GivenViews | str) -> ClipFeatures:
    """Return what a backbone makes of its views of a clip; no token where there are none.

    Raises
    ------
    BackboneError
        If it breaks its contract.
    """
    spec = backbone.spec
    if isinstance(seen, str):
        none = np.zeros(0, np.int64)
        return ClipFeatures(np.zeros((0, spec.dim), np.float32), none, none / 1.0, 0.0, seen)
    started = time.perf_counter()
    views, place_B = _without_repeats(seen) if spec.sees == "frames" else (seen.views, None)
    count = len(views)
    pieces = range(0, count, _VIEWS_A_FORWARD)
    tokens_BND = np.concatenate(
        [_forward(backbone, views[v : v + _VIEWS_A_FORWARD], seen.text) for v in pieces]
    )
    seconds = time.perf_counter() - started
    if tokens_BND.ndim != 3 or tokens_BND.size == 0 or tokens_BND.shape[::2] != (count, spec.dim):
        raise BackboneError(
            f"{spec.name} gave tokens of shape {tokens_BND.shape} for {count} views;"
            f" expected [{count}, N, {spec.dim}] with N of at least 1"
        )
    if place_B is not None:
        tokens_BND = tokens_BND[place_B]
    tokens_ND = tokens_BND.reshape(-1, tokens_BND.shape[-1])
    if not np.isfinite(tokens_ND).all():
        raise BackboneError(f"{spec.name} gave features that are not finite")
    return ClipFeatures(tokens_ND, seen.indices, seen.pts_seconds, seconds, seen.note)

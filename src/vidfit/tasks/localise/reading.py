"""From lists of labelled spans to the windows of the videos."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Clip, Failure, clip_key
from vidfit.errors import ManifestError, VideoError
from vidfit.labels import Kind
from vidfit.manifest import Manifest, counted, faults_of, losses, read_manifest
from vidfit.tasks.localise.moments import MOMENTS, NOTHING, parsed, written
from vidfit.video import VideoReader

Edges = NDArray[np.float64]
Odd = dict[str, list[str]]
"""What is odd about spans, and of which."""

AFTER_END = "Spans that end after their video, and are cut"

SHORTEST_SECONDS, LONGEST_SECONDS = 0.2, 2.0
"""Of a window."""

BLOCKS = 10
"""A single video is cut into blocks of time, each its own recording."""


def read_windows(
    source: str | Path,
    groups: Path | None = None,
    kind: Kind | None = None,
    *,
    between: str | None = NOTHING,
) -> Manifest:
    """Read spans, and return the windows of their videos.

    Spans are rows of a list with a start, an end and a label; `vidfit.manifest.read_manifest` says
    of which forms. Time between spans is background, unless some time of the video is labelled
    ``background``: the list then says all of it, and the time between is not labelled. Time of a
    row without a label is not labelled, whatever the list says of the rest; neither are windows
    that touch time that rows tell of that cannot be used, or spans that are too short to hold the
    middle of one. Windows are as long as a quarter of a short span, 0.2 to 2 seconds.

    Parameters
    ----------
    between
        Label of the time between spans; ``None`` where it is not labelled.

    Raises
    ------
    ManifestError
        If no row is a span, or no video can be read.
    """
    manifest = read_manifest(source, groups=groups, labels="one")
    failures, warnings = list(manifest.rejected), list(manifest.warnings)
    spans: dict[str, list[Clip]] = defaultdict(list)
    bare: dict[str, list[Clip]] = defaultdict(list)
    unread = by_path(manifest.unread)
    for clip in manifest.clips:
        if clip.label is None:
            bare[clip.path].append(clip)
        elif clip.end_seconds is not None:
            spans[clip.path].append(clip)
        else:
            failures.append(Failure(clip_key(clip), "it has no end"))
            unread[clip.path].append(clip)
    if not spans:
        raise ManifestError(
            f"{source} has no labelled spans; valid is a table with the columns path, label, start "
            "and end, in seconds"
        )
    window = window_seconds([span for of in spans.values() for span in of])
    clips: list[Clip] = []
    odd: Odd = defaultdict(list)
    left: Counter[str] = Counter()
    for path, of in spans.items():
        try:
            with VideoReader(path) as reader:
                duration = reader.info.duration_seconds
        except VideoError as error:
            failures.append(Failure(path, str(error).removeprefix(f"{path}: ")))
            continue
        kept = list(_checked(of, duration, failures, odd))
        edges = edges_of(duration, window)
        says_all = any(span.label == NOTHING for span in of)
        rest = None if says_all else between
        found = windows(path, edges, kept, bare[path], rest)
        seen = {clip.label for clip in found}
        short = [span for span in kept if _text(span) not in seen]
        if unread[path] or short:
            known = windows(path, edges, kept, bare[path], rest, [*unread[path], *short])
            left[path] += len(found) - len(known)
            found = known
        failures += [
            Failure(
                clip_key(span), f"it is too short: no window of {window:.2g} s has its middle in it"
            )
            for span in short
        ]
        clips += found
    warnings += [*told(odd), *not_background(left, window)]
    if not clips:
        raise ManifestError(f"no video of {source} can be read", faults_of(failures))
    if all(clip.label == NOTHING for clip in clips) and failures:
        raise ManifestError(
            f"no span of {source} can be used: {losses(failures, len(failures))}. Valid are "
            "spans that begin before their video ends, in seconds"
        )
    if len({clip.recording for clip in clips}) == 1:
        clips = in_blocks(clips)
        warnings.append(
            f"One recording only: it is cut into {BLOCKS} blocks of time, with gaps between them. "
            "What is said holds for more of this recording; it says nothing of others."
        )
    return replace(
        manifest, clips=tuple(clips), kind=MOMENTS, rejected=tuple(failures),
        warnings=tuple(warnings), layout="labelled spans", missing=(),
    )  # fmt: skip


def window_seconds(spans: Sequence[Clip]) -> float:
    """Return how long windows are: a quarter of a short span (a tenth of them are shorter)."""
    lengths = [float(span.end_seconds or 0) - span.start_seconds for span in spans]
    short = float(np.quantile(lengths, 0.1)) / 4
    return float(np.clip(short, SHORTEST_SECONDS, LONGEST_SECONDS))


def edges_of(duration: float, seconds: float) -> Edges:
    """Return where windows of about a length begin and end, in seconds."""
    return np.linspace(0.0, duration, max(1, round(duration / seconds)) + 1)


def by_path(clips: Sequence[Clip]) -> defaultdict[str, list[Clip]]:
    """Return clips by their video."""
    found: defaultdict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        found[clip.path].append(clip)
    return found


def not_background(left: Mapping[str, int], window: float) -> list[str]:
    """Say how much time is not labelled, as rows that tell of it cannot be used.

    Parameters
    ----------
    left
        Windows of each video.
    """
    paths = [path for path, count in left.items() if count]
    if not paths:
        return []
    return [
        f"{sum(left.values()) * window:.3g} s of {counted(len(paths), 'video')} (such as "
        f"{paths[0]}) are not labelled, as rows that tell of them cannot be used: they are no "
        "background."
    ]


def windows(
    path: str,
    edges: Edges,
    spans: Sequence[Clip],
    bare: Sequence[Clip],
    between: str | None,
    unread: Sequence[Clip] = (),
) -> list[Clip]:
    """Return the windows of a video, each with the span that its middle lies in.

    Parameters
    ----------
    bare
        Time that is not labelled where no span is.
    between
        Label of the rest of the time.
    unread
        Time of which it is not known what is in it: no window that touches it is labelled by
        ``between``.
    """
    group = spans[0].group if spans else None
    split = spans[0].split if spans else None
    found = []
    for start, end in pairwise(map(float, edges)):
        is_known = not _at((start + end) / 2, bare) and not _touches(start, end, unread)
        label = between if is_known else None
        if span := _at((start + end) / 2, spans):
            label = _text(span)
        if label is not None:
            found.append(Clip(path, start, end, label, group, split))
    return found


def _at(seconds: float, spans: Sequence[Clip]) -> Clip | None:
    """Return the last of the spans that a moment lies in."""
    there = (s for s in spans[::-1] if s.start_seconds <= seconds < _end(s))
    return next(there, None)


def _touches(start: float, end: float, spans: Sequence[Clip]) -> bool:
    """Return whether a window and a span, or a moment, have time in common."""
    return any(
        s.start_seconds < end and (start < _end(s) or start <= s.start_seconds) for s in spans
    )


def _end(span: Clip) -> float:
    return np.inf if span.end_seconds is None else span.end_seconds


def in_blocks(clips: Sequence[Clip]) -> list[Clip]:
    """Return windows of one recording as those of blocks of time, less those at the edges."""
    last = max(float(clip.end_seconds or 0) for clip in clips)
    gap = min(2 * LONGEST_SECONDS, last / BLOCKS / 4)
    blocks: dict[int, list[Clip]] = defaultdict(list)
    for clip in clips:
        first = int(BLOCKS * clip.start_seconds / last)
        after = int(BLOCKS * (float(clip.end_seconds or 0) + gap) / last)
        if first == min(after, BLOCKS - 1):
            blocks[first].append(clip)
    return [
        replace(clip, label=_cut(str(clip.label), of), group=f"{clip.recording}#block{block + 1}")
        for block, of in blocks.items()
        for clip in of
    ]


def _cut(label: str, block: Sequence[Clip]) -> str:
    """Return a span as far as it lies in a block."""
    if label == NOTHING:
        return label
    name, start, end = parsed(label)
    first, last = block[0].start_seconds, float(block[-1].end_seconds or 0)
    return written(name, max(start, first), min(end, last))


def _checked(
    spans: Sequence[Clip], duration: float, failures: list[Failure], odd: Odd
) -> Iterator[Clip]:
    """Yield spans in order; those beyond the end are refused, those that overlap are cut."""
    until = 0.0
    for span in sorted(spans, key=lambda one: one.start_seconds):
        name = f"{span.path}#{span.start_seconds:g}"
        end = float(span.end_seconds or 0)
        if span.start_seconds >= duration:
            failures.append(Failure(name, f"it starts beyond the end of the video, {duration:g} s"))
            continue
        if end > duration + 0.5:
            odd[AFTER_END].append(f"{name}, which ends at {end:g} s of {duration:g} s")
        start = max(span.start_seconds, until)
        if span.start_seconds + 1e-6 < start < min(end, duration):
            odd["Spans that overlap the one before them, and begin where it ends"].append(name)
        if min(end, duration) <= start:
            failures.append(Failure(name, "the span before it covers it"))
        else:
            until = min(end, duration)
            yield replace(span, start_seconds=start, end_seconds=until)


def told(odd: Odd) -> list[str]:
    """Return a sentence for each thing that is odd, however many spans it is of."""
    return [f"{what}: {len(names)} (such as {names[0]})." for what, names in odd.items()]


def _text(span: Clip) -> str:
    if span.label == NOTHING:
        return NOTHING
    return written(str(span.label), span.start_seconds, float(span.end_seconds or 0))

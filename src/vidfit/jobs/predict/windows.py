"""The windows of a long video, and what joins those that follow one another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from vidfit.answers import Segment, deviations, heat_of
from vidfit.contracts import Clip
from vidfit.errors import VideoError
from vidfit.model import Model

_WHOLE_CLIP_WINDOWS = 1.5
"""A video of at most this number of windows is answered as one clip."""

MOST_WINDOWS = 1_000_000
"""Of one video: eleven hours in the shortest windows that may be asked for."""

_AS_LONG_AS = 1.05
"""So much longer than the longest training clip still counts as that long."""


def length_of(clip: Clip, duration_seconds: float) -> float:
    """Return how many seconds of a video are to be answered."""
    end = duration_seconds if clip.end_seconds is None else clip.end_seconds
    if clip.start_seconds and clip.start_seconds >= duration_seconds:
        raise VideoError(
            f"{clip.path}: the span starts at {clip.start_seconds:g} s, and the video ends at "
            f"{duration_seconds:g} s"
        )
    return min(end, duration_seconds) - clip.start_seconds


def clips_of(
    clip: Clip, length_seconds: float, model: Model, window_seconds: float | None
) -> list[Clip]:
    """Return the clip as it is, or its windows when it is longer than a training clip.

    Raises
    ------
    VideoError
        If there are more than `MOST_WINDOWS`.
    """
    window = window_seconds or model.window_seconds
    whole = window * _WHOLE_CLIP_WINDOWS
    if window_seconds is None:
        whole = max(whole, model.longest_seconds * _AS_LONG_AS)
    if length_seconds <= whole:
        return [clip]
    if not length_seconds / window <= MOST_WINDOWS:
        raise VideoError(
            f"{clip.path}: {length_seconds:g} s in windows of {window:g} s are more than "
            f"{MOST_WINDOWS:,} answers; give longer windows (--window)"
        )
    return [_within(one, clip) for one in windows(clip.path, length_seconds, window)]


def _within(window: Clip, clip: Clip) -> Clip:
    """Return a window of a clip, counted from the start of the video."""
    start = clip.start_seconds
    end = clip.end_seconds if window.end_seconds is None else start + window.end_seconds
    return Clip(clip.path, start + window.start_seconds, end)


def windows(path: str, duration_seconds: float, window_seconds: float) -> Iterator[Clip]:
    """Yield equal windows that cover the video, as near to the wanted length as they can be."""
    count = max(1, round(duration_seconds / window_seconds))
    edges = np.linspace(0.0, duration_seconds, count + 1)
    for i in range(count):
        end = None if i == count - 1 else float(edges[i + 1])
        yield Clip(path, float(edges[i]), end)


def join(answers: Sequence[Segment]) -> Iterator[Segment]:
    """Yield runs of windows with one answer as one segment; probabilities are their means.

    Windows that could not be read stay apart from those that were declined, and those declined
    for one reason from those declined for another.
    """
    start = 0
    kinds = [(segment.label, segment.declined, segment.why) for segment in answers]
    for i in range(1, len(answers) + 1):
        if i == len(answers) or kinds[i] != kinds[start]:
            run = answers[start:i]
            mean = float(np.mean([segment.probability for segment in run]))
            scores = tuple(np.mean([segment.scores for segment in run], axis=0).tolist())
            if run[0].declined and scores:  # the best class of all windows together
                mean = max(scores)
            values = [segment.value for segment in run if segment.value is not None]
            heats = [deviations(segment.heat) for segment in run if segment.heat]
            yield replace(
                run[0],
                end_seconds=run[-1].end_seconds,
                probability=mean,
                scores=scores,
                value=float(np.mean(values)) if values else None,
                heat=heat_of(np.mean(heats, axis=0)) if heats else (),
            )
            start = i

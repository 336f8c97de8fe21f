"""Which frames of a clip are looked at."""

from __future__ import annotations

import numpy as np

from vidfit.contracts import Indices, Sampling, Seconds
from vidfit.errors import VideoError

_TOLERANCE_SECONDS = 1e-6
_HELD = 2.5
"""A last frame that stays more than so many usual intervals is held, others stay the usual one."""


def nearest_before(pts_seconds_F: Seconds, targets_seconds: Seconds) -> Indices:
    """Return the frame that is on screen at each target: the last with timestamp <= target.

    Targets before the first frame take the first. A microsecond is allowed for rounding.
    """
    indices = np.searchsorted(pts_seconds_F, targets_seconds + _TOLERANCE_SECONDS, "right") - 1
    return np.clip(indices, 0, len(pts_seconds_F) - 1).astype(np.int64)


def frame_indices(
    pts_seconds: Seconds,
    start_seconds: float,
    end_seconds: float | None,
    sampling: Sampling,
    duration_seconds: float | None = None,
) -> Indices:
    """Choose frames as temporal segment networks do: at the centres of equal parts.

    The span is cut in ``num_clips`` equal parts. Without ``interval_seconds``, the frames of
    a view are the centres of ``clip_len`` equal pieces of its part; with it, they stand that
    far apart, centred in the part, and are shifted to lie within the span where they fit,
    clamped to it where they do not. Each moment is answered by the frame on screen: the last
    one whose timestamp is not later. Only frames that start within the span are chosen, or,
    when none does, the one on screen throughout it.

    Parameters
    ----------
    pts_seconds
        Timestamps [F], increasing, from the first frame.
    start_seconds, end_seconds
        The span; ``None`` is the end of the video.
    sampling
        How many views and frames, and how far apart.
    duration_seconds
        When the last frame leaves the screen, as `VideoReader.duration_seconds` says it; counts
        where that frame is held. Without it the frame stays as long as is usual in the video.

    Returns
    -------
    Indices
        int64 [num_clips, clip_len], each row not decreasing; short spans repeat frames.

    Raises
    ------
    VideoError
        The span is empty or holds no frame.

    References
    ----------
    Wang et al. (2016), Temporal Segment Networks, ECCV, section 3.1.
    """
    first, last = frames_of_span(pts_seconds, start_seconds, end_seconds, duration_seconds)
    start = max(start_seconds, float(pts_seconds[first]))
    end = _end_of_span(pts_seconds, last, end_seconds, duration_seconds)
    targets = _targets_seconds(start, end, sampling)
    return np.clip(nearest_before(pts_seconds, targets), first, last)


def frames_of_span(
    pts_seconds: Seconds,
    start_seconds: float,
    end_seconds: float | None,
    duration_seconds: float | None = None,
) -> tuple[int, int]:
    """Return the first and last frame that start in [start, end), or the one on screen throughout.

    Parameters are those of `frame_indices`.

    Raises
    ------
    VideoError
        The span is empty or holds no frame.
    """
    stop = np.inf if end_seconds is None else end_seconds
    if len(pts_seconds) == 0:
        raise VideoError("no frames to choose from; the list of timestamps is empty")
    if not (np.isfinite(start_seconds) and 0 <= start_seconds < stop):
        raise VideoError(
            f"the span from {start_seconds:g} s to {stop:g} s is empty; "
            "start must be at least 0 and end must be later"
        )
    if start_seconds > pts_seconds[-1]:
        length = _end_seconds(pts_seconds, duration_seconds)
        if start_seconds >= length + _TOLERANCE_SECONDS:
            raise VideoError(
                f"the span starts at {start_seconds:g} s, "
                f"but the video ends at about {length:.3f} s"
            )
    first = int(np.searchsorted(pts_seconds, start_seconds - _TOLERANCE_SECONDS, "left"))
    last = int(np.searchsorted(pts_seconds, stop - _TOLERANCE_SECONDS, "left")) - 1
    return (first, last) if first <= last else (max(last, 0), max(last, 0))


def _end_seconds(pts_seconds: Seconds, duration_seconds: float | None) -> float:
    """When the last frame of the video leaves the screen."""
    usual = float(np.median(np.diff(pts_seconds))) if len(pts_seconds) > 1 else 0.04
    last = float(pts_seconds[-1])
    if duration_seconds is not None and duration_seconds - last > _HELD * usual:
        return duration_seconds
    return last + usual


def _end_of_span(
    pts_seconds: Seconds, last: int, end_seconds: float | None, duration_seconds: float | None
) -> float:
    """When the last frame of the span leaves the screen."""
    if last + 1 < len(pts_seconds):
        leaves = float(pts_seconds[last + 1])
    else:
        leaves = _end_seconds(pts_seconds, duration_seconds)
    return leaves if end_seconds is None else min(leaves, end_seconds)


def _targets_seconds(start: float, end: float, sampling: Sampling) -> Seconds:
    """Moments [num_clips, clip_len] to be looked at."""
    part = (end - start) / sampling.num_clips
    centres = start + part * (np.arange(sampling.num_clips) + 0.5)
    steps = np.arange(sampling.clip_len) - (sampling.clip_len - 1) / 2
    if sampling.interval_seconds is None:
        return np.asarray(centres[:, None] + steps[None] * part / sampling.clip_len)
    targets = centres[:, None] + steps[None] * sampling.interval_seconds
    targets += np.maximum(start - targets[:, :1], 0.0)
    targets -= np.maximum(targets[:, -1:] - end, 0.0)
    return np.asarray(np.clip(targets, start, end))

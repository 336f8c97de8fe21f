"""Spans in lists of frames: a text file for each video, a label a line, a line a frame.

50 Salads, Breakfast and GTEA come so for MS-TCN and others, as a folder ``groundTruth``.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from vidfit.contracts import Clip, Seconds
from vidfit.manifest.spans.value import SpanRows

_NEAR = 0.05
"""Share of the frames of a video by which its lines may be more or fewer."""


def frame_spans(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield the label of each run of lines, its first line and the line after, from 0."""
    at = 0
    for label, run in groupby(line.strip() for line in text.rstrip().splitlines()):
        first, at = at, at + len(list(run))
        yield label, first, at


def parse_frames(text: str, name: str, video: str, pts_seconds: Seconds) -> SpanRows:
    """Read spans; times are the timestamps of the frames of the video.

    Parameters
    ----------
    video
        The video that it tells of.
    pts_seconds
        When each of its frames is shown.
    """
    rows = SpanRows(name, f"the frames of {name}")
    runs = list(frame_spans(text))
    lines, frames = runs[-1][2] if runs else 0, len(pts_seconds)
    if abs(lines - frames) > _NEAR * frames:
        rows.reject(
            max(lines, 1),
            f"it has {lines} lines, and {video} has {frames} frames; a label for each is needed: "
            "were the labels made at another frame rate?",
        )
        return rows
    if 0 < lines < frames:
        rows.unread.append(Clip(video, float(pts_seconds[lines])))
    for label, first, after in runs:
        if first >= frames:
            rows.reject(first + 1, f"it is beyond the last of {frames} frames of {video}")
            continue
        step = float(pts_seconds[-1]) / max(frames - 1, 1)
        end = float(pts_seconds[after]) if after < frames else float(pts_seconds[-1]) + step
        rows.add(first + 1, Clip(video, float(pts_seconds[first]), end, label))
    return rows

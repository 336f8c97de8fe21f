"""A copy of a video with the answer written on every frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from vidfit.answers import Heat, Segment, Timeline, deviations
from vidfit.contracts import Frames, Seconds
from vidfit.report.wording import answer
from vidfit.shown import visible
from vidfit.video import Audio, VideoReader, write_video

_RED = np.array((255.0, 40.0, 0.0), np.float32)
_MOST_RED = 0.6
_COLD = 2.0
"""Deviations up to which a place is usual."""


def annotated_video(timeline: Timeline, path: Path) -> None:
    """Write the video of a timeline again with label and probability in a bar below.

    Of a span of a video that span is written. One frame is in memory at a time. The copy has a
    constant frame rate, the average of the original's, and the audio of the original. In place of
    damaged frames the sound one before is shown, or, at the beginning, the first sound one.

    Raises
    ------
    VideoError
        If the video can no longer be read, or the copy not be written.
    """
    start, end = _span(timeline)
    with VideoReader(timeline.path) as reader:
        has_audio = reader.stored is None and not Path(timeline.path).is_dir()
        audio = Audio(timeline.path, start, end) if has_audio else None
        frames = _frames(reader, timeline, (start, end))
        write_video(path, frames, reader.info.average_fps or 1.0, audio=audio)


def _span(timeline: Timeline) -> tuple[float, float | None]:
    """Return the seconds that were answered; ``None`` is the end of the video."""
    if not timeline.segments:
        return 0.0, None
    end = timeline.segments[-1].end_seconds
    return timeline.segments[0].start_seconds, None if end >= timeline.duration_seconds else end


def _frames(
    reader: VideoReader, timeline: Timeline, span: tuple[float, float | None]
) -> Iterator[Frames]:
    start, end = span
    of_segments, of_windows = _ends(timeline.segments), _ends(timeline.windows)
    for pts_seconds, picture in held_frames(reader):
        if pts_seconds < start or (end is not None and pts_seconds >= end):
            continue
        segment, window = (
            parts[min(int(np.searchsorted(ends, pts_seconds, "right")), len(parts) - 1)]
            for parts, ends in ((timeline.segments, of_segments), (timeline.windows, of_windows))
        )
        yield _captioned(picture, segment, window.heat)


def _ends(parts: Sequence[Segment]) -> Seconds:
    return np.array([one.end_seconds for one in parts])


def held_frames(reader: VideoReader) -> Iterator[tuple[float, Frames]]:
    """Yield a picture for the time of each frame, sound or not."""
    following, picture = 0, None
    for frame in reader.sound_frames():
        now = frame.rgb(None)
        for index in range(following, frame.index):
            yield float(reader.pts_seconds[index]), now if picture is None else picture
        yield frame.pts_seconds, now
        following, picture = frame.index + 1, now
    for index in range(following, len(reader.pts_seconds)):
        if picture is not None:
            yield float(reader.pts_seconds[index]), picture


def _captioned(frame_HWC: Frames, segment: Segment, heat: Heat) -> Frames:
    """Return the frame above a dark bar with the answer; only heat lies on the picture itself."""
    import cv2

    height, width = frame_HWC.shape[:2]
    bar = max(24, round(height * 0.09))
    canvas_HWC = np.full((height + bar, width, 3), 24, np.uint8)
    canvas_HWC[:height] = _heated(frame_HWC, heat) if heat else frame_HWC
    text = visible(answer(segment)).encode("ascii", "replace").decode()
    scale = min(bar / 40, (width - 12) / max(len(text) * 20, 1))
    place = (8, height + round(bar * 0.68))
    cv2.putText(
        canvas_HWC, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, (240, 240, 240), 1, cv2.LINE_AA
    )
    return canvas_HWC


def _heated(frame_HWC: Frames, heat: Heat) -> Frames:
    """Return the frame with places in red: none below two deviations, most at the strangest."""
    import cv2

    height, width = frame_HWC.shape[:2]
    heat_HW = cv2.resize(deviations(heat), (width, height))
    share_HW = np.clip((heat_HW - _COLD) / max(float(heat_HW.max()) - _COLD, _COLD), 0.0, 1.0)
    mixed_HWC = frame_HWC + _MOST_RED * share_HW[..., None] * (_RED - frame_HWC)
    return np.asarray(mixed_HWC.astype(np.uint8))

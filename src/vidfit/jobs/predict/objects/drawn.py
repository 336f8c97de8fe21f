"""A copy of a video with boxes, names and numbers drawn on its frames."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from vidfit.boxes import Box
from vidfit.contracts import Frames
from vidfit.jobs.predict.annotated import held_frames
from vidfit.jobs.predict.objects.value import VideoObjects
from vidfit.jobs.predict.picture import PALETTE, letters
from vidfit.shown import visible
from vidfit.tracking.filled import TrackedFrame
from vidfit.tracking.places import named_points
from vidfit.video import Audio, VideoReader, write_video

_PLACE = "#1b1d22"
"""Colour of lines and zones."""


def drawn_video(objects: VideoObjects, frames: Iterable[TrackedFrame], path: Path) -> None:
    """Write the span that was answered again, with its boxes.

    One frame is in memory at a time. The copy has a constant frame rate, the average of the
    original's, and the audio of the original. A box that was filled in is drawn thinly.

    Raises
    ------
    VideoError
        If the video can no longer be read, or the copy not be written.
    """
    with VideoReader(objects.video.path) as reader:
        has_audio = reader.stored is None and not Path(objects.video.path).is_dir()
        start = float(reader.pts_seconds[objects.video.first_frame])
        is_whole = objects.video.last_frame + 1 == objects.video.frame_count
        end = None if is_whole else float(reader.pts_seconds[objects.video.last_frame + 1])
        audio = Audio(objects.video.path, start, end) if has_audio else None
        pictures = _drawn(reader, objects, frames)
        write_video(path, pictures, reader.info.average_fps or 1.0, audio=audio)


def _drawn(
    reader: VideoReader, objects: VideoObjects, frames: Iterable[TrackedFrame]
) -> Iterator[Frames]:
    tracked = iter(frames)
    for index, (_, picture) in enumerate(held_frames(reader)):
        if index > objects.video.last_frame:
            return
        if index >= objects.video.first_frame:
            boxed = with_boxes(picture, next(tracked).boxes)
            yield with_places(boxed, objects, index)


def with_places(frame_HWC: Frames, objects: VideoObjects, index: int) -> Frames:
    """Return a frame with lines and zones drawn on it, and what they count up to then."""
    import cv2

    places = named_points(objects.lines, objects.zones)
    if not places:
        return frame_HWC
    canvas_HWC = frame_HWC.copy()
    unit = _unit(canvas_HWC)
    crossed = Counter(one.line for one in objects.events.crossings if one.frame <= index)
    inside = Counter(v.zone for v in objects.events.visits if v.start_frame <= index < v.end_frame)
    for name, points in places:
        corners = np.array(points, np.float64).round().astype(np.int32)
        cv2.polylines(canvas_HWC, [corners], len(points) > 2, _rgb(_PLACE), 2 * unit, cv2.LINE_AA)
        text = f"{_ascii(name)}: {crossed[name] + inside[name]}"
        corner = (int(corners[:, 0].min()), int(corners[:, 1].min()))
        _name(canvas_HWC, text, corner, _PLACE)
    return canvas_HWC


def with_boxes(frame_HWC: Frames, boxes: Iterable[Box]) -> Frames:
    """Return a frame with boxes drawn on it, each in the colour of its track, with its name."""
    import cv2

    canvas_HWC = frame_HWC.copy()
    height, width = canvas_HWC.shape[:2]
    unit = _unit(canvas_HWC)
    for box in boxes:
        colour = track_colour(box.track)
        low = (round(box.left), round(box.top))
        high = (min(round(box.right), width) - 1, min(round(box.bottom), height) - 1)
        thick = unit if box.score is None else 2 * unit
        cv2.rectangle(canvas_HWC, low, high, _rgb(colour), thick, cv2.LINE_AA)
        _name(canvas_HWC, _words(box), low, colour)
    return canvas_HWC


def track_colour(track: int | None) -> str:
    """Return the colour of a track, the same in all frames."""
    return PALETTE[(track or 0) % len(PALETTE)]


def _unit(frame_HWC: Frames) -> int:
    """Return the thickness of thin lines."""
    height, width = frame_HWC.shape[:2]
    return max(1, int(min(height, width) / 400 + 0.5))


def _words(box: Box) -> str:
    return _ascii(box.label if box.track is None else f"{box.label} {box.track}")


def _ascii(text: str) -> str:
    """Return text in the letters that OpenCV's font has."""
    return visible(text).encode("ascii", "replace").decode()


def _name(canvas_HWC: Frames, text: str, corner: tuple[int, int], colour: str) -> None:
    """Write text on a plate above a corner, or below it at the edge of the picture."""
    import cv2

    height, width = canvas_HWC.shape[:2]
    font, scale = cv2.FONT_HERSHEY_SIMPLEX, max(0.4, min(height, width) / 1100)
    (wide, high), below = cv2.getTextSize(text, font, scale, 1)
    pad = max(2, high // 4)
    left = max(0, min(corner[0], width - wide - 2 * pad))
    top = corner[1] - high - below - 2 * pad
    top = top if top >= 0 else max(corner[1], 0)
    plate = (left + wide + 2 * pad, top + high + below + 2 * pad)
    cv2.rectangle(canvas_HWC, (left, top), plate, _rgb(colour), cv2.FILLED)
    place = (left + pad, top + pad + high)
    ink = _rgb("#ffffff" if letters(colour) == "white" else letters(colour))
    cv2.putText(canvas_HWC, text, place, font, scale, ink, 1, cv2.LINE_AA)


def _rgb(colour: str) -> tuple[int, int, int]:
    red, green, blue = (int(part) for part in np.frombuffer(bytes.fromhex(colour[1:]), np.uint8))
    return red, green, blue

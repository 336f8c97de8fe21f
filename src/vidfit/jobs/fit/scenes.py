"""Small pictures of parts of frames, with what was found and what was missed marked in them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vidfit.contracts import Frames
from vidfit.errors import VideoError
from vidfit.report.thumbnail import jpeg
from vidfit.reported import Mark, Scene, TaskPart
from vidfit.video import decode

SIDE_PIXELS = 320

_COLOURS = {"object": (255, 255, 255), "right": (56, 190, 200), "wrong": (242, 140, 60)}


def scene_key(group: str, place: int) -> str:
    """Return under which name the picture of a scene lies among the thumbnails."""
    return f"{group}|{place}"


def scene_pictures(part: TaskPart) -> dict[str, bytes]:
    """Return the pictures of scenes; without those whose frame can no longer be read."""
    found = {}
    for name, scenes in part.scenes:
        for place, scene in enumerate(scenes):
            if picture := _picture(scene):
                found[scene_key(name, place)] = picture
    return found


def _picture(scene: Scene) -> bytes:
    try:
        frame_HWC = decode(scene.clip, count=1).frames_THWC[0]
    except VideoError:  # it was readable a minute ago; a picture is not worth a failure
        return b""
    return jpeg(_marked(frame_HWC, scene))


def _marked(frame_HWC: Frames, scene: Scene) -> Frames:
    """Return the window of a frame as a square, with its marks."""
    import cv2

    height, width = frame_HWC.shape[:2]
    left, top, right, bottom = _in_pixels(scene.window, (width, height))
    part_HWC = np.ascontiguousarray(
        frame_HWC[top : max(bottom, top + 1), left : max(right, left + 1)]
    )
    side = (SIDE_PIXELS, SIDE_PIXELS)
    square_HWC: Frames = np.asarray(cv2.resize(part_HWC, side), np.uint8)
    for mark in sorted(scene.marks, key=lambda one: one.what != "object"):
        _draw(square_HWC, mark, scene.window)
    return square_HWC


def _draw(picture_HWC: Frames, mark: Mark, window: Sequence[float]) -> None:
    import cv2

    left, top, right, bottom = window
    low_x, low_y, high_x, high_y = (
        round(SIDE_PIXELS * (edge - first) / max(last - first, 1e-9))
        for edge, first, last in zip(
            mark.edges, (left, top, left, top), (right, bottom, right, bottom), strict=True
        )
    )
    for thickness, colour in ((5, (16, 18, 22)), (2, _COLOURS[mark.what])):
        cv2.rectangle(picture_HWC, (low_x, low_y), (high_x, high_y), colour, thickness)


def _in_pixels(edges: Sequence[float], size: tuple[int, int]) -> tuple[int, int, int, int]:
    width, height = size
    left, top, right, bottom = edges
    return round(left * width), round(top * height), round(right * width), round(bottom * height)

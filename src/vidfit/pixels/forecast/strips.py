"""Frames beside each other as one picture: what was seen, what was said, what came.

Shape letters: T frames, A frames ahead, H and W pixels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vidfit.contracts import Floats, Frames

_GAP, _SHADE = 2, 128
_LEAST_PIXELS = 64


def grey_levels(said: Floats) -> Frames:
    """Return probabilities as brightness of 8 bits."""
    return np.round(np.asarray(said).clip(0, 1) * 255).astype(np.uint8)


def enlarged(frames_THW: Frames, least_pixels: int = _LEAST_PIXELS) -> Frames:
    """Return frames whose sides have at least so many pixels, each pixel as a block."""
    times = max(1, -(-least_pixels // frames_THW.shape[1]))
    wide: Frames = frames_THW.repeat(times, axis=1).repeat(times, axis=2)
    return wide


def strip_of(rows: Sequence[Frames]) -> Frames:
    """Return rows of frames [T, H, W] as one picture [H, W]; shorter rows end early."""
    most = max(len(row) for row in rows)
    side = rows[0].shape[1] + _GAP
    picture = np.full((len(rows) * side - _GAP, most * side - _GAP), _SHADE, np.uint8)
    for r, row in enumerate(rows):
        for t, frame in enumerate(row):
            height, width = frame.shape
            picture[r * side : r * side + height, t * side : t * side + width] = frame
    return picture


def png_of(picture_HW: Frames) -> bytes:
    """Return a grey picture as PNG."""
    import cv2

    return bytes(cv2.imencode(".png", picture_HW)[1].tobytes())

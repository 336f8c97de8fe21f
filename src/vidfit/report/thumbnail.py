"""Small pictures for pages."""

from __future__ import annotations

import numpy as np

from vidfit.contracts import Frames

WIDTH_PIXELS = 320
STRIP_FRAMES, STRIP_WIDTH_PIXELS = 4, 560
"""Of a strip, and its width."""


def jpeg(frame_HWC: Frames, width_pixels: int = WIDTH_PIXELS) -> bytes:
    """Return a frame as a small JPEG, or nothing where it cannot be one."""
    import cv2

    height, width = frame_HWC.shape[:2]
    size = (width_pixels, max(1, round(height * width_pixels / width)))
    small = np.asarray(cv2.resize(frame_HWC, size, interpolation=cv2.INTER_AREA))
    done, data = cv2.imencode(".jpg", small[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80])
    return data.tobytes() if done else b""


def strip(frames_THWC: Frames) -> bytes:
    """Return frames side by side as a small JPEG, or nothing where they cannot be one.

    A single frame, as of a photo, is one picture.
    """
    if len(frames_THWC) == 1:
        return jpeg(frames_THWC[0])
    return jpeg(np.concatenate(list(frames_THWC), axis=1), STRIP_WIDTH_PIXELS)

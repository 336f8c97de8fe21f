"""Small pictures, and strips of frames."""

from __future__ import annotations

import cv2
import numpy as np

from vidfit.report.thumbnail import STRIP_WIDTH_PIXELS, WIDTH_PIXELS, jpeg, strip


def read(content: bytes):
    return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)


def test_a_strip_has_its_frames_from_left_to_right():
    frames = np.stack([np.full((36, 64, 3), level, np.uint8) for level in (20, 90, 160, 230)])
    picture = read(strip(frames))
    assert picture.shape == (round(36 * STRIP_WIDTH_PIXELS / 256), STRIP_WIDTH_PIXELS, 3)
    width = STRIP_WIDTH_PIXELS // 4
    levels = [picture[:, k * width + 8 : (k + 1) * width - 8].mean() for k in range(4)]
    assert np.allclose(levels, (20, 90, 160, 230), atol=4)


def test_a_single_frame_is_one_picture():
    frame = np.full((36, 64, 3), 90, np.uint8)
    assert strip(frame[None]) == jpeg(frame) and read(jpeg(frame)).shape[1] == WIDTH_PIXELS

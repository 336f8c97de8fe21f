"""Find faces in a picture, and turn each upright and to one size by its landmarks.

The finder is dlib's: a linear filter on histograms of gradients (Dalal and Triggs 2005) of faces
that look at the camera, and five landmarks by regression trees (Kazemi and Sullivan 2014). It gives
Python's lock back while it works, and keeps what it works on: each thread has a finder of its own.

Of an aligned face the corners of the eyes and the nose lie where they lie in all others, 100
pixels to the side of dlib's average face, so that each network cuts its own part out of
`ALIGNED_PIXELS`.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from vidfit.backbones.faces.network import ALIGNED_PIXELS, NAME
from vidfit.backbones.package_weights import package_weights
from vidfit.contracts import Frames
from vidfit.errors import BackboneError

SMALLEST_PIXELS = 40
"""Side of the smallest face that is looked for, unless another is asked for."""

_FOUND_PIXELS = 64
"""Faces of that size are found: of 100 pictures 89 at 56 pixels, 96 at 70."""

_MOST_PIXELS = 4_000_000
"""Of a picture that is looked at; a larger one is made smaller."""

_LANDMARKS_FILE = "shape_predictor_5_face_landmarks.dat"
_UNIT_PIXELS = 100
_PADDING = (ALIGNED_PIXELS / _UNIT_PIXELS - 1) / 2
_SURE_AT = 1.0

_OWN = threading.local()


@dataclass(frozen=True)
class FoundFace:
    """A face of a picture.

    Parameters
    ----------
    left, top, right, bottom
        Edges in pixels of the picture.
    score
        How sure the finder is, 0 to 1.
    aligned_HWC
        The face upright, uint8 RGB [224, 224, 3].
    """

    left: float
    top: float
    right: float
    bottom: float
    score: float
    aligned_HWC: Frames

    @property
    def side_pixels(self) -> float:
        """The geometric mean of width and height."""
        return float(np.sqrt(max(0.0, (self.right - self.left) * (self.bottom - self.top))))


def find_faces(
    frame_HWC: Frames, smallest_pixels: float = SMALLEST_PIXELS
) -> tuple[FoundFace, ...]:
    """Return the faces of a picture, the largest first.

    Parameters
    ----------
    frame_HWC
        uint8 RGB.
    smallest_pixels
        Side of the smallest face to be found. Time grows with the square of what it is divided by.

    Raises
    ------
    BackboneError
        When dlib is not installed, or its landmarks were not fetched.
    """
    import cv2

    dlib, finder, landmarks = _tools()
    height, width = frame_HWC.shape[:2]
    scale = min(_FOUND_PIXELS / smallest_pixels, float(np.sqrt(_MOST_PIXELS / (height * width))))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    grey_HW = cv2.cvtColor(cv2.resize(frame_HWC, size, interpolation=way), cv2.COLOR_RGB2GRAY)
    boxes, scores, _ = finder.run(grey_HW, 0, 0.0)
    frame_HWC = np.ascontiguousarray(frame_HWC)
    found = []
    for box, score in zip(boxes, scores, strict=True):
        corners = box.left(), box.top(), box.right() + 1, box.bottom() + 1
        left, top, right, bottom = (corner / scale for corner in corners)
        points = landmarks(frame_HWC, dlib.rectangle(*map(round, (left, top, right, bottom))))
        aligned_HWC = dlib.get_face_chip(frame_HWC, points, ALIGNED_PIXELS, _PADDING)
        sure = min(1.0, 0.5 + 0.5 * float(score) / _SURE_AT)
        found.append(FoundFace(left, top, right, bottom, sure, aligned_HWC))
    return tuple(sorted(found, key=lambda face: -face.side_pixels))


def check_finder() -> None:
    """Refuse to begin where faces cannot be found.

    Raises
    ------
    BackboneError
        When dlib is not installed, or its landmarks were not fetched.
    """
    _tools()


def _tools() -> tuple[Any, Any, Any]:
    """Return dlib, the finder of faces of this thread, and that of landmarks."""
    dlib, landmarks = _shared()
    if not hasattr(_OWN, "finder"):
        _OWN.finder = dlib.get_frontal_face_detector()
    return dlib, _OWN.finder, landmarks


@cache
def _shared() -> tuple[Any, Any]:
    """Return dlib, and its finder of landmarks, which keeps nothing."""
    try:
        import dlib
    except ModuleNotFoundError as error:
        raise BackboneError(
            "faces are found by the package dlib-bin, which is not installed: "
            "`pip install 'vidfit[faces]'`"
        ) from error
    return dlib, dlib.shape_predictor(str(package_weights(NAME)[_LANDMARKS_FILE]))

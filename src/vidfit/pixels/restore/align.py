"""A frame laid over another along the motion between them.

The motion is dense optical flow by inverse search (Kroeger, Timofte, Dai and Van Gool 2016),
measured on frames that are enlarged where they are small, as its patches have 8 pixels.

Shape letters: H rows, W columns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vidfit.contracts import Floats
from vidfit.pixels.restore.degrade import Luma

if TYPE_CHECKING:
    from cv2 import DISOpticalFlow

_LEAST_SIDE, _MOST_FACTOR = 160, 4
"""Pixels of the shorter side on which motion is measured, by enlarging as many times at most."""


def flow(one_HW: Luma, other_HW: Luma) -> Floats:
    """Return where each pixel of a frame lies in another, relative to it, [H, W, 2] as x, y."""
    import cv2

    height, width = one_HW.shape
    factor = int(np.clip(np.ceil(_LEAST_SIDE / min(height, width)), 1, _MOST_FACTOR))
    size = (max(width * factor, 16), max(height * factor, 16))
    large = [cv2.resize(p, size, interpolation=cv2.INTER_CUBIC) for p in (one_HW, other_HW)]
    found = np.asarray(_engine().calc(large[0], large[1], np.zeros((*size[::-1], 2), np.float32)))
    if size == (width, height):
        return np.asarray(found, np.float32)
    small = np.asarray(cv2.resize(found, (width, height), interpolation=cv2.INTER_AREA))
    shares = np.array([width / size[0], height / size[1]], np.float32)
    return np.asarray(small * shares, np.float32)


def moved(plane_HW: Luma | Floats, flow_HW2: Floats, *, cubic: bool = True) -> Floats:
    """Return a frame taken from where the flow says, its edge repeated outwards."""
    import cv2

    row_HW, column_HW = np.indices(plane_HW.shape, np.float32)
    way = cv2.INTER_CUBIC if cubic else cv2.INTER_LINEAR
    return np.asarray(
        cv2.remap(
            np.asarray(plane_HW, np.float32),
            column_HW + flow_HW2[..., 0],
            row_HW + flow_HW2[..., 1],
            way,
            borderMode=cv2.BORDER_REPLICATE,
        ),
        np.float32,
    )


def _engine() -> DISOpticalFlow:
    import cv2

    return cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)

"""Pictures as luma and two colour differences, ITU-R BT.601, and back.

Shape letters: H rows, W columns, C channels.
"""

from __future__ import annotations

import numpy as np

from vidfit.contracts import Floats, Frames
from vidfit.pixels.restore.enlarge import larger, smaller

_FROM_RGB = np.array(
    [[65.481, 128.553, 24.966], [-37.797, -74.203, 112.0], [112.0, -93.786, -18.214]]
)
_OFFSET = np.array([16.0, 128.0, 128.0])
_MATRIX = np.asarray(_FROM_RGB / 255.0, np.float32)
_INVERSE = np.linalg.inv(_FROM_RGB / 255.0)
_BACK = np.asarray(np.column_stack([_INVERSE, -_INVERSE @ _OFFSET]), np.float32)
"""Matrix and offset at once."""


def split(rgb_HWC: Frames) -> Floats:
    """Return luma of 16 to 235 and colour differences of 16 to 240, [3, H, W]."""
    apart = rgb_HWC.astype(np.float32) @ _MATRIX.T + _OFFSET.astype(np.float32)
    return np.asarray(np.moveaxis(apart, 2, 0), np.float32)


def joined(luma_HW: Floats, differences_2HW: Floats) -> Frames:
    """Return RGB of 0 to 255 again, [H, W, 3]."""
    import cv2

    whole = np.dstack([luma_HW, *differences_2HW]).astype(np.float32, copy=False)
    rgb = np.asarray(cv2.transform(whole, _BACK))
    return np.asarray(cv2.convertScaleAbs(np.maximum(rgb, 0.0, out=rgb)), np.uint8)


def enlarged(luma_HW: Floats, small_HWC: Frames, scale: int) -> Frames:
    """Return a large picture of a luma that was made and the colours of the small one, bicubic."""
    return joined(luma_HW, larger(split(small_HWC)[1:], scale))


def small_colours(large_HWC: Frames, scale: int) -> Floats:
    """Return the colour differences of a picture made smaller by bicubic, [2, H, W]."""
    return smaller(split(large_HWC)[1:], scale)

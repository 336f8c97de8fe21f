"""Cuts between the frames that were looked at: a place after a cut has nothing to do with it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Frames

SIDE_PIXELS = 32
"""Frames are compared as small grey pictures of this side."""

CUT_CORRELATION = 0.4
"""Frames whose small pictures correlate less belong to two scenes.

Of surveillance clips that were put behind one another it finds 97 in 100 cuts, and took none of
2,876 pairs of frames a tenth or a fifth of a second apart for one; of driving 8 of 697 pairs a
second apart. A cut that it misses, between pictures that look alike, is between boxes that seldom
overlap.
"""

_FLAT = 4.0
"""Variance, in grey levels squared, below which a picture says nothing."""

Thumbnail = NDArray[np.float64]


def thumbnail(frame_HWC: Frames) -> Thumbnail:
    """Return a frame as a small grey picture [32, 32]."""
    import cv2

    small = cv2.resize(frame_HWC, (SIDE_PIXELS, SIDE_PIXELS), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.float64)


def is_cut(before: Thumbnail, after: Thumbnail) -> bool:
    """Return whether two frames that follow one another are of two scenes."""
    first, second = before - before.mean(), after - after.mean()
    alike = (first * second).mean() + _FLAT
    spread = ((first**2).mean() + _FLAT) * ((second**2).mean() + _FLAT)
    return bool(alike < CUT_CORRELATION * np.sqrt(spread))

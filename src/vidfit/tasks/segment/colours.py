"""A colour for each class, the same in every picture."""

from __future__ import annotations

import colorsys

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Frames
from vidfit.manifest.annotations.masks import VOID
from vidfit.metrics.areas import Labels

_TURN = 0.61803398875
"""Of the circle of hues, from class to class: neighbours in number are far apart."""

_GREY = (40, 43, 48)


def colours(classes: int) -> NDArray[np.uint8]:
    """Return RGB by number [256, 3]; what has no class is dark grey."""
    table_X3 = np.empty((VOID + 1, 3), np.uint8)
    table_X3[:] = _GREY
    for number in range(min(classes, VOID)):
        light, strength = (0.62, 0.45, 0.78)[number % 3], (0.62, 0.75, 0.5)[number % 3]
        rgb = colorsys.hls_to_rgb((0.58 + number * _TURN) % 1.0, light, strength)
        table_X3[number] = [round(255 * part) for part in rgb]
    return table_X3


def coloured(labels_YX: Labels, classes: int) -> Frames:
    """Return classes of pixels as RGB [Y, X, 3]."""
    return colours(classes)[labels_YX]

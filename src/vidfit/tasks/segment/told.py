"""Vectors of an encoder of places that does not exist, which tell the truth through noise.

Shape letters: M pictures, C classes, D numbers of one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from vidfit.contracts import Floats
from vidfit.features.places import FINE_SIDE, Places, in_places
from vidfit.metrics.areas import shares_of_cells

_BLOCKS, _NOISE, _MORE = (2, 3), 0.4, 2


def told_places(truth: Any) -> Floats:  # noqa: ANN401
    """Return vectors [M, D]: of each fine cell the shares of classes, and noise."""
    rng = np.random.default_rng(0)
    rows, columns = _BLOCKS
    grid = rows * FINE_SIDE, columns * FINE_SIDE
    found = []
    for mask in truth:
        shares_YXC = shares_of_cells(mask.labels(), mask.classes, grid).reshape(*grid, -1)
        fine_YXF = np.concatenate([shares_YXC, np.zeros((*grid, _MORE))], axis=2)
        levels = [
            (level + _NOISE * rng.normal(size=level.shape)).astype(np.float32)
            for level in (
                fine_YXF,
                np.zeros((2 * rows, 2 * columns, _MORE)),
                np.zeros((rows, columns, _MORE)),
            )
        ]
        found.append(in_places(Places(*levels).tokens()).astype(np.float32))
    return np.stack(found)

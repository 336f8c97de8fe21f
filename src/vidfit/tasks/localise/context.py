"""What stands beside a window: the mean of some windows before it, and of as many after.

Means are linear: those of vectors, weighed by a probe, are those of what the probe says of each
vector. So a window that is read leaves a few numbers, and its vector is not kept.

Shape letters: M windows, D numbers of each.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Floats, Indices
from vidfit.tasks.localise.stretches import stretches

WIDTHS = (0, 1, 2, 4)
"""Windows on either side that are tried; none sees the window alone."""

Order = tuple[Indices, NDArray[np.floating]]
"""Of each window, the number of its video and when it starts, in seconds."""


@dataclass(frozen=True)
class Context:
    """How many windows on either side are seen, and how far apart they were when it was fitted.

    Windows of another length are taken from the same seconds: of half as long ones, twice as many.
    """

    windows: int
    step_seconds: float

    @property
    def parts(self) -> int:
        """How many means a window is read by: itself, and what is before and after it."""
        return 3 if self.windows else 1

    def before(self, x_MD: Floats, order: Order) -> Floats:
        """Return the means over the windows before each."""
        return self._beside(x_MD, order, -1)

    def after(self, x_MD: Floats, order: Order) -> Floats:
        """Return the means over the windows after each."""
        return self._beside(x_MD, order, 1)

    def _beside(self, x_MD: Floats, order: Order, way: int) -> Floats:
        """Return means of what is on one side; beyond the ends the last window stands again."""
        found_MD = x_MD.copy()
        for rows, step in stretches(*order):
            count = round(self.windows * self.step_seconds / step) if step else 0
            if count:
                place = np.arange(len(rows))[:, None] + way * np.arange(1, count + 1)
                place = np.clip(place, 0, len(rows) - 1)
                found_MD[rows] = sum(x_MD[rows[at]] for at in place.T) / np.float32(count)
        return found_MD

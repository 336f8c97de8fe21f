"""What a network adds to bicubic, averaged along the motion: errors of single frames cancel out.

A restored frame flickers where the network guesses otherwise from frame to frame. What it added to
the frame before is laid over the frame along the motion of the bicubic frames, and both are
averaged, as a running mean of the last few frames. Where the bicubic frames differ after being
laid over each other something else is seen, and the mean begins anew.

Shape letters: H rows, W columns, of the large frame.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vidfit.contracts import Floats
from vidfit.pixels.restore.align import flow, moved
from vidfit.pixels.restore.degrade import Luma

FRAMES = 4
"""That the mean is over, at most."""

_ALIKE_LEVELS = 12.0


@dataclass
class Steadied:
    """The running mean; frames come in their order."""

    _last: tuple[Floats, Luma, Floats, Floats] | None = None

    def add(self, plain_HW: Floats, restored_HW: Floats) -> Floats:
        """Return a restored frame, steadied.

        Parameters
        ----------
        plain_HW
            The frame enlarged by bicubic, 0 to 255.
        """
        added, seen = restored_HW - plain_HW, np.ones_like(plain_HW)
        rounded = np.asarray(np.round(plain_HW), np.uint8)
        if self._last is not None and self._last[0].shape == plain_HW.shape:
            before, before_rounded, mean, count = self._last
            back_HW2 = flow(rounded, before_rounded)
            alike = np.abs(moved(before, back_HW2, cubic=False) - plain_HW) <= _ALIKE_LEVELS
            seen = np.where(alike, np.minimum(moved(count, back_HW2, cubic=False) + 1, FRAMES), 1)
            added = added / seen + moved(mean, back_HW2) * (1 - 1 / seen)
        self._last = (plain_HW, rounded, added, seen.astype(np.float32))
        return np.clip(plain_HW + added, 0.0, 255.0)

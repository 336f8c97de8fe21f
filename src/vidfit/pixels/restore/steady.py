"""Restored frames averaged along the motion, against flicker.

A restored frame flickers where the network guesses otherwise from frame to frame. What it added to
the frame before is laid over the frame along the motion of the bicubic frames, and both are
averaged, as a running mean of the last few frames: errors of single frames cancel out. Evened, a
share of the whole frame before is taken as well. Where the bicubic frames differ after being laid
over each other something else is seen, and both begin anew.

Shape letters: H rows, W columns, of the large frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from vidfit.contracts import Floats
from vidfit.pixels.restore.align import flow, moved
from vidfit.pixels.restore.degrade import Luma

FRAMES = 4
"""That the mean of what was added is over, at most."""

_ALIKE_LEVELS = 12.0


@dataclass(frozen=True)
class _Before:
    """The frame before: by bicubic, what was added and over how many frames, and what was shown."""

    plain_HW: Floats
    rounded_HW: Luma
    added_HW: Floats
    count_HW: Floats
    shown_HW: Floats


class Steadied:
    """The running mean; frames come in their order.

    Parameters
    ----------
    evened
        Share of a frame that is taken from the whole frame before, in [0, 1).
    """

    def __init__(self, evened: float = 0.0) -> None:
        self._evened = np.float32(evened)
        self._before: _Before | None = None

    def state(self) -> dict[str, Floats | Luma]:
        """Return all that later frames depend on, by name; nothing before the first frame."""
        return dict(vars(self._before)) if self._before else {}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back what `state` returned."""
        self._before = _Before(**state) if state else None

    def add(self, plain_HW: Floats, restored_HW: Floats) -> Floats:
        """Return a restored frame, steadied.

        Parameters
        ----------
        plain_HW
            The frame enlarged by bicubic, 0 to 255.
        """
        rounded = np.asarray(np.round(plain_HW), np.uint8)
        added, count = restored_HW - plain_HW, np.ones_like(plain_HW)
        before = self._before
        if before is None or before.plain_HW.shape != plain_HW.shape:
            shown = plain_HW + added
        else:
            back_HW2 = flow(rounded, before.rounded_HW)
            apart = np.abs(moved(before.plain_HW, back_HW2, cubic=False) - plain_HW)
            alike = apart <= _ALIKE_LEVELS
            known = moved(before.count_HW, back_HW2, cubic=False)
            count = np.where(alike, np.minimum(known + 1, FRAMES), 1).astype(np.float32)
            added = added / count + moved(before.added_HW, back_HW2) * (1 - 1 / count)
            shown = plain_HW + added
            if self._evened:
                share = np.where(alike, self._evened, np.float32(0))
                shown = (1 - share) * shown + share * moved(before.shown_HW, back_HW2)
        shown = np.clip(shown, 0.0, 255.0)
        self._before = _Before(plain_HW, rounded, added, count, shown)
        return shown

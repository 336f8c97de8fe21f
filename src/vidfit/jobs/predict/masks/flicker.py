"""How much labels flip where nothing does: along the motion from one look to the next.

Each pixel is followed back to the look before by dense optical flow (Kroeger, Timofte, Dai and Van
Gool 2016, "Fast optical flow using dense inverse search"). Where it looks the same as there, it is
the same thing, and its class should be the same. Pixels that look otherwise, as behind what moves
away and across cuts, do not count.

Shape letters: Y, X pixels of a small picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Frames
from vidfit.metrics.areas import Labels

_SIDE_PIXELS, _LEAST_PIXELS = 320, 16
_ALIKE = 12.0
"""Grey levels by which a pixel may differ from where it was."""

_LEAST_SHARE = 0.3
"""Of the pixels of a look that must be found again, or it is another scene."""

Grey = NDArray[np.uint8]


@dataclass
class FlickerCount:
    """Pixels that were followed from look to look, and those of them whose class flipped."""

    followed: int = 0
    flipped: int = 0
    _last: tuple[Grey, Labels] | None = None

    def add(self, picture_YX3: Frames, labels_YX: Labels) -> None:
        """Take the next look."""
        now = _small(picture_YX3, labels_YX)
        if self._last is not None and self._last[0].shape == now[0].shape:
            same_YX, flipped_YX = _compared(self._last, now)
            if same_YX.mean() >= _LEAST_SHARE:
                self.followed += int(same_YX.sum())
                self.flipped += int(flipped_YX.sum())
        self._last = now

    @property
    def share(self) -> float | None:
        """The share of the followed pixels whose class flipped; ``None`` if none was followed."""
        return self.flipped / self.followed if self.followed else None


def _small(picture_YX3: Frames, labels_YX: Labels) -> tuple[Grey, Labels]:
    import cv2

    factor = min(1.0, _SIDE_PIXELS / max(labels_YX.shape))
    height, width = (max(_LEAST_PIXELS, round(side * factor)) for side in labels_YX.shape)
    grey = cv2.cvtColor(picture_YX3, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA)
    labels = cv2.resize(labels_YX, (width, height), interpolation=cv2.INTER_NEAREST)
    return np.asarray(small, np.uint8), np.asarray(labels, np.uint8)


def _compared(
    last: tuple[Grey, Labels], now: tuple[Grey, Labels]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which pixels are found again, and which of these have another class."""
    import cv2

    engine = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    flow_YX2 = engine.calc(now[0], last[0], np.zeros((*now[0].shape, 2), np.float32))
    row_YX, column_YX = np.indices(now[0].shape, np.float32)
    x_YX, y_YX = column_YX + flow_YX2[..., 0], row_YX + flow_YX2[..., 1]
    height, width = now[0].shape
    inside_YX = (x_YX >= 0) & (x_YX <= width - 1) & (y_YX >= 0) & (y_YX <= height - 1)
    grey_YX = cv2.remap(last[0], x_YX, y_YX, cv2.INTER_LINEAR)
    labels_YX = cv2.remap(last[1], x_YX, y_YX, cv2.INTER_NEAREST)
    apart_YX = np.abs(grey_YX.astype(np.float32) - now[0])
    same_YX = inside_YX & (apart_YX <= _ALIKE)
    return same_YX, same_YX & (labels_YX != now[1])

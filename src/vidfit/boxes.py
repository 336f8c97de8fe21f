"""Objects in frames: boxes, labelled or found, and how far they overlap.

Shape letters: N, M boxes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Edges = NDArray[np.float64]
"""Left, top, right and bottom of boxes, [N, 4], in pixels or in shares of the picture."""


@dataclass(frozen=True, slots=True)
class Box:
    """One object in one frame.

    Parameters
    ----------
    label
        Class name.
    left, top, right, bottom
        Edges in pixels of the frame as it is shown; the right and bottom edges lie outside of the
        object, so that a box that covers the whole frame has ``right`` equal to its width.
    score
        How sure a detector is, 0 to 1; ``None`` for a box that a person drew.
    track
        Number that the same object has in all frames; ``None`` where it was not followed.
    ignored
        Whether it neither counts as an object to find nor makes what is found there wrong: a
        crowd, or an object that is too small to judge.
    """

    label: str
    left: float
    top: float
    right: float
    bottom: float
    score: float | None = None
    track: int | None = None
    ignored: bool = False

    @property
    def edges(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom."""
        return self.left, self.top, self.right, self.bottom


@dataclass(frozen=True, slots=True)
class LabelledFrame:
    """What is known of one frame; no boxes means that it was looked at and holds nothing.

    Parameters
    ----------
    path
        Photo, or video.
    index
        Number of the frame in its video, from 0; ``None`` for a photo.
    boxes
        Its objects.
    size_pixels
        Width and height, where the annotations say so.
    group
        The recording it was taken from; ``None`` is its file.
    split
        ``"train"``, ``"val"`` or ``"test"`` where the data set fixes it.
    """

    path: str
    index: int | None
    boxes: tuple[Box, ...]
    size_pixels: tuple[int, int] | None = None
    group: str | None = None
    split: str | None = None


def overlaps(first_N4: Edges, second_M4: Edges) -> Edges:
    """Return the intersection over union of each pair of boxes, [N, M], 0 to 1.

    A box without an area overlaps none.
    """
    low = np.maximum(first_N4[:, None, :2], second_M4[None, :, :2])
    high = np.minimum(first_N4[:, None, 2:], second_M4[None, :, 2:])
    both_NM = np.clip(high - low, 0, None).prod(axis=2)
    areas_N = np.clip(first_N4[:, 2:] - first_N4[:, :2], 0, None).prod(axis=1)
    areas_M = np.clip(second_M4[:, 2:] - second_M4[:, :2], 0, None).prod(axis=1)
    union_NM = areas_N[:, None] + areas_M[None, :] - both_NM
    shares_NM: Edges = np.where(both_NM > 0, both_NM / np.maximum(union_NM, 1e-300), 0.0)
    return shares_NM

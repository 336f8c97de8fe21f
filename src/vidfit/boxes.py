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
    first_N1, second_M = first_N4[:, None], second_M4[None]
    wide_NM = np.minimum(first_N1[..., 2], second_M[..., 2])
    wide_NM -= np.maximum(first_N1[..., 0], second_M[..., 0])
    high_NM = np.minimum(first_N1[..., 3], second_M[..., 3])
    high_NM -= np.maximum(first_N1[..., 1], second_M[..., 1])
    both_NM = np.maximum(wide_NM, 0.0) * np.maximum(high_NM, 0.0)
    union_NM = areas(first_N4)[:, None] + areas(second_M4)[None] - both_NM
    result_NM: Edges = np.zeros_like(both_NM)
    np.divide(both_NM, union_NM, out=result_NM, where=both_NM > 0)
    return result_NM


def areas(edges_N4: Edges) -> Edges:
    """Return the area of each box, [N]; 0 where an edge lies beyond the one opposite."""
    wide_N, high_N = edges_N4[:, 2] - edges_N4[:, 0], edges_N4[:, 3] - edges_N4[:, 1]
    return np.asarray(np.maximum(wide_N, 0.0) * np.maximum(high_N, 0.0))

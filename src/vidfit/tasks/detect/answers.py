"""The objects of each frame and the boxes that were found there, to be looked at.

Shape letters: M frames.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vidfit.boxes import Box
from vidfit.contracts import Floats
from vidfit.tasks.detect.kind import boxes_of
from vidfit.tasks.detect.labels import parsed
from vidfit.tasks.placed import placed
from vidfit.tasks.task import Judged

LEAST = 0.05
"""Score of a box that is worth a look."""

_MOST = 50
"""Boxes of a frame, the surest."""


def box_answers(
    truth: Any,  # noqa: ANN401
    answers_MK: Floats,
    judged: Judged,
) -> Iterator[Mapping[str, object]]:
    """Yield for each frame its objects, and the boxes found, in pixels.

    An object is ``[label, left, top, right, bottom, ignored]``, what was found has its score in
    the last place.
    """
    for m, place in placed(judged):
        label = parsed(str(judged.clips[m].label))
        wide, high = label.size_pixels
        found = boxes_of(answers_MK[m], judged.classes, LEAST)[:_MOST]
        yield {
            **place,
            "size_pixels": [wide, high],
            "objects": [[*_pixels(box, wide, high), int(box.ignored)] for box in label.boxes],
            "found": [[*_pixels(box, wide, high), round(box.score or 0.0, 4)] for box in found],
        }


def _pixels(box: Box, wide: int, high: int) -> tuple[str, float, float, float, float]:
    left, top, right, bottom = (
        round(edge * side, 2) for edge, side in zip(box.edges, (wide, high) * 2, strict=True)
    )
    return box.label, left, top, right, bottom

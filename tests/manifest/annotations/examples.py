"""Labelled frames that every format is tried with."""

from __future__ import annotations

from pathlib import Path

from vidfit.boxes import Box, LabelledFrame
from vidfit.manifest.annotations import Annotations

SIZE = (64, 48)

PHOTOS = (
    LabelledFrame("a & b.jpg", None, (), SIZE, None, "val"),
    LabelledFrame(
        "c.jpg", None, (Box("car", 10, 20, 30, 40), Box("o'bus", 0, 0, 64, 48)), SIZE, None, "train"
    ),
    LabelledFrame("d.jpg", None, (Box("o'bus", 10.25, 20.5, 30.125, 40),), SIZE, None, "train"),
)
"""Two labelled pictures, and one that was looked at and holds nothing."""

VIDEO = tuple(
    LabelledFrame(
        "v.mp4",
        index,
        (
            *([Box("car", 1 + index, 2, 10 + index, 12, track=3)] if index != 2 else []),
            *([Box("o'bus", 30, 20, 40.5, 30, track=4)] if index > 1 else []),
        )
        if index != 5
        else (),
        SIZE,
    )
    for index in range(6)
)
"""A track with a gap, one that begins later, and a last frame that holds nothing."""

FOUND = tuple(
    LabelledFrame("v.mp4", index, (Box("car", 1, 2, 10, 12, score=0.5 + index / 8),), SIZE)
    for index in range(3)
)
"""Boxes that a detector found."""

CLASSES = ("car", "o'bus")


def annotated(frames: tuple[LabelledFrame, ...]) -> Annotations:
    """Return frames as a source would have them."""
    return Annotations(frames, "made here", CLASSES)


def write(folder: Path, files) -> Path:
    """Write the files that a writer gives; return the folder."""
    for name, content in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def in_order(frame: LabelledFrame) -> tuple[object, ...]:
    """Return what is told of a frame, its boxes in an order of their own."""
    boxes = sorted(
        (b.label, *(round(edge, 9) for edge in b.edges), str(b.score), str(b.track), b.ignored)
        for b in frame.boxes
    )
    return frame.path, frame.index, boxes, frame.size_pixels, frame.split

"""The label of a frame as text: ``320x256 drone 0.41 0.30 0.50 0.40; ~bird 0.1 0.1 0.2 0.2``.

Width and height of the picture in pixels, then its boxes: class, and left, top, right and bottom
in shares of the picture. ``~`` stands before a box that is ignored. The size alone is the label of
a frame in which nothing is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from zlib import crc32

from vidfit.boxes import Box

IGNORED = "~"

_SIZE = re.compile(r"(\d{1,6})x(\d{1,6})(?: (.+))?", re.DOTALL)
_SAME = {
    "aeroplane": "airplane",
    "plane": "airplane",
    "diningtable": "dining table",
    "human": "person",
    "motorbike": "motorcycle",
    "pedestrian": "person",
    "people": "person",
    "pottedplant": "potted plant",
    "sofa": "couch",
    "tvmonitor": "tv",
}
"""Names of other data sets for classes of COCO."""


@dataclass(frozen=True)
class FrameLabel:
    """What a label says: ``size_pixels`` of the picture, and boxes in shares of it."""

    size_pixels: tuple[int, int]
    boxes: tuple[Box, ...]


def parsed(label: str) -> FrameLabel:
    """Return what a label says.

    Raises
    ------
    ValueError
        If it is no such text, or a box has no area.
    """
    found = _SIZE.fullmatch(label.strip())
    if not found or not int(found[1]) or not int(found[2]):
        raise ValueError(
            "is no frame with boxes; valid are its size and boxes: '320x256 drone 0.41 0.3 0.5 0.4'"
        )
    items = [item.strip() for item in (found[3] or "").split(";")]
    return FrameLabel((int(found[1]), int(found[2])), tuple(_box(item) for item in items if item))


def written(label: FrameLabel) -> str:
    """Return the text of a label."""
    boxes = "; ".join(
        f"{IGNORED * box.ignored}{box.label} " + " ".join(f"{edge:.5f}" for edge in box.edges)
        for box in label.boxes
    )
    return f"{label.size_pixels[0]}x{label.size_pixels[1]} {boxes}".rstrip()


def name_number(name: str) -> int:
    """Return a number for the name of a class, the same for names of one meaning, below 2^24.

    Truth and vectors are numbers: so it is told which class of a detector a label means. 24 bits
    are exact in float32.
    """
    plain = " ".join(name.lower().replace("_", " ").split())
    return crc32(_SAME.get(plain, plain).encode()) & 0xFFFFFF


def _box(item: str) -> Box:
    ignored = item.startswith(IGNORED)
    name, *edges = item.removeprefix(IGNORED).rsplit(" ", 4)
    try:
        left, top, right, bottom = map(float, edges)
    except ValueError:
        left = top = right = bottom = 0.0
    if not name or not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise ValueError(
            f"has {item[:60]!r}, which is no box; valid are a class, and left, top, right and "
            "bottom in shares of the picture: 'drone 0.41 0.3 0.5 0.4'"
        )
    return Box(name, left, top, right, bottom, ignored=ignored)

"""MaskAnnotations: frames each place of which has a class, as an index PNG or as objects.

Shape letters: H height, W width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Failure, Note
from vidfit.manifest.annotations.rle import filled, mask_of, packed, runs_of, unpacked
from vidfit.video.limits import PIXELS_MAX

IndexMask = NDArray[np.uint8]
"""Number of the class of each place, [H, W]; `VOID` where it is not labelled."""

VOID = 255
"""Is neither learned nor judged."""

VOID_NAMES = frozenset({"void", "ignore", "ignored", "unlabelled", "unlabeled", "unknown"})
"""Classes of these names are read as `VOID`."""


@dataclass(frozen=True, slots=True)
class Region:
    """The places of one object: its outlines, or its runs; see `rle`.

    Parameters
    ----------
    label
        Number of its class, `VOID` for one to ignore.
    """

    label: int
    outlines: tuple[tuple[float, ...], ...] = ()
    runs: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class MaskedFrame:
    """A frame each place of which has a class.

    Parameters
    ----------
    path, index, group, split
        As `vidfit.boxes.LabelledFrame` has them.
    size_pixels
        Width and height of the mask.
    mask
        Path of an index PNG; ``None`` where regions say it.
    regions
        Objects, a later one over an earlier; other places are of class 0.
    """

    path: str
    index: int | None
    size_pixels: tuple[int, int]
    mask: str | None = None
    regions: tuple[Region, ...] = ()
    group: str | None = None
    split: str | None = None


@dataclass(frozen=True)
class MaskAnnotations:
    """Frames with masks, and what could not be used; as `Annotations` of boxes.

    Parameters
    ----------
    classes
        By their numbers in masks; those named as `VOID_NAMES` say do not occur.
    """

    frames: tuple[MaskedFrame, ...]
    form: str
    classes: tuple[str, ...] = ()
    rejected: tuple[Failure, ...] = ()
    notes: tuple[Note, ...] = ()
    missing: tuple[Failure, ...] = ()


def index_mask(frame: MaskedFrame, classes: Sequence[str]) -> IndexMask:
    """Return the classes of a frame's places, [H, W].

    Raises
    ------
    ValueError
        If the mask is none, or holds numbers that are of no class.
    """
    if frame.mask is None:
        return _drawn(frame)
    check_numbers(index_counts(Path(frame.mask)), len(classes))
    found_HW = read_index(Path(frame.mask))
    for number, name in enumerate(classes):
        if name.strip().lower() in VOID_NAMES:
            found_HW[found_HW == number] = VOID
    return found_HW


def _drawn(frame: MaskedFrame) -> IndexMask:
    width, height = frame.size_pixels
    found_HW = np.zeros((height, width), np.uint8)
    for region in frame.regions:
        cover(found_HW, region, region.label)
    return found_HW


def cover(mask_HW: NDArray[Any], region: Region, value: int) -> None:
    """Write a value to the places of an object."""
    height, width = mask_HW.shape
    for outline in region.outlines:
        mask_HW[filled(outline, height, width)] = value
    if region.runs:
        mask_HW[mask_of(region.runs, height, width)] = value


@dataclass(frozen=True, slots=True)
class IndexCounts:
    """Width and height of an index PNG, and how many pixels have each number, 0 to 255."""

    size_pixels: tuple[int, int]
    pixels: tuple[int, ...]


def index_counts(path: Path) -> IndexCounts:
    """Return what numbers a mask holds; a file is read once as long as it stays as it is.

    Raises
    ------
    ValueError
        As `read_index` does.
    """
    try:
        changed = path.stat().st_mtime_ns
    except OSError:
        changed = 0  # reading says what is wrong
    return _counts_of(path, changed)


@lru_cache(maxsize=100_000)
def _counts_of(path: Path, changed: int) -> IndexCounts:
    found_HW = read_index(path)
    height, width = found_HW.shape
    return IndexCounts(
        (width, height), tuple(np.bincount(found_HW.ravel(), minlength=256).tolist())
    )


def check_numbers(counts: IndexCounts, classes: int) -> None:
    """Refuse a mask with numbers that are of no class.

    Raises
    ------
    ValueError
        Names some of them.
    """
    strange = [n for n, pixels in enumerate(counts.pixels) if pixels and classes <= n != VOID]
    if strange:
        numbers = ", ".join(map(str, strange[:5]))
        raise ValueError(f"it holds {numbers}, and the classes are 0 to {classes - 1}")


def read_index(path: Path) -> IndexMask:
    """Return the numbers in an index PNG, or another image without loss, [H, W].

    Raises
    ------
    ValueError
        If it has several channels, numbers above 255, or is too large.
    """
    from PIL import Image

    try:
        with Image.open(path, formats=_FORMATS) as image:
            if image.width * image.height > PIXELS_MAX:
                raise ValueError(f"it has {image.width} x {image.height} pixels, which is too many")
            if image.mode not in ("P", "L", "1", "I", "I;16"):
                raise ValueError(
                    f"it is a {image.format} of {image.mode}, and no mask of class numbers; valid "
                    "are one channel or a palette"
                )
            found_HW = np.array(image)
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"it cannot be read as a {_NAMED} ({error})") from error
    if found_HW.dtype == np.uint8:
        return found_HW
    if found_HW.max() > VOID or found_HW.min() < 0:
        raise ValueError(f"it has numbers above {VOID} or below 0; a mask has none")
    return found_HW.astype(np.uint8)


_FORMATS = ("PNG", "BMP", "GIF", "TIFF")
_NAMED = "PNG, BMP, GIF or TIFF"


# ---------------------------------------------------------------- masks as text

_TEXT = "mask of "
"""Begins the text of a mask; an absolute path does not."""


def mask_text(mask_HW: IndexMask) -> str:
    """Return a mask in a line: its size, and of each number the runs, as COCO has them."""
    width, height = mask_HW.shape[::-1]
    runs = (f"{n}={packed(runs_of(mask_HW == n))}" for n in np.unique(mask_HW).tolist())
    return " ".join([f"{_TEXT}{width}x{height}", *runs])


def is_mask_text(label: str) -> bool:
    """Return whether a label is the text of a mask, rather than the path of a file."""
    return label.startswith(_TEXT)


def mask_of_text(text: str) -> IndexMask:
    """Return the mask, [H, W], that `mask_text` wrote.

    Raises
    ------
    ValueError
        If it did not.
    """
    size, *parts = text.removeprefix(_TEXT).split(" ")
    width, height = map(int, size.split("x"))
    if width < 1 or height < 1 or width * height > PIXELS_MAX:
        raise ValueError(f"it has {width} x {height} pixels, which is too many or none")
    mask_HW = np.full((height, width), VOID, np.uint8)
    for part in parts:
        number, _, runs = part.partition("=")
        if not 0 <= int(number) <= VOID:
            raise ValueError(f"it has the number {number}; valid are 0 to {VOID}")
        mask_HW[mask_of(unpacked(runs), height, width)] = int(number)
    return mask_HW

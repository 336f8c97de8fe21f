"""Folders of index PNG: where the mask of a picture lies, in and out."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from vidfit.boxes import LabelledFrame
from vidfit.contracts import Failure, Note
from vidfit.errors import ManifestError
from vidfit.manifest.annotations.checked import frame_index, is_same_shape
from vidfit.manifest.annotations.mask_places import NAME_FILES, PictureMask, pairs_of
from vidfit.manifest.annotations.masks import (
    VOID,
    IndexMask,
    MaskAnnotations,
    MaskedFrame,
    check_numbers,
    index_counts,
    index_mask,
)
from vidfit.manifest.annotations.media import Media
from vidfit.manifest.annotations.named import picture_names
from vidfit.manifest.annotations.value import Files, frame_name, nothing_usable
from vidfit.manifest.cells import written_cell
from vidfit.manifest.names import is_image
from vidfit.manifest.value import relative_name

FORM = "index PNG"


def read_mask_folder(source: Path, media: Media) -> MaskAnnotations | None:
    """Read masks of a table, or of folders; ``None`` where there are none.

    Each mask is looked at: its numbers must be of classes, its size that of its picture. Names
    stand a line each in ``names.txt``, or in the header of the table; without them classes are
    called by their numbers.

    Raises
    ------
    ManifestError
        If nothing can be used.
    """
    found = pairs_of(source)
    if not any(pair.mask for pair in found.pairs):
        return None
    rejected = [*found.rejected]
    frames = [frame for pair in found.pairs if (frame := _said(pair, rejected))]
    classes = found.names or _numbers(frames)
    notes = [] if found.names else [Note(source.name, _WITHOUT_NAMES)]
    if holds_boxes(source):
        notes.append(Note(source.name, _BOXES_TOO))
    folder = source.parent if source.is_file() else source
    checked = [
        known for one in frames if (known := _checked(folder, one, classes, (media, rejected)))
    ]
    if not checked:
        raise nothing_usable(source.name, FORM, rejected)
    return MaskAnnotations(tuple(checked), FORM, classes, tuple(rejected), tuple(notes))


_WITHOUT_NAMES = (
    f"no {NAME_FILES[0]} says what the numbers of masks mean: classes are called by their numbers, "
    "and void is a class as any other"
)


_BOXES = "Annotations"
_BOXES_TOO = (
    "its folder Annotations holds boxes, too, which are not read here: --task detect learns them, "
    "and vidfit convert reads them of that folder"
)


def holds_boxes(folder: Path) -> bool:
    """Return whether a folder of masks has boxes beside them, as Pascal VOC does."""
    inside = folder / _BOXES
    return inside.is_dir() and any(inside.glob("*.xml"))


def _said(pair: PictureMask, rejected: list[Failure]) -> MaskedFrame | None:
    """Return the frame of a pair as it is told, or say why there is none."""
    name = pair.picture
    try:
        if pair.mask is None or not pair.mask.is_file():
            there = f"its mask {pair.mask} is not there" if pair.mask else "it has no mask"
            raise ValueError(there)
        counts = bool(pair.index) and not is_image(name)
        index = frame_index(pair.index, "its frame", text=True) if counts else None
    except ValueError as error:
        rejected.append(Failure(name, str(error)))
        return None
    return MaskedFrame(name, index, (0, 0), str(pair.mask), (), pair.group, pair.split)


def _numbers(listed: Sequence[MaskedFrame]) -> tuple[str, ...]:
    """Return the numbers that occur in masks as names of classes."""
    most = -1
    for frame in listed:
        try:
            pixels = index_counts(Path(frame.mask or "")).pixels
        except ValueError:
            continue  # it is named when it is checked
        most = max([most, *(number for number in range(VOID) if pixels[number])])
    return tuple(f"class {number}" for number in range(most + 1))


def _checked(
    folder: Path, frame: MaskedFrame, classes: Sequence[str], with_: tuple[Media, list[Failure]]
) -> MaskedFrame | None:
    """Return a frame with the size of its mask, or say why it is left out."""
    media, rejected = with_
    try:
        counts = index_counts(Path(frame.mask or ""))
        check_numbers(counts, len(classes))
        width, height = counts.size_pixels
        true = media.size_pixels(frame.path)
        if true and not is_same_shape(true, (width, height)):
            raise ValueError(f"it has {width} x {height} pixels, its picture {true[0]} x {true[1]}")
        return replace(frame, size_pixels=(width, height))
    except ValueError as error:
        where = relative_name(frame.mask or "", str(folder))
        rejected.append(Failure(where, str(error)))
        return None


# ---------------------------------------------------------------- writing


def mask_files(masks: MaskAnnotations) -> Files:
    """Yield ``masks/NAME.png`` for each frame, ``names.txt``, and ``frames.csv``, a list of all."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(("path", "frame", "mask", "group", "split"))
    boxless = [LabelledFrame(frame.path, frame.index, ()) for frame in masks.frames]
    for frame, (_, name) in zip(masks.frames, picture_names(boxless), strict=True):
        mask = "/".join(
            ["masks", *([frame.split] if frame.split else []), f"{Path(name).stem}.png"]
        )
        try:
            yield mask, _png(index_mask(frame, masks.classes))
        except ValueError as error:
            raise ManifestError(f"{frame_name(frame.path, frame.index)}: {error}") from error
        index = "" if frame.index is None else str(frame.index)
        cells = (frame.path, mask, frame.group or "", frame.split or "")
        path, mask, group, split = map(written_cell, cells)
        writer.writerow((path, index, mask, group, split))
    yield "names.txt", "".join(f"{name}\n" for name in masks.classes).encode()
    yield "frames.csv", table.getvalue().encode()


def _png(mask_HW: IndexMask) -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(mask_HW).save(out, "PNG", optimize=True)
    return out.getvalue()

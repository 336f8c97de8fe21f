"""Folders of index PNG: where the mask of a picture lies, in and out."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from vidfit.boxes import LabelledFrame
from vidfit.contracts import Failure, Note
from vidfit.errors import ManifestError
from vidfit.manifest.annotations.checked import frame_index, is_same_shape
from vidfit.manifest.annotations.masks import (
    VOID,
    IndexMask,
    MaskAnnotations,
    MaskedFrame,
    index_mask,
    read_index,
)
from vidfit.manifest.annotations.media import Media, pictures_of
from vidfit.manifest.annotations.named import picture_names
from vidfit.manifest.annotations.value import Files, frame_name, nothing_usable
from vidfit.manifest.cells import read_cell, written_cell
from vidfit.manifest.names import split_word
from vidfit.manifest.sheets import encoding_of

FORM = "index PNG"
NAMES = ("names.txt", "classes.txt", "labels.txt")
_ENDINGS = ("_masks", "_mask", "_labels", "annot")
"""Of folders of masks: ``train_masks`` lies beside ``train``."""


def read_mask_folder(folder: Path, media: Media) -> MaskAnnotations | None:
    """Read masks of a table ``frames.csv``, or of folders; ``None`` where there are none.

    Each mask is looked at: its numbers must be of classes, its size that of its picture. Names
    stand a line each in ``names.txt``; without it classes are called by their numbers.

    Raises
    ------
    ManifestError
        If nothing can be used.
    """
    rejected: list[Failure] = []
    listed = [*_listed(folder, rejected)] or [*_paired(folder, rejected)]
    if not listed:
        return None
    classes = _names(folder)
    notes = [] if classes else [Note(folder.name, f"without {NAMES[0]} classes have no names")]
    classes = classes or _numbers(listed)
    frames = [
        frame for one in listed if (frame := _checked(folder, one, classes, (media, rejected)))
    ]
    if not frames:
        raise nothing_usable(folder.name, FORM, rejected)
    return MaskAnnotations(tuple(frames), FORM, classes, tuple(rejected), tuple(notes))


def _listed(folder: Path, rejected: list[Failure]) -> Iterator[MaskedFrame]:
    """Yield the rows of a table with columns ``path`` and ``mask``."""
    for table in sorted(folder.glob("*.csv")):
        text = table.read_text(encoding=encoding_of(table, table=True))
        reader = csv.DictReader(text.splitlines())
        if not {"path", "mask"} <= set(reader.fieldnames or ()):
            continue
        for row in _rows(reader, table):
            cells = {name: read_cell(cell or "").strip() for name, cell in row.items() if name}
            try:
                yield _of_row(folder, cells)
            except ValueError as error:
                rejected.append(Failure(f"{table.name}, line {reader.line_num}", str(error)))
        return


def _rows(reader: csv.DictReader[str], table: Path) -> Iterator[dict[str, str | None]]:
    try:
        yield from reader
    except csv.Error as error:
        raise ManifestError(f"{table.name} cannot be read as a table ({error})") from error


def _of_row(folder: Path, cells: dict[str, str]) -> MaskedFrame:
    mask = folder / cells["mask"]
    if not cells["path"] or not mask.is_file():
        raise ValueError(f"its mask {cells['mask']!r} is not there")
    index = cells.get("frame")
    return MaskedFrame(
        cells["path"],
        frame_index(index, "its frame", text=True) if index else None,
        (0, 0),
        str(mask),
        group=cells.get("group") or None,
        split=split_word(cells.get("split", "")),
    )


def _paired(folder: Path, rejected: list[Failure]) -> Iterator[MaskedFrame]:
    """Yield the masks in folders beside those of the pictures."""
    for masks in sorted(path for path in folder.rglob("*") if path.is_dir()):
        pictures = _beside(folder, masks)
        if pictures is None:
            continue
        known = pictures_of(pictures)
        for mask in sorted(masks.glob("*.png")):
            if mask.stem not in known:
                where = mask.relative_to(folder).as_posix()
                rejected.append(Failure(where, "no picture has its name"))
                continue
            path = (pictures / known[mask.stem]).relative_to(folder)
            split = next(filter(None, map(split_word, path.parts[:-1])), None)
            yield MaskedFrame(path.as_posix(), None, (0, 0), str(mask), split=split)


def _beside(folder: Path, masks: Path) -> Path | None:
    """Return the folder of pictures of a folder of masks."""
    parts = list(masks.relative_to(folder).parts)
    for at, part in enumerate(parts):
        named = next((part.removesuffix(end) for end in _ENDINGS if part.endswith(end)), "")
        other = "images" if part in ("masks", "labels") else named
        if other and (found := folder.joinpath(*parts[:at], other, *parts[at + 1 :])).is_dir():
            return found
    return None


def _names(folder: Path) -> tuple[str, ...]:
    for name in NAMES:
        if (path := folder / name).is_file():
            lines = path.read_text(encoding=encoding_of(path, table=True)).splitlines()
            return tuple(line.strip() for line in lines if line.strip())
    return ()


def _numbers(listed: Sequence[MaskedFrame]) -> tuple[str, ...]:
    """Return the numbers that occur in masks as names of classes."""
    most = -1
    for frame in listed:
        try:
            found_HW = read_index(Path(frame.mask or ""))
        except ValueError:
            continue  # it is named when it is checked
        if (known := found_HW[found_HW != VOID]).size:
            most = max(most, int(known.max()))
    return tuple(f"class {number}" for number in range(most + 1))


def _checked(
    folder: Path, frame: MaskedFrame, classes: Sequence[str], with_: tuple[Media, list[Failure]]
) -> MaskedFrame | None:
    """Return a frame with the size of its mask, or say why it is left out."""
    media, rejected = with_
    try:
        height, width = index_mask(frame, classes).shape
        true = media.size_pixels(frame.path)
        if true and not is_same_shape(true, (width, height)):
            raise ValueError(f"it has {width} x {height} pixels, its picture {true[0]} x {true[1]}")
        return MaskedFrame(
            frame.path, frame.index, (width, height), frame.mask, (), frame.group, frame.split
        )
    except ValueError as error:
        where = Path(frame.mask or "").relative_to(folder).as_posix()
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

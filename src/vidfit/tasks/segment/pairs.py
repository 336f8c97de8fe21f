"""Pictures and their masks: by a table, or by folders that belong together."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vidfit.errors import ManifestError
from vidfit.manifest.lists import read_lines
from vidfit.manifest.names import is_image, natural_key, split_word

PICTURE_COLUMNS = ("path", "image", "picture", "frame", "file", "filename")
MASK_COLUMNS = ("mask", "masks", "label", "labels", "annotation")
GROUP_COLUMNS = ("group", "recording", "source")
NAME_FILES = ("names.txt", "classes.txt", "labels.txt", "class_names.txt")

_PICTURES = ("images", "image", "imgs", "img", "frames", "pictures", "jpegimages", "leftimg8bit")
_MASKS = ("masks", "mask", "labels", "annotations", "segmentationclass", "gtfine")
_BESIDE = ("_masks", "_mask", "_labels", "_label", "masks", "annot")
_ENDINGS = ("", "_mask", "_L", "_label", "_labels", "_gtFine_labelIds", "_labelIds")
_MARK = ":"


@dataclass(frozen=True)
class PictureMask:
    """A picture and its mask, which may be missing (empty), where they are said to lie."""

    picture: Path
    mask: Path | None
    group: str | None = None
    split: str | None = None


@dataclass(frozen=True)
class FoundMasks:
    """Pairs, the names of the numbers of masks (none where nothing says them), and the layout."""

    pairs: tuple[PictureMask, ...]
    names: tuple[str, ...]
    layout: str


def pairs_of(source: Path) -> FoundMasks:
    """Return the pictures of a table, of a folder with a table, or of folders.

    Raises
    ------
    ManifestError
        If nothing of the kind is there.
    """
    table = source if source.is_file() else _table_in(source)
    if table is not None:
        return _of_table(table)
    pairs = sorted(_in_folders(source), key=lambda pair: natural_key(str(pair.picture)))
    if not pairs:
        raise ManifestError(
            f"{source} has no pictures with masks; valid are the folders images and masks with "
            "files of the same names, or a table with the columns path and mask, and names.txt "
            "with the name of each number of the masks, from 0 on, a line each"
        )
    return FoundMasks(tuple(pairs), _names_beside(source, pairs), "images and masks")


def _table_in(folder: Path) -> Path | None:
    """Return the first table of a folder that has a column of pictures and one of masks."""
    if not folder.is_dir():
        raise ManifestError(f"there is no folder or table {folder}")
    for path in sorted(folder.glob("*.csv")):
        header = _header(path)
        if _column(header, PICTURE_COLUMNS) is not None and _column(header, MASK_COLUMNS[:2]):
            return path
    return None


def _header(path: Path) -> list[str]:
    with path.open(encoding="utf-8-sig", newline="", errors="replace") as stream:
        return [cell.strip() for cell in next(csv.reader(stream), [])]


def _column(header: Sequence[str], names: Sequence[str]) -> int | None:
    """Return which column has one of some names; what stands behind a colon does not count."""
    plain = [cell.partition(_MARK)[0].strip().casefold() for cell in header]
    return next((plain.index(name) for name in names if name in plain), None)


def _of_table(path: Path) -> FoundMasks:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = [[cell.strip() for cell in row] for row in csv.reader(stream)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ManifestError(f"{path} cannot be read: {error}") from error
    header = rows[0] if rows else []
    picture, mask = _column(header, PICTURE_COLUMNS), _column(header, MASK_COLUMNS)
    if picture is None or mask is None:
        raise ManifestError(
            f"{path} has the columns {', '.join(header) or '(none)'}; it needs path and mask, and "
            "may have group and split. Names of the numbers of masks stand in names.txt beside "
            "it, or in the header: 'mask: sky|road|void'"
        )
    group, split = _column(header, GROUP_COLUMNS), _column(header, ("split",))
    told = header[mask].partition(_MARK)[2]
    pairs = []
    for row in rows[1:]:
        if len(row) > picture and row[picture]:
            cells = [
                row[at] if at is not None and at < len(row) else "" for at in (mask, group, split)
            ]
            where = path.parent / cells[0] if cells[0] else None
            pairs.append(
                PictureMask(
                    path.parent / row[picture], where, cells[1] or None, split_word(cells[2])
                )
            )
    names = tuple(name.strip() for name in told.split("|")) if told.strip() else ()
    return FoundMasks(tuple(pairs), names or _names_beside(path.parent, pairs), "a table of masks")


def _in_folders(root: Path) -> Iterator[PictureMask]:
    """Yield the pictures of folders beside which there is one of masks."""
    for folder in sorted({path.parent for path in root.rglob("*") if is_image(path.name)}):
        masks = _masks_of(folder, root)
        if masks is None:
            continue
        split = next(
            (word for part in folder.relative_to(root).parts if (word := split_word(part))), None
        )
        for picture in folder.iterdir():
            if is_image(picture.name):
                yield PictureMask(picture, _mask_of(picture, masks), None, split)


def _masks_of(folder: Path, root: Path) -> Path | None:
    """Return the folder of the masks of the pictures of a folder, if it is one of pictures."""
    for ending in _BESIDE:
        beside = folder.with_name(folder.name + ending)
        if beside.is_dir():
            return beside
    parts = folder.relative_to(root.parent).parts
    for at, part in enumerate(parts):
        if part.casefold() in _PICTURES:
            parent = root.parent.joinpath(*parts[:at])
            for other in sorted(parent.iterdir()):
                masks = other.joinpath(*parts[at + 1 :])
                if other.name.casefold() in _MASKS and masks.is_dir():
                    return masks
    return None


def _mask_of(picture: Path, masks: Path) -> Path | None:
    stem = picture.stem.removesuffix("_leftImg8bit")
    tried = (masks / f"{stem}{ending}.png" for ending in _ENDINGS)
    return next((path for path in tried if path.is_file()), None)


def _names_beside(folder: Path, pairs: Sequence[PictureMask]) -> tuple[str, ...]:
    """Return the names in a file beside the table, the folders, or the masks."""
    folders = [folder, *(pair.mask.parent for pair in pairs[:1] if pair.mask)]
    for place in folders:
        for name in NAME_FILES:
            if (place / name).is_file():
                return tuple(read_lines(place / name))
    return ()

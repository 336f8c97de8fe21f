"""Pictures and their masks: by a table, or by folders that belong together."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from vidfit.contracts import Failure
from vidfit.documents import shown
from vidfit.errors import ManifestError
from vidfit.manifest.cells import read_cell
from vidfit.manifest.names import is_image, split_word
from vidfit.manifest.sheets import encoding_of
from vidfit.manifest.value import relative_name
from vidfit.video.names import natural_key

PICTURE_COLUMNS = ("path", "image", "picture", "frame", "file", "filename")
MASK_COLUMNS = ("mask", "masks", "label", "labels", "annotation")
GROUP_COLUMNS = ("group", "recording", "source")
INDEX_COLUMNS = ("frame", "index")
NAME_FILES = ("names.txt", "classes.txt", "labels.txt", "class_names.txt")

_PICTURES = ("images", "image", "imgs", "img", "frames", "pictures", "jpegimages", "leftimg8bit")
_MASKS = ("masks", "mask", "labels", "annotations", "segmentationclass", "gtfine")
_BESIDE = ("_masks", "_mask", "_labels", "_label", "masks", "annot")
_ENDINGS = ("", "_mask", "_L", "_label", "_labels", "_gtFine_labelIds", "_labelIds")
_PICTURE_ENDING, _MASK_SUFFIX = "_leftImg8bit", ".png"
_MARK = ":"


@dataclass(frozen=True)
class PictureMask:
    """A picture by its name, and its mask, which may be missing (empty).

    Parameters
    ----------
    index
        What a table says of the number of the frame, as text.
    """

    picture: str
    mask: Path | None
    group: str | None = None
    split: str | None = None
    index: str = ""


@dataclass(frozen=True)
class FoundMasks:
    """Pairs, the names of the numbers of masks (none where nothing says them), and masks alone."""

    pairs: tuple[PictureMask, ...]
    names: tuple[str, ...]
    rejected: tuple[Failure, ...] = ()


def pairs_of(source: Path) -> FoundMasks:
    """Return the pictures of a table, of a folder with a table, or of folders.

    Raises
    ------
    ManifestError
        If a table cannot be read, or has no columns of pictures and masks.
    """
    table = source if source.is_file() else _table_in(source)
    if table is not None:
        return _of_table(table)
    rejected: list[Failure] = []
    found = _in_folders(source, rejected)
    pairs = sorted(found, key=lambda pair: natural_key(pair.picture))
    return FoundMasks(tuple(pairs), _names_beside(source, pairs), tuple(rejected))


def _table_in(folder: Path) -> Path | None:
    """Return the first table of a folder that has a column of pictures and one of masks."""
    for path in sorted(folder.glob("*.csv")):
        header = next(iter(_rows(path, most=1)), [])
        picture, mask = _column(header, PICTURE_COLUMNS), _column(header, MASK_COLUMNS[:2])
        if picture is not None and mask is not None:
            return path
    return None


def _rows(path: Path, most: int | None = None) -> list[list[str]]:
    try:
        with path.open(encoding=encoding_of(path, table=True), newline="") as stream:
            reader = csv.reader(stream)
            return [[read_cell(cell).strip() for cell in row] for row in islice(reader, most)]
    except (OSError, csv.Error) as error:
        raise ManifestError(f"{path.name} cannot be read as a table ({error})") from error


def _column(header: Sequence[str], names: Sequence[str]) -> int | None:
    """Return which column has one of some names; what stands behind a colon does not count."""
    plain = [cell.partition(_MARK)[0].strip().casefold() for cell in header]
    return next((plain.index(name) for name in names if name in plain), None)


def _of_table(path: Path) -> FoundMasks:
    header, *rows = _rows(path) or [[]]
    picture, mask = _column(header, PICTURE_COLUMNS), _column(header, MASK_COLUMNS)
    if picture is None or mask is None:
        raise ManifestError(
            f"{path} has the columns {shown(header)}; it needs path and mask, and "
            "may have group and split. Names of the numbers of masks stand in names.txt beside "
            "it, or in the header: 'mask: sky|road|void'"
        )
    index = _column(header, INDEX_COLUMNS)
    others = (
        _column(header, GROUP_COLUMNS), _column(header, ("split",)),
        None if index == picture else index,
    )  # fmt: skip
    pairs = []
    for row in rows:
        name, place, group, split, number = (
            row[at] if at is not None and at < len(row) else "" for at in (picture, mask, *others)
        )
        if name:
            file = path.parent / place if place else None
            pairs.append(PictureMask(name, file, group or None, split_word(split), number))
    told = header[mask].partition(_MARK)[2]
    names = tuple(name.strip() for name in told.split("|")) if told.strip() else ()
    return FoundMasks(tuple(pairs), names or _names_beside(path.parent, pairs))


def _in_folders(root: Path, rejected: list[Failure]) -> Iterator[PictureMask]:
    """Yield the pictures of folders beside which there is one of masks."""
    for folder in sorted({path.parent for path in root.rglob("*") if is_image(path.name)}):
        masks = _masks_of(folder, root)
        if masks is None:
            continue
        inside = folder.relative_to(root)
        split = next(filter(None, map(split_word, inside.parts)), None)
        files = {path.stem for path in masks.iterdir() if path.suffix == _MASK_SUFFIX}
        pictures = [path for path in folder.iterdir() if is_image(path.name)]
        for picture in pictures:
            mask = _mask_of(picture, files)
            place = masks / f"{mask}{_MASK_SUFFIX}" if mask is not None else None
            yield PictureMask((inside / picture.name).as_posix(), place, None, split)
        stems = {path.stem.removesuffix(_PICTURE_ENDING) for path in pictures}
        for stem in sorted(files):
            words = stem.split("_")
            if not any("_".join(words[: end + 1]) in stems for end in range(len(words))):
                name = relative_name(str(masks / f"{stem}{_MASK_SUFFIX}"), str(root))
                rejected.append(Failure(name, "no picture has its name"))


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
                # Of Pascal VOC, Annotations holds boxes and no mask.
                if other.name.casefold() in _MASKS and any(masks.glob(f"*{_MASK_SUFFIX}")):
                    return masks
    return None


def _mask_of(picture: Path, files: set[str]) -> str | None:
    stem = picture.stem.removesuffix(_PICTURE_ENDING)
    return next((f"{stem}{end}" for end in _ENDINGS if f"{stem}{end}" in files), None)


def _names_beside(folder: Path, pairs: Sequence[PictureMask]) -> tuple[str, ...]:
    """Return the names in a file beside the table, the folders, or the masks."""
    folders = [folder, *(pair.mask.parent for pair in pairs[:1] if pair.mask)]
    for place in folders:
        for name in NAME_FILES:
            if (place / name).is_file():
                text = (place / name).read_text(encoding=encoding_of(place / name, table=True))
                lines = (line.strip() for line in text.splitlines())
                return tuple(line for line in lines if line and not line.startswith("#"))
    return ()

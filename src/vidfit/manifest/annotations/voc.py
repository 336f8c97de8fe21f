"""Boxes in the XML of Pascal VOC, one file a picture.

Everingham et al. (2010), The Pascal Visual Object Classes Challenge. Pixels count from 1, and the
last one belongs to the box: one of the whole picture is ``1, 1, width, height``. An object that is
``difficult`` is one to ignore.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath
from xml.sax.saxutils import escape

from vidfit.boxes import Box, LabelledFrame
from vidfit.contracts import Failure
from vidfit.errors import ManifestError
from vidfit.manifest.annotations.checked import number, plain, size_of
from vidfit.manifest.annotations.named import picture_names
from vidfit.manifest.annotations.rows import BoxRows, Sizes, unknown
from vidfit.manifest.annotations.value import Annotations, Files, Key
from vidfit.manifest.annotations.xml_tree import Element, parse_xml
from vidfit.manifest.names import split_word

FORM = "Pascal VOC"
_SIDES = ("xmin", "ymin", "xmax", "ymax")


@dataclass(frozen=True)
class _Object:
    where: str
    frame: Key
    label: str
    sides: tuple[float, ...]
    ignored: bool


def parse_voc(files: Iterable[tuple[str, bytes]], name: str, sizes: Sizes = unknown) -> Annotations:
    """Read boxes of pictures.

    Where a corner lies at 0 or below, the files are of a tool that counts pixels from 0, and all
    of them are read so; that is noted.

    Parameters
    ----------
    files
        Names of the files, and what they hold; a file's parts of a name that are a split say it.

    Raises
    ------
    ManifestError
        If nothing can be used.
    """
    rows = BoxRows(name, FORM, sizes)
    objects: list[_Object] = []
    for file, data in files:
        try:
            objects += _objects(rows, file, parse_xml(data, file))
        except (ManifestError, ValueError) as error:
            rows.rejected.append(Failure(file, str(error).removeprefix(f"{file}: ")))
    first = 1
    if any(min(found.sides[:2]) <= 0 for found in objects):
        first = 0
        rows.note(name, "a corner lies at pixel 0 or below: pixels are taken to count from 0")
    for found in objects:
        left, top, right, bottom = found.sides
        sides = left - first, top - first, right, bottom
        rows.add(found.where, found.frame, Box(found.label, *sides, ignored=found.ignored))
    return rows.result()


def _objects(rows: BoxRows, file: str, root: Element) -> list[_Object]:
    """Return the objects of a file, whose picture was looked at."""
    if root.tag != "annotation":
        raise ValueError(f"it is XML of {root.tag!r}, and not of 'annotation' as Pascal VOC has it")
    picture = root.said("filename") or PurePath(root.said("path").replace("\\", "/")).name
    if not picture:
        raise ValueError("it has no filename")
    size = size_of(root.said("size", "width"), root.said("size", "height"), text=True)
    split = next(filter(None, map(split_word, PurePath(file).parts[:-1])), None)
    if rows.has((picture, None)):
        rows.reject(file, f"another file is of the picture {picture!r}, too", (picture, None))
        return []
    frame = rows.see(picture, size_pixels=size, split=split)
    found = []
    for item in root.all("object"):
        where = f"{file}, line {item.line}"
        try:
            found.append(_object(where, frame, item))
        except ValueError as error:
            rows.reject(where, str(error), frame)
    return found


def _object(where: str, frame: Key, item: Element) -> _Object:
    box = item.first("bndbox")
    if box is None:
        raise ValueError("it has no bndbox")
    sides = tuple(number(box.said(side), f"its {side}", text=True) for side in _SIDES)
    return _Object(where, frame, item.said("name"), sides, item.said("difficult") == "1")


# ---------------------------------------------------------------- writing


def voc_files(annotations: Annotations) -> Files:
    """Yield ``Annotations/NAME.xml`` for each picture, by splits where there are; no tracks.

    The frame of a video is named as a picture of its own, see `picture_names`.
    """
    for frame, name in picture_names(annotations.frames):
        folder = f"Annotations/{frame.split}" if frame.split else "Annotations"
        yield f"{folder}/{PurePath(name).stem}.xml", _document(frame, name).encode()


def _document(frame: LabelledFrame, name: str) -> str:
    width, height = frame.size_pixels or (0, 0)
    head = (
        f"<annotation>\n  <folder>images</folder>\n  <filename>{escape(name)}</filename>\n"
        f"  <size><width>{width}</width><height>{height}</height><depth>3</depth></size>\n"
        "  <segmented>0</segmented>\n"
    )
    return head + "".join(map(_written, frame.boxes)) + "</annotation>\n"


def _written(box: Box) -> str:
    values = (box.left + 1, box.top + 1, box.right, box.bottom)
    sides = "".join(f"<{s}>{plain(v)}</{s}>" for s, v in zip(_SIDES, values, strict=True))
    return (
        f"  <object>\n    <name>{escape(box.label)}</name>\n    <pose>Unspecified</pose>\n"
        f"    <truncated>0</truncated>\n    <difficult>{int(box.ignored)}</difficult>\n"
        f"    <bndbox>{sides}</bndbox>\n  </object>\n"
    )

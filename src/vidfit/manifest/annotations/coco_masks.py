"""MaskAnnotations in COCO JSON: outlines and runs, in and out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from vidfit.boxes import LabelledFrame
from vidfit.contracts import Failure, Note
from vidfit.documents import shown, to_json
from vidfit.errors import ManifestError
from vidfit.manifest.annotations.checked import number
from vidfit.manifest.annotations.coco import FORM, coco_document, is_crowd, read_objects
from vidfit.manifest.annotations.masks import (
    VOID,
    MaskAnnotations,
    MaskedFrame,
    Region,
    cover,
    index_mask,
)
from vidfit.manifest.annotations.rle import Mask, filled, mask_of, packed, runs_of, unpacked
from vidfit.manifest.annotations.rows import BoxRows, Sizes, unknown
from vidfit.manifest.annotations.value import Annotations, Files, Key, nothing_usable
from vidfit.video.limits import PIXELS_MAX

BACKGROUND = "background"
"""Class 0 of masks that are made of objects, where no category has that name."""


def parse_coco_masks(document: Any, name: str, sizes: Sizes = unknown) -> MaskAnnotations:  # noqa: ANN401
    """Read what objects cover; a crowd is void, and all else is background.

    Raises
    ------
    ManifestError
        If it is no COCO, nothing can be used, or there are more classes than a mask can hold.
    """
    rows = BoxRows(name, FORM, sizes)
    regions: dict[Key, list[tuple[str | None, Region]]] = {}

    def take(place: tuple[str, Key], annotation: dict[str, Any], label: str) -> None:
        key = place[1]
        size = rows.size(key)
        if size is None:
            raise ValueError("the size of its picture is not known")
        region = region_of(annotation.get("segmentation"), 0, size)
        regions.setdefault(key, []).append((None if is_crowd(annotation) else label, region))

    read_objects(rows, document, take)
    found = rows.result()
    frames, rejected = _sized(rows, found)
    parts = [regions.get((frame.path, frame.index), []) for frame in frames]
    known = tuple(label for label in found.classes if label != BACKGROUND)
    whole = all(map(_covered, frames, parts)) and BACKGROUND not in found.classes
    classes = known if whole else (BACKGROUND, *known)
    if len(classes) > VOID:
        raise ManifestError(f"{name} has {len(classes)} classes; a mask holds up to {VOID}")
    numbers = {None: VOID} | {label: number for number, label in enumerate(classes)}
    masked = tuple(
        replace(
            frame, regions=tuple(replace(region, label=numbers[label]) for label, region in part)
        )
        for frame, part in zip(frames, parts, strict=True)
    )
    notes = () if whole else (Note(name, f"what no object covers is {BACKGROUND}"),)
    return MaskAnnotations(masked, FORM, classes, rejected, (*found.notes, *notes))


def _sized(rows: BoxRows, found: Annotations) -> tuple[list[MaskedFrame], tuple[Failure, ...]]:
    """Return the frames of which masks can be drawn, in the size that the file says."""
    frames: list[MaskedFrame] = []
    rejected = list(found.rejected)
    for frame in found.frames:
        size = rows.size((frame.path, frame.index))
        if size is None or size[0] * size[1] > PIXELS_MAX:
            why = "not known" if size is None else f"{size[0]} x {size[1]} pixels: too much"
            rejected.append(Failure(rows.inside(frame.path), f"the size of its picture is {why}"))
        else:
            of = frame.group, frame.split
            frames.append(MaskedFrame(frame.path, frame.index, size, None, (), *of))
    if not frames:
        raise nothing_usable(rows.name, FORM, rejected)
    return frames, tuple(rejected)


def _covered(frame: MaskedFrame, part: list[tuple[str | None, Region]]) -> bool:
    """Return whether objects cover all of a frame."""
    width, height = frame.size_pixels
    mask_HW = np.zeros((height, width), np.bool_)
    for _, region in part:
        cover(mask_HW, region, True)
    return bool(mask_HW.all())


def region_of(segmentation: object, label: int, size_pixels: tuple[int, int]) -> Region:
    """Return what the ``segmentation`` of an object says.

    Raises
    ------
    ValueError
        If it is neither outlines nor runs of a picture of that size.
    """
    width, height = size_pixels
    if width * height > PIXELS_MAX:
        raise ValueError(f"its picture has {width} x {height} pixels, which is too many")
    if isinstance(segmentation, list) and segmentation:
        outlines = tuple(map(_outline, segmentation))
        for outline in outlines:
            filled(outline, height, width)
        return Region(label, outlines)
    if isinstance(segmentation, dict):
        return Region(label, runs=_runs(segmentation, size_pixels))
    raise ValueError("it has no segmentation of outlines or runs")


def _outline(found: object) -> tuple[float, ...]:
    if not isinstance(found, list):
        raise ValueError("an outline of it is no list of numbers")
    return tuple(number(value, "a point of its outline") for value in found)


def _runs(found: dict[str, Any], size_pixels: tuple[int, int]) -> tuple[int, ...]:
    width, height = size_pixels
    if found.get("size") != [height, width]:
        said = shown(found.get("size"))
        raise ValueError(f"its runs are of {said}, and its picture is of [{height}, {width}]")
    counts = found.get("counts")
    runs = unpacked(counts) if isinstance(counts, str) else counts
    if not isinstance(runs, list) or not all(type(run) is int for run in runs):
        raise ValueError("its counts are no runs")
    mask_of(runs, height, width)
    return tuple(runs)


# ---------------------------------------------------------------- writing


def coco_mask_files(masks: MaskAnnotations) -> Files:
    """Yield ``annotations.json``: in each frame an object of each class, as short runs.

    Outlines come back as runs, for an outline cannot say each pixel; void is a crowd of class 1.
    """
    frames = tuple(
        LabelledFrame(f.path, f.index, (), f.size_pixels, f.group, f.split) for f in masks.frames
    )
    document = coco_document(Annotations(frames, masks.form, masks.classes))
    for image, frame in enumerate(masks.frames, 1):
        mask_HW = index_mask(frame, masks.classes)
        for label in np.unique(mask_HW).tolist():
            objects = document["annotations"]
            objects.append(_object(len(objects) + 1, image, label, mask_HW == label))
    yield "annotations.json", to_json(document, ascii_only=False).encode()


def _object(at: int, image: int, label: int, mask_HW: Mask) -> dict[str, Any]:
    rows, columns = np.flatnonzero(mask_HW.any(axis=1)), np.flatnonzero(mask_HW.any(axis=0))
    left, top = int(columns[0]), int(rows[0])
    return {
        "id": at,
        "image_id": image,
        "category_id": 1 if label == VOID else label + 1,
        "segmentation": {"size": list(mask_HW.shape), "counts": packed(runs_of(mask_HW))},
        "area": int(mask_HW.sum()),
        "bbox": [left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top],
        "iscrowd": int(label == VOID),
    }

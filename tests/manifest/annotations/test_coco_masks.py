"""Masks in COCO, held against pycocotools."""

from __future__ import annotations

import numpy as np
import pytest
from pycocotools.coco import COCO
from tests.manifest.annotations.examples import write

from vidfit.errors import ManifestError
from vidfit.manifest.annotations import VOID, index_mask, parse_masks
from vidfit.manifest.annotations.coco_masks import coco_mask_files, parse_coco_masks

OUTLINE = [3.5, 2.0, 40.2, 7.0, 20.0, 30.9]
OBJECTS = [
    {"id": 1, "image_id": 1, "category_id": 7, "segmentation": [OUTLINE], "area": 1, "iscrowd": 0},
    {"id": 2, "image_id": 1, "category_id": 8, "area": 1, "iscrowd": 1,
     "segmentation": {"size": [48, 64], "counts": [48 * 60, 48 * 4]}},
]  # fmt: skip
DOCUMENT = {
    "images": [{"id": 1, "file_name": "a.jpg", "width": 64, "height": 48}],
    "categories": [{"id": 7, "name": "car"}, {"id": 8, "name": "road"}],
    "annotations": OBJECTS,
}


def theirs(document) -> COCO:
    read = COCO()
    read.dataset = document
    read.createIndex()
    return read


def test_objects_are_drawn_over_the_background_and_crowds_are_void():
    masks = parse_coco_masks(DOCUMENT, "x.json")
    assert masks.classes == ("background", "car", "road")
    (frame,) = masks.frames
    read = theirs(DOCUMENT)
    expected = read.annToMask(OBJECTS[0]).astype(np.uint8)
    expected[read.annToMask(OBJECTS[1]) == 1] = VOID
    assert np.array_equal(index_mask(frame, masks.classes), expected)


def test_pycocotools_reads_what_was_written_and_it_is_read_back(tmp_path):
    masks = parse_coco_masks(DOCUMENT, "x.json")
    write(tmp_path, coco_mask_files(masks))
    read = COCO(str(tmp_path / "annotations.json"))
    seen = np.full((48, 64), 99, np.uint8)
    for item in read.loadAnns(read.getAnnIds()):
        seen[read.annToMask(item) == 1] = VOID if item["iscrowd"] else item["category_id"] - 1
        assert item["area"] == read.annToMask(item).sum()
    mask_HW = index_mask(masks.frames[0], masks.classes)
    assert np.array_equal(seen, mask_HW)
    for place in (tmp_path, tmp_path / "annotations.json"):
        again = parse_masks(place)
        assert again.classes == masks.classes
        assert np.array_equal(index_mask(again.frames[0], again.classes), mask_HW)


def test_faults_of_segmentations_are_named():
    objects = [
        {**OBJECTS[0], "segmentation": [[1, 2, 3, 4]]},
        {**OBJECTS[0], "segmentation": {"size": [64, 48], "counts": [64 * 48]}},
        {**OBJECTS[0], "segmentation": {"size": [48, 64], "counts": "~~"}},
        {**OBJECTS[0], "segmentation": {"size": [48, 64], "counts": [5]}},
        {**OBJECTS[0], "segmentation": None},
    ]
    with pytest.raises(ManifestError) as error:
        parse_coco_masks({**DOCUMENT, "annotations": objects}, "x.json")
    for reason in (
        "annotations[0]: an outline of it has 4 numbers",
        "annotations[1]: its runs are of [64, 48], and its picture is of [48, 64]",
        "annotations[2]: its counts have the sign '~'",
        "annotations[3]: its runs are of 5 pixels",
        "annotations[4]: it has no segmentation",
    ):
        assert reason in str(error.value)

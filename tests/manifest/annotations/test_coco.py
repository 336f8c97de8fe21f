"""COCO, held against pycocotools."""

from __future__ import annotations

import json

import pytest
from pycocotools.coco import COCO
from tests.manifest.annotations.examples import FOUND, PHOTOS, VIDEO, annotated, write

from vidfit.boxes import Box
from vidfit.errors import ManifestError
from vidfit.manifest.annotations import parse_annotations
from vidfit.manifest.annotations.coco import coco_files, parse_coco

IMAGES = [{"id": 1, "file_name": "a.jpg", "width": 64, "height": 48}]
CATEGORIES = [{"id": 7, "name": "car"}]


def of(objects, **parts):
    return {"images": IMAGES, "categories": CATEGORIES, "annotations": objects, **parts}


@pytest.mark.parametrize("frames", [PHOTOS, VIDEO, FOUND], ids=["photos", "video", "found"])
def test_what_was_written_is_read_back(tmp_path, frames):
    found = parse_annotations(write(tmp_path, coco_files(annotated(frames))))
    assert found.frames == frames and found.form == "COCO"
    assert not found.rejected and not found.notes


def test_pycocotools_reads_what_was_written(tmp_path):
    write(tmp_path, coco_files(annotated(PHOTOS)))
    read = COCO(str(tmp_path / "annotations.json"))
    names = {item["id"]: item["name"] for item in read.loadCats(read.getCatIds())}
    seen = {image["file_name"]: set() for image in read.loadImgs(read.getImgIds())}
    for item in read.loadAnns(read.getAnnIds()):
        file = read.imgs[item["image_id"]]["file_name"]
        seen[file].add((names[item["category_id"]], *item["bbox"], item["area"]))
    assert seen == {
        frame.path: {
            (b.label, b.left, b.top, b.right - b.left, b.bottom - b.top,
             (b.right - b.left) * (b.bottom - b.top))
            for b in frame.boxes
        }
        for frame in PHOTOS
    }  # fmt: skip


def test_crowds_outlines_and_names_of_videos():
    objects = [
        {"image_id": 1, "category_id": 7, "bbox": [1, 2, 3, 4], "iscrowd": 1, "track_id": 5},
        {"image_id": 1, "category_id": 7, "segmentation": [[1, 1, 9, 1, 9, 7],
         [20, 2, 30, 5, 22, 9]]},
    ]  # fmt: skip
    images = [{**IMAGES[0], "video_id": 2}]
    found = parse_coco(of(objects, images=images, videos=[{"id": 2, "name": "film"}]), "x.json")
    (frame,) = found.frames
    assert (frame.path, frame.index, frame.group) == ("a.jpg", None, "film")
    assert frame.boxes == (
        Box("car", 1, 2, 4, 6, track=5, ignored=True),
        Box("car", 1, 1, 30, 9),
    )


def test_all_that_is_wrong_is_named_and_the_rest_is_used():
    images = [
        *IMAGES,
        {"id": 2, "file_name": "b.jpg", "width": 64, "height": 48},
        {"id": 3, "file_name": "c.jpg"}, {"id": 3, "file_name": "d.jpg"},
        {"id": 4}, "no image",
    ]  # fmt: skip
    objects = [
        {"image_id": 1, "category_id": 7, "bbox": [-10, 0, 20, 20]},
        {"image_id": 1, "category_id": 7, "bbox": [5, 5, 0, 5]},
        {"image_id": 1, "category_id": 7, "bbox": [70, 5, 5, 5]},
        {"image_id": 2, "category_id": 8, "bbox": [5, 5, 5, 5]},
        {"image_id": 3, "category_id": 7, "bbox": [5, 5, 5, 5]},
    ]
    found = parse_coco(of(objects, images=images), "x.json")
    assert [(f.path, f.boxes) for f in found.frames] == [("a.jpg", (Box("car", 0, 0, 10, 20),))]
    assert [(note.name, note.text) for note in found.notes] == [
        ("x.json: annotations[0]", "50% of it lies outside of the picture, and is cut off")
    ]
    assert [(fault.name, fault.reason) for fault in found.rejected] == [
        ("x.json: images[2]", "2 images have its id 3"),
        ("x.json: images[3]", "2 images have its id 3"),
        ("x.json: images[4]", "it has no file_name"),
        ("x.json: images[5]", "it is a str, and no object with fields"),
        ("x.json: annotations[1]", "its size is 0 x 5 pixels"),
        ("x.json: annotations[2]", "it lies outside of the picture of 64 x 48 pixels"),
        ("x.json: annotations[3]", "its category_id is 8, and no category has it"),
        ("x.json: annotations[4]", "its image_id is 3, and no image that can be used has it"),
        ("x.json: b.jpg", "the frame is left out: what is wrong above may hide an object"),
    ]


def test_a_file_of_which_nothing_can_be_used_is_refused_with_all_that_is_wrong():
    objects = [{"image_id": 1, "category_id": 7, "bbox": [float("nan"), 0, 1, 1]} for _ in "ab"]
    with pytest.raises(ManifestError) as error:
        parse_coco(json.loads(json.dumps(of(objects))), "x.json")
    assert "annotations[0]: x of bbox is nan" in str(error.value)
    assert "annotations[1]: x of bbox is nan" in str(error.value)

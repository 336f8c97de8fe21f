"""Which format it is, and where pictures lie."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from tests.clips import write_clip
from tests.manifest.annotations.examples import PHOTOS, SIZE, VIDEO, annotated, write

from vidfit.errors import ManifestError
from vidfit.manifest.annotations import parse_annotations, read_annotations, summary
from vidfit.manifest.annotations.coco import coco_files
from vidfit.manifest.annotations.cvat import cvat_files
from vidfit.manifest.annotations.label_studio import label_studio_files
from vidfit.manifest.annotations.mot import mot_files
from vidfit.manifest.annotations.table import table_files
from vidfit.manifest.annotations.voc import voc_files
from vidfit.video.policy import Policy, enforced


def picture(path: Path, size: tuple[int, int] = SIZE, turned: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    exif[0x0112] = 6 if turned else 1
    Image.new("RGB", size).save(path, exif=exif)


@pytest.fixture
def folder(tmp_path):
    for frame in PHOTOS:
        picture(tmp_path / "images" / frame.path)
    return tmp_path


@pytest.mark.parametrize(
    ("files", "name", "form"),
    [
        (coco_files, "annotations.json", "COCO"),
        (voc_files, "", "Pascal VOC"),
        (voc_files, "Annotations/train/c.xml", "Pascal VOC"),
        (cvat_files, "images.xml", "CVAT"),
        (label_studio_files, "tasks.json", "Label Studio"),
        (table_files, "boxes.csv", "CSV of boxes"),
    ],
)
def test_a_format_is_told_by_its_content(folder, files, name, form):
    write(folder / "labels.d", files(annotated(PHOTOS)))
    path = folder / "labels.d" / name
    if name and path.suffix:
        path = path.rename(path.with_name("x.dat"))
    found = read_annotations(path, folder / "images")
    assert found.form == form
    assert {Path(frame.path).parent for frame in found.frames} == {folder / "images"}


def test_a_sequence_is_told_by_its_rows_and_finds_its_video(tmp_path):
    write(tmp_path, mot_files(annotated(tuple(replace(f, size_pixels=None) for f in VIDEO))))
    write_clip(tmp_path / "v" / "v.mp4", frames=6)
    for place in (tmp_path, tmp_path / "v", tmp_path / "v" / "gt" / "gt.txt"):
        found = read_annotations(place)
        assert found.form == "MOT" and len(found) == 6
        assert {frame.path for frame in found.frames} == {str(tmp_path / "v" / "v.mp4")}


def test_frames_beyond_the_end_of_a_video_are_named_and_left_out(tmp_path):
    write(tmp_path, table_files(annotated(tuple(replace(f, size_pixels=None) for f in VIDEO))))
    write_clip(tmp_path / "v.mp4", frames=4)
    found = read_annotations(tmp_path / "boxes.csv")
    assert [frame.index for frame in found.frames] == [0, 1, 2, 3]
    assert found.rejected[0].reason == "it has 4 frames, and no 4, 5"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("hello\n", "is of no format of boxes that is known; valid are COCO"),
        ('{"database": {}}', "is of no format"),
        ("<html/>", "is of no format"),
        ("", "is an empty file"),
    ],
)
def test_what_is_none_is_refused(tmp_path, text, reason):
    (tmp_path / "x").write_text(text)
    with pytest.raises(ManifestError, match=reason):
        parse_annotations(tmp_path / "x")


def test_the_folders_of_the_data_sets_of_coco_and_voc(tmp_path):
    frames = tuple(replace(frame, split=None) for frame in PHOTOS)
    write(tmp_path / "coco" / "annotations", coco_files(annotated(frames[1:])))
    document = tmp_path / "coco" / "annotations" / "annotations.json"
    document.rename(document.with_name("instances_train2017.json"))
    write(tmp_path / "voc", voc_files(annotated(frames)))
    (tmp_path / "voc" / "ImageSets" / "Main").mkdir(parents=True)
    (tmp_path / "voc" / "ImageSets" / "Main" / "val.txt").write_text("c\n")
    (tmp_path / "voc" / "ImageSets" / "Main" / "car_val.txt").write_text("d 1\n")
    for frame in frames:
        picture(tmp_path / "coco" / "train2017" / frame.path)
        picture(tmp_path / "voc" / "JPEGImages" / frame.path)
    found = read_annotations(tmp_path / "coco" / "annotations")
    assert {(Path(f.path).parent.name, f.split) for f in found.frames} == {("train2017", "train")}
    found = read_annotations(tmp_path / "voc")
    assert [(Path(f.path).parent.name, f.split) for f in found.frames] == [
        ("JPEGImages", None), ("JPEGImages", "val"), ("JPEGImages", None),
    ]  # fmt: skip


def test_what_is_not_there_is_named_and_left_out(folder):
    (folder / "images" / "d.jpg").unlink()
    write(folder, table_files(annotated(PHOTOS)))
    found = read_annotations(folder / "boxes.csv")
    assert len(found) == 2
    assert [(gone.name, gone.reason) for gone in found.missing] == [
        ("d.jpg", f"is not there, or not alone, in {folder}; 1 labelled frame of it")
    ]
    assert summary(found) == (
        "Read as CSV of boxes: 2 frames, 1 of them empty; car 1, o'bus 1; 1 file missing"
    )
    with pytest.raises(ManifestError, match="name the folder that they lie in"):
        read_annotations(folder / "boxes.csv", Path(__file__).parent)


def test_only_files_below_the_folders_that_are_allowed(folder):
    write(folder, table_files(annotated(PHOTOS)))
    (folder / "other").mkdir()
    with enforced(Policy(below=(folder / "other",))), pytest.raises(ManifestError, match="outside"):
        read_annotations(folder / "boxes.csv")


def test_boxes_of_another_size_are_scaled_and_of_another_shape_left_out(folder):
    picture(folder / "images" / "c.jpg", (128, 96))
    picture(folder / "images" / "d.jpg", SIZE, turned=True)
    write(folder, coco_files(annotated(PHOTOS)))
    found = read_annotations(folder / "annotations.json")
    assert [Path(frame.path).name for frame in found.frames] == ["a & b.jpg", "c.jpg"]
    assert found.rejected[0].reason == (
        "64 x 48 pixels are said, and it has 48 x 64; it is turned by 90 degrees when shown"
    )
    assert [note.text for note in found.notes] == [
        "64 x 48 pixels are said, and it has 128 x 96; boxes are scaled"
    ]
    twice = tuple(tuple(2 * edge for edge in box.edges) for box in PHOTOS[1].boxes)
    assert tuple(box.edges for box in found.frames[1].boxes) == twice
    assert found.frames[1].size_pixels == (128, 96)


def test_sizes_come_from_the_pictures_and_cut_what_lies_outside(folder):
    wide = replace(PHOTOS[1].boxes[0], right=70)
    frames = (replace(PHOTOS[1], boxes=(wide,), size_pixels=None),)
    write(folder, coco_files(annotated(frames)))
    (frame,) = read_annotations(folder / "annotations.json").frames
    assert frame.size_pixels == SIZE and frame.boxes[0].right == 64


def test_several_files_of_splits_are_one_set(tmp_path):
    for split, frame in (("train", PHOTOS[1]), ("valid", PHOTOS[2])):
        picture(tmp_path / split / "same.jpg")
        (content,) = (c for _, c in coco_files(annotated((replace(frame, split=None),))))
        text = json.dumps(json.loads(content)).replace(frame.path, "same.jpg")
        (tmp_path / split / "_annotations.coco.json").write_text(text)
    found = read_annotations(tmp_path)
    assert [(Path(f.path).parent.name, f.split) for f in found.frames] == [
        ("train", "train"), ("valid", "val"),
    ]  # fmt: skip

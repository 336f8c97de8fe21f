"""YOLO, held against labelformat and PyYAML."""

from __future__ import annotations

from pathlib import Path

import pytest
from labelformat.formats.yolov8 import YOLOv8ObjectDetectionInput
from PIL import Image
from tests.manifest.annotations.examples import PHOTOS, SIZE, annotated, write

from vidfit.errors import ManifestError
from vidfit.manifest.annotations import parse_annotations, read_annotations
from vidfit.manifest.annotations.yolo import parse_names, yolo_files


@pytest.fixture
def folder(tmp_path):
    write(tmp_path, yolo_files(annotated(PHOTOS)))
    for text in tmp_path.rglob("labels/*/*.txt"):
        picture(tmp_path / "images" / text.parent.name / f"{text.stem}.jpg")
    return tmp_path


def picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", SIZE).save(path)


def test_what_was_written_is_read_back(folder):
    found = read_annotations(folder)
    assert found.form == "YOLO" and found.classes == ("car", "o'bus") and not found.rejected
    seen = {(Path(f.path).name, f.split, f.size_pixels): f.boxes for f in found.frames}
    assert seen.keys() == {(f.path, f.split, f.size_pixels) for f in PHOTOS}
    for frame in PHOTOS:
        boxes = seen[frame.path, frame.split, frame.size_pixels]
        assert [box.label for box in boxes] == [box.label for box in frame.boxes]
        for box, one in zip(boxes, frame.boxes, strict=True):
            assert box.edges == pytest.approx(one.edges, abs=1e-9)


def test_labelformat_reads_what_was_written(folder):
    labels = list(YOLOv8ObjectDetectionInput(folder / "data.yaml", "train").get_labels())
    seen = {
        label.image.filename: [
            (o.category.name, o.box.xmin, o.box.ymin, o.box.xmax, o.box.ymax) for o in label.objects
        ]
        for label in labels
    }
    assert seen.keys() == {"c.jpg", "d.jpg"}
    for frame in PHOTOS[1:]:
        for (label, *edges), box in zip(seen[frame.path], frame.boxes, strict=True):
            assert label == box.label and edges == pytest.approx(box.edges, abs=1e-9)


def test_darknet_lays_labels_beside_pictures(tmp_path):
    for stem in ("a", "b", "never"):
        picture(tmp_path / f"{stem}.jpg")
    (tmp_path / "classes.txt").write_text("car\n")
    (tmp_path / "a.txt").write_text("0 0.5 0.5 0.5 0.5\n")
    (tmp_path / "b.txt").write_text("")
    found = parse_annotations(tmp_path)
    assert [(f.path, [b.edges for b in f.boxes]) for f in found.frames] == [
        ("a.jpg", [(16, 12, 48, 36)]), ("b.jpg", []),
    ]  # fmt: skip
    assert [note.text for note in found.notes] == [
        "1 picture has no file of labels, and was not looked at (such as never.jpg)"
    ]


@pytest.mark.parametrize(
    "text",
    [
        "names: [car, 'big # bus', \"b, c\"]  # three\nnc: 3",
        "nc: 3\nnames:\n- car\n- 'big # bus'\n- b, c\n",
        'train: x\nnames:\n  0: car\n  2: "b, c"\n  1: "big # bus"\n',
        "names: {0: car, 1: 'big # bus', 2: 'b, c'}",
        "names: [\n  car,\n  'big # bus',\n  'b, c',\n]\nval: x",
    ],
    ids=["inline", "list", "numbers", "braces", "over lines"],
)  # fmt: skip
def test_names_are_those_that_yaml_reads(text):
    import yaml

    listed = yaml.safe_load(text)["names"]
    listed = [listed[i] for i in sorted(listed)] if isinstance(listed, dict) else listed
    assert parse_names(text, "data.yaml") == tuple(listed) == ("car", "big # bus", "b, c")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("train: x", "has no names of classes"),
        ("names: !!python/object/apply:os.system [ls]", "has no names of classes"),
        ("names: &a [car]", "has no names of classes"),
        ("names:\n  0: car\n  2: bus", "has no names of classes"),
        ("nc: 2\nnames: [car]", "says nc: 2, and has 1 name"),
    ],
)
def test_names_that_cannot_be_read_are_refused(text, reason):
    with pytest.raises(ManifestError, match=reason):
        parse_names(text, "data.yaml")

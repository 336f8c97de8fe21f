"""Pictures with masks are read, and what is wrong with them is named."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.manifest.annotations.test_coco_masks import DOCUMENT
from tests.tasks.segment.drawn import NAMES, write_folders

from vidfit.errors import ManifestError
from vidfit.jobs.convert.options import ConvertOptions
from vidfit.jobs.convert.run import run_convert
from vidfit.manifest.annotations import VOID, index_mask
from vidfit.manifest.annotations.coco_masks import parse_coco_masks
from vidfit.tasks import task_named
from vidfit.tasks.segment.reading import read_masks


@pytest.fixture
def folder(tmp_path):
    return write_folders(tmp_path / "set", 6)


def test_reads_folders_with_names_and_recordings(folder):
    manifest = read_masks(folder)
    assert manifest.kind.names == NAMES[:3] and manifest.kind.numbers == (0, 1, 2, VOID)
    assert len(manifest.clips) == 6 and len({clip.group for clip in manifest.clips}) == 3
    truth = manifest.kind.truth(manifest.clips, manifest.kind.names)
    labels = truth[0].labels()
    assert (labels[:, :2] == VOID).all() and set(np.unique(labels[:, 2:])) == {0, 1, 2}
    task = task_named("segment")
    assert task.suited(task, manifest).learner.kind.names == NAMES[:3]


def test_a_table_says_group_split_and_names_in_its_header(folder):
    rows = "\n".join(
        f"images/{p.name},masks/{p.name},{p.stem[:7]},{'test' if i else 'train'}"
        for i, p in enumerate(sorted((folder / "images").iterdir()))
    )
    (folder / "names.txt").unlink()
    (folder / "frames.csv").write_text(f"path,mask: sky|ground|box|void,group,split\n{rows}\n")
    manifest = read_masks(folder)
    assert manifest.kind.names == NAMES[:3]
    assert [clip.split for clip in manifest.clips].count("test") == 5


def test_without_names_classes_are_called_by_their_numbers(folder):
    (folder / "names.txt").unlink()
    manifest = read_masks(folder)
    assert manifest.kind.names == ("class 0", "class 1", "class 2", "class 3")
    assert any("names.txt" in warning for warning in manifest.warnings)


def test_a_larger_mask_of_the_same_shape_is_fine_and_others_are_named(folder):
    masks = sorted((folder / "masks").iterdir())
    pictures = sorted((folder / "images").iterdir())
    Image.open(masks[0]).resize((128, 96), Image.NEAREST).save(masks[0])
    Image.open(masks[1]).resize((96, 96), Image.NEAREST).save(masks[1])
    masks[2].unlink()
    Image.fromarray(np.full((48, 64), 9, np.uint8)).save(masks[3])
    pictures[4].write_bytes(b"no picture")
    manifest = read_masks(folder)
    reasons = {failure.name: failure.reason for failure in manifest.rejected}
    assert len(manifest.clips) == 2
    assert "96 x 96" in reasons[f"masks/{masks[1].name}"]
    assert reasons[f"images/{pictures[2].name}"] == "it has no mask"
    assert "it holds 9, and the classes are 0 to 3" in reasons[f"masks/{masks[3].name}"]
    assert "cannot be read" in reasons[str(pictures[4])]


def test_of_pascal_voc_masks_are_read_and_it_is_said_where_the_boxes_are(folder, tmp_path):
    (folder / "images").rename(folder / "JPEGImages")
    (folder / "masks").rename(folder / "SegmentationClass")
    boxes = folder / "Annotations"
    boxes.mkdir()
    for picture in (folder / "JPEGImages").iterdir():
        (boxes / f"{picture.stem}.xml").write_text(
            f"<annotation><filename>{picture.name}</filename><size><width>64</width>"
            "<height>48</height><depth>3</depth></size><object><name>box</name><bndbox>"
            "<xmin>4</xmin><ymin>4</ymin><xmax>20</xmax><ymax>20</ymax></bndbox></object>"
            "</annotation>"
        )
    manifest = read_masks(folder)
    assert len(manifest.clips) == 6
    assert any("--task detect learns them" in warning for warning in manifest.warnings)
    found = task_named("detect").read(folder, None, None)
    assert len(found.clips) == 6
    assert any("--task segment learns them" in warning for warning in found.warnings)
    said = run_convert(folder, tmp_path / "yolo", ConvertOptions("yolo"))
    assert "6 " in said.read_as and any("holds masks, too" in n.text for n in said.notes)
    said = run_convert(folder, tmp_path / "coco", ConvertOptions("coco"))
    assert "6 masks" in said.read_as and any("holds boxes, too" in n.text for n in said.notes)


def test_one_class_only_and_colours_are_refused(folder):
    for path in (folder / "masks").iterdir():
        Image.fromarray(np.ones((48, 64), np.uint8)).save(path)
    with pytest.raises(ManifestError, match="all labelled pixels are of one class"):
        read_masks(folder)
    for path in (folder / "masks").iterdir():
        Image.fromarray(np.zeros((48, 64, 3), np.uint8)).save(path)
    with pytest.raises(ManifestError, match="it is a PNG of RGB, and no mask"):
        read_masks(folder)
    with pytest.raises(ManifestError, match="valid are the folders images and masks"):
        read_masks(folder / "masks")


def test_objects_of_coco_are_drawn_and_crowds_are_void(tmp_path):
    for name in ("north_1.png", "south_1.png", "south_2.png"):
        Image.fromarray(np.full((48, 64, 3), 90, np.uint8)).save(tmp_path / name)
    (tmp_path / "south_2.png").write_bytes(b"no picture")
    images = [
        {"id": i, "file_name": name, "width": 64, "height": 48}
        for i, name in enumerate(("north_1.png", "south_1.png", "south_2.png", "gone.png"))
    ]
    document = {**DOCUMENT, "images": images}
    document["annotations"] = [
        {**item, "id": 10 * image["id"] + item["id"], "image_id": image["id"]}
        for image in images
        for item in DOCUMENT["annotations"]
    ]
    (tmp_path / "data.json").write_text(json.dumps(document))
    manifest = task_named("segment").read(tmp_path / "data.json", None, None)
    assert manifest.kind.names == ("background", "car", "road")
    assert [Path(clip.path).name for clip in manifest.clips] == ["north_1.png", "south_1.png"]
    assert len({clip.group for clip in manifest.clips}) == 2
    masks = parse_coco_masks(DOCUMENT, "x.json")
    expected = index_mask(masks.frames[0], masks.classes)
    for mask in manifest.kind.truth(manifest.clips, manifest.kind.names):
        assert np.array_equal(mask.labels(), expected) and (expected == VOID).any()
    assert {Path(one.name).name for one in manifest.rejected} == {"south_2.png", "gone.png"}
    assert any("road" in warning for warning in manifest.warnings)

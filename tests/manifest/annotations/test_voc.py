"""Pascal VOC, held against labelformat, which takes corners as they stand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from labelformat.formats.pascalvoc import PascalVOCObjectDetectionInput
from tests.manifest.annotations.examples import PHOTOS, annotated, write

from vidfit.boxes import Box
from vidfit.manifest.annotations import parse_annotations
from vidfit.manifest.annotations.voc import parse_voc, voc_files

FILE = (
    "<annotation><filename>a.jpg</filename>\n<size><width>64</width><height>48</height></size>\n"
    "<object><name>car</name><difficult>1</difficult>\n<bndbox><xmin>{}</xmin><ymin>1</ymin>"
    "<xmax>64</xmax><ymax>48</ymax></bndbox></object></annotation>"
)


def test_what_was_written_is_read_back(tmp_path):
    frames = (*PHOTOS[:2], replace(PHOTOS[2], boxes=(Box("car", 1, 2, 3, 4, ignored=True),)))
    found = parse_annotations(write(tmp_path, voc_files(annotated(frames))))
    assert found.frames == frames and found.form == "Pascal VOC"
    assert not found.rejected and not found.notes


def test_labelformat_reads_what_was_written(tmp_path):
    write(tmp_path, voc_files(annotated(PHOTOS)))
    read = PascalVOCObjectDetectionInput(tmp_path / "Annotations" / "train", "car,o'bus")
    seen = {
        label.image.filename: [
            (o.category.name, o.box.xmin - 1, o.box.ymin - 1, o.box.xmax, o.box.ymax)
            for o in label.objects
        ]
        for label in read.get_labels()
    }
    assert seen == {f.path: [(b.label, *b.edges) for b in f.boxes] for f in PHOTOS[1:]}


def test_pixels_count_from_one_and_difficult_objects_are_ignored():
    found = parse_voc([("a.xml", FILE.format(1).encode())], "x")
    assert found.frames[0].boxes == (Box("car", 0, 0, 64, 48, ignored=True),)


def test_a_corner_at_zero_tells_that_pixels_count_from_zero():
    found = parse_voc([("a.xml", FILE.format(0).encode())], "x")
    assert found.frames[0].boxes == (Box("car", 0, 1, 64, 48, ignored=True),)
    assert "pixels are taken to count from 0" in found.notes[0].text


@pytest.mark.parametrize(
    ("xml", "reason"),
    [
        (FILE.format("x"), 'its xmin is "x"; a number is valid'),
        (FILE.format(1).replace("bndbox", "box"), "it has no bndbox"),
    ],
)
def test_a_fault_is_named_by_line_and_takes_its_picture_with_it(xml, reason):
    other = ("b.xml", FILE.format(1).replace("a.jpg", "b.jpg").encode())
    found = parse_voc([("a.xml", xml.encode()), other], "x")
    assert [frame.path for frame in found.frames] == ["b.jpg"]
    assert (found.rejected[0].name, found.rejected[0].reason) == ("a.xml, line 3", reason)

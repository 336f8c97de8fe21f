"""Boxes in a CSV. No library reads this one: `csv.DictReader` is what it is held against."""

from __future__ import annotations

import csv

import pytest
from tests.manifest.annotations.examples import FOUND, PHOTOS, VIDEO, annotated, write

from vidfit.boxes import Box
from vidfit.errors import ManifestError
from vidfit.manifest.annotations import parse_annotations
from vidfit.manifest.annotations.table import parse_table, table_files


@pytest.mark.parametrize("frames", [PHOTOS, VIDEO, FOUND], ids=["photos", "video", "found"])
def test_what_was_written_is_read_back(tmp_path, frames):
    found = parse_annotations(write(tmp_path, table_files(annotated(frames))) / "boxes.csv")
    assert found.frames == frames and found.form == "CSV of boxes"
    assert not found.rejected and not found.notes


def test_the_columns_are_those_that_are_told(tmp_path):
    write(tmp_path, table_files(annotated(VIDEO[:2])))
    with (tmp_path / "boxes.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert rows[1] == {
        "path": "v.mp4", "frame": "1", "label": "car", "x": "2", "y": "2", "w": "9", "h": "10",
        "track": "3", "width": "64", "height": "48",
    }  # fmt: skip


def test_a_row_without_a_box_is_a_frame_that_holds_nothing():
    text = "path,frame,label,x,y,w,h\nv.mp4,0,,,,,\nv.mp4,2,=car,1,2,3,4\n\n"
    found = parse_table(text.replace("=car", "'=car"), "x.csv")
    assert [(f.index, f.boxes) for f in found.frames] == [(0, ()), (2, (Box("=car", 1, 2, 4, 6),))]


def test_lines_of_faults_are_those_of_the_file():
    text = 'path,frame,label,x,y,w,h\n"v\n.mp4",0,car,1,1,1,1\n'
    text += "v.mp4,1,car,1,1,1\nv.mp4,x,car,1,1,1,1\nv.mp4,2,car,1,1,1,1\n"
    found = parse_table(text, "x.csv")
    assert [(fault.name, fault.reason) for fault in found.rejected[1:3]] == [
        ("x.csv, line 4", "has 6 columns, 7 expected"),
        ("x.csv, line 5", 'its frame is "x"; a number is valid'),
    ]


def test_columns_that_are_needed_are_named():
    with pytest.raises(ManifestError, match=r"x.csv has no column w, h; valid is path,label,x,y,w"):
        parse_table("path,label,x,y\n", "x.csv")

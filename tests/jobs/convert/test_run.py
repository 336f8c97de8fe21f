"""Boxes and masks from one format to another, as `vidfit convert` does it."""

from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from tests.called import call
from tests.clips import write_clip
from tests.manifest.annotations.examples import PHOTOS, SIZE, VIDEO, annotated, in_order, write

from vidfit.errors import ManifestError, VidfitError
from vidfit.jobs.convert.options import ConvertOptions
from vidfit.jobs.convert.run import run_convert
from vidfit.manifest.annotations import index_mask, parse_annotations, parse_masks, read_annotations
from vidfit.manifest.annotations.coco import coco_files
from vidfit.manifest.annotations.table import table_files
from vidfit.video import VideoReader


def lines(result) -> list[str]:
    return result.stdout.splitlines()


@pytest.mark.parametrize("to", ["coco", "cvat", "mot", "label-studio", "csv"])
def test_a_video_goes_through_each_format_and_back(tmp_path, to):
    write(tmp_path / "in", table_files(annotated(VIDEO)))
    run_convert(tmp_path / "in" / "boxes.csv", tmp_path / "there", ConvertOptions(to))
    run_convert(tmp_path / "there", tmp_path / "back", ConvertOptions("csv"))
    found = parse_annotations(tmp_path / "back" / "boxes.csv")
    assert list(map(in_order, found.frames)) == list(map(in_order, VIDEO))


def test_yolo_with_pictures_can_be_read_where_it_lies(tmp_path):
    video = tmp_path / "in" / "v.mp4"
    video.parent.mkdir()
    write_clip(video, frames=6)
    with VideoReader(str(video)) as reader:
        size = reader.info.width_pixels, reader.info.height_pixels
        frame = next(reader.frames([3])).rgb()
    write(
        tmp_path / "in", table_files(annotated(tuple(replace(f, size_pixels=None) for f in VIDEO)))
    )
    result = call(
        "convert", tmp_path / "in" / "boxes.csv", tmp_path / "out", "--to", "yolo", "--pictures"
    )
    assert result.exit_code == 0, result.output
    assert lines(result) == [
        "Read as CSV of boxes: 6 frames, 1 of them empty; car 4, o'bus 3.",
        "2 lost:",
        "  yolo: tracks of 7 boxes are lost",
        "  yolo: 6 frames of videos become pictures, NAME_000012.jpg",
        f"All of it  {tmp_path / 'out' / 'problems.csv'}",
        f"Written  {tmp_path / 'out'}, 13 files",
    ]
    found = read_annotations(tmp_path / "out")
    assert [(len(f.boxes), f.size_pixels) for f in found.frames] == [
        (len(f.boxes), size) for f in VIDEO
    ]
    with Image.open(tmp_path / "out" / "images" / "v_000003.jpg") as image:
        assert np.abs(np.asarray(image).astype(int) - frame).mean() < 3


def test_frames_that_yolo_cannot_tell_are_left_out_with_their_pictures(tmp_path):
    ignored = replace(PHOTOS[1].boxes[0], ignored=True)
    frames = (PHOTOS[0], replace(PHOTOS[1], boxes=(ignored,)))
    write(tmp_path, coco_files(annotated(frames)))
    for frame in frames:
        Image.new("RGB", SIZE).save(tmp_path / frame.path)
    done = run_convert(
        tmp_path / "annotations.json", tmp_path / "out", ConvertOptions("yolo", pictures=True)
    )
    files = sorted(path.name for path in (tmp_path / "out").rglob("*.*"))
    assert files == ["a & b.jpg", "a & b.txt", "data.yaml", "problems.csv"]
    assert [note.text for note in done.lost] == [
        "1 frame left out, for boxes of it are to be ignored"
    ]


def test_masks_go_to_coco_and_back(tmp_path):
    mask_HW = np.array([[0, 1, 1], [1, 0, 255]], np.uint8)
    (tmp_path / "images").mkdir()
    (tmp_path / "masks").mkdir()
    Image.new("RGB", (3, 2)).save(tmp_path / "images" / "a.jpg")
    Image.fromarray(mask_HW).save(tmp_path / "masks" / "a.png")
    (tmp_path / "names.txt").write_text("road\ncar\n")
    assert call("convert", tmp_path, tmp_path / "coco").exit_code == 0
    result = call(
        "convert", tmp_path / "coco" / "annotations.json", tmp_path / "back", "--to", "masks"
    )
    assert lines(result)[0] == "Read as COCO: 1 mask of 2 classes, road, car."
    masks = parse_masks(tmp_path / "back")
    assert np.array_equal(index_mask(masks.frames[0], masks.classes), mask_HW)
    result = call("convert", tmp_path, tmp_path / "x", "--to", "voc")
    assert result.exit_code == 2 and "holds masks, and voc has none; choose coco" in result.stderr


def test_all_that_is_wrong_is_listed_in_a_file(tmp_path):
    (tmp_path / "x.csv").write_text(
        "path,frame,label,x,y,w,h\nv.mp4,0,car,-1,0,2,2\nv.mp4,4,car,1,1,0,1\n"
    )
    result = call("convert", tmp_path / "x.csv", tmp_path / "out", "--to", "mot")
    with (tmp_path / "out" / "problems.csv").open() as file:
        (_, *rows) = csv.reader(file)
    assert [row[:2] for row in rows] == [
        ["left out", "x.csv, line 3"], ["changed or odd", "x.csv, line 2"], ["lost", "mot"],
    ]  # fmt: skip
    assert [row[2].partition(",")[0] for row in rows] == [
        "its size is 0 x 1 pixels",
        "50% of it lies outside of the picture",
        "3 frames between others not looked at",
    ]
    assert "1 left out:" in lines(result) and result.exit_code == 0


def test_where_nothing_can_be_used_all_that_is_wrong_is_listed(tmp_path):
    rows = "".join(f"v.mp4,{row},car,1,1,x,1\n" for row in range(21))
    (tmp_path / "x.csv").write_text(f"path,frame,label,x,y,w,h\n{rows}")
    result = call("convert", tmp_path / "x.csv", tmp_path / "out")
    assert (result.exit_code, result.stdout) == (2, "")
    head, *faults, more = result.stderr.splitlines()
    problems = tmp_path / "out" / "problems.csv"
    assert head == (
        "vidfit: x.csv, read as CSV of boxes, has no frame that can be used; all of it is listed "
        f"in {problems}:"
    )
    assert faults[0] == '  x.csv, line 2: its w is "x"; a number is valid'
    assert (len(faults), more) == (20, "  and 2 more")  # frames 0 to 20 are left out, too
    with problems.open() as file:
        assert len(list(csv.reader(file))) == 23
    (tmp_path / "x.csv").write_text("path,frame,label,x,y,w,h\nv.mp4,0,car,1,1,1,1\n")
    assert call("convert", tmp_path / "x.csv", tmp_path / "out").exit_code == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["annotations.json"]


@pytest.mark.parametrize(
    ("options", "error", "reason"),
    [
        (ConvertOptions("mot"), ManifestError, "MOT holds videos"),
        (
            ConvertOptions("coco", pictures=True),
            VidfitError,
            "pictures are written with yolo",
        ),
        (ConvertOptions("png"), VidfitError, "there is no format 'png'; valid are coco, yolo"),
        (ConvertOptions("yolo"), ManifestError, "the size of c.jpg is not known"),
    ],
)
def test_what_cannot_be_done_is_said(tmp_path, options, error, reason):
    frames = tuple(replace(frame, size_pixels=None) for frame in PHOTOS[1:])
    write(tmp_path, table_files(annotated(frames)))
    with pytest.raises(error, match=reason):
        run_convert(tmp_path / "boxes.csv", tmp_path / "out", options)


def test_a_folder_that_holds_files_is_left_alone(tmp_path):
    write(tmp_path, table_files(annotated(PHOTOS)))
    result = call("convert", tmp_path / "boxes.csv", tmp_path)
    assert result.exit_code == 2 and "holds files; choose an empty folder" in result.stderr

"""CVAT, held against labelformat for pictures.

No library at hand fills in the tracks of a video: they are held against a parser of a few lines,
after CVAT's description of its format, https://docs.cvat.ai/docs/manual/advanced/xml_format/.
"""

from __future__ import annotations

import xml.etree.ElementTree as Xml
from contextlib import suppress

import pytest
from labelformat.formats.cvat import CVATObjectDetectionInput
from tests.manifest.annotations.examples import (
    FOUND,
    PHOTOS,
    VIDEO,
    annotated,
    in_order,
    write,
)

from vidfit.errors import ManifestError
from vidfit.manifest.annotations import parse_annotations, rows
from vidfit.manifest.annotations.cvat import cvat_files, parse_cvat
from vidfit.manifest.annotations.xml_tree import parse_xml

META = "<meta><task><size>9</size><source>v.mp4</source></task></meta>"
TASK = f"<annotations>{META}\n{{}}</annotations>"
BOX = '<box frame="{}" outside="{}" xtl="{}" ytl="0" xbr="{}" ybr="10"/>\n'


def of(*tracks: str):
    text = "".join(f'<track id="{i}" label="car">\n{t}</track>\n' for i, t in enumerate(tracks))
    return parse_cvat(parse_xml(TASK.format(text).encode(), "x.xml"), "x.xml")


@pytest.mark.parametrize("frames", [PHOTOS, VIDEO, FOUND], ids=["photos", "video", "found"])
def test_what_was_written_is_read_back(tmp_path, frames):
    found = parse_annotations(write(tmp_path, cvat_files(annotated(frames))))
    assert list(map(in_order, found.frames)) == list(map(in_order, frames))
    assert found.form == "CVAT" and not found.rejected and not found.notes


def test_labelformat_reads_pictures_that_were_written(tmp_path):
    write(tmp_path, cvat_files(annotated(PHOTOS)))
    labels = CVATObjectDetectionInput(tmp_path / "images.xml").get_labels()
    assert {
        label.image.filename: [
            (o.category.name, o.box.xmin, o.box.ymin, o.box.xmax, o.box.ymax) for o in label.objects
        ]
        for label in labels
    } == {f.path: [(b.label, *b.edges) for b in f.boxes] for f in PHOTOS}


def test_a_small_parser_reads_tracks_that_were_written(tmp_path):
    write(tmp_path, cvat_files(annotated(VIDEO)))
    seen = set()
    for track in Xml.parse(tmp_path / "v.xml").getroot().iter("track"):
        for box in track.iter("box"):
            if box.get("outside") == "0":
                edges = (float(box.get(side)) for side in ("xtl", "ytl", "xbr", "ybr"))
                frame, number = int(box.get("frame")), int(track.get("id"))
                seen.add((frame, track.get("label"), number, *edges))
    assert seen == {(f.index, b.label, b.track, *b.edges) for f in VIDEO for b in f.boxes}


def test_boxes_move_evenly_until_the_object_is_outside():
    found = of(BOX.format(1, 0, 0, 10) + BOX.format(5, 0, 8, 18) + BOX.format(7, 1, 8, 18))
    assert len(found) == 9
    assert [[(box.left, box.right) for box in frame.boxes] for frame in found.frames] == [
        [], [(0, 10)], [(2, 12)], [(4, 14)], [(6, 16)], [(8, 18)], [(8, 18)], [], [],
    ]  # fmt: skip


@pytest.mark.parametrize("label", ["car", ""])
def test_a_few_bytes_cannot_ask_for_any_number_of_boxes(monkeypatch, label):
    monkeypatch.setattr(rows, "MOST_BETWEEN", 20)
    track = f'<track id="{{}}" label="{label}">{BOX.format(0, 0, 0, 10)}</track>'
    two, three = (TASK.format("".join(map(track.format, range(n)))).encode() for n in (2, 3))
    with suppress(ManifestError):  # without a label no frame is left
        assert len(parse_cvat(parse_xml(two, "x.xml"), "x.xml")) == 9
    with pytest.raises(ManifestError, match="more than 20 boxes"):
        parse_cvat(parse_xml(three, "x.xml"), "x.xml")


def test_the_last_box_stays_to_the_end_and_frames_may_be_left_out():
    text = TASK.replace("<size>9</size>", (
        "<start_frame>2</start_frame><stop_frame>8</stop_frame><frame_filter>step=3</frame_filter>"
    ))  # fmt: skip
    track = f'<track id="1" label="car">{BOX.format(2, 0, 0, 10)}{BOX.format(8, 0, 6, 16)}</track>'
    found = parse_cvat(parse_xml(text.format(track).encode(), "x.xml"), "x.xml")
    assert [(f.index, f.boxes[0].left) for f in found.frames] == [(2, 0), (5, 3), (8, 6)]


def test_a_box_that_cannot_be_read_takes_the_frames_with_it_in_which_it_may_be():
    found = of(BOX.format(1, 0, 0, 10) + BOX.format(4, 0, "nan", 18) + BOX.format(6, 1, 8, 18))
    assert [f.index for f in found.frames] == [0, 1, 6, 7, 8]
    assert [(fault.name, fault.reason) for fault in found.rejected] == [
        ("x.xml, line 4", "its xtl is nan; valid are numbers up to 10,000,000"),
        ("x.xml: v.mp4", "frames 2, 3, 4, 5 are left out: what is wrong above may hide an object"),
    ]


def test_several_tasks_in_one_file_are_refused():
    text = TASK.format('<track task_id="1" label="a"/><track task_id="2" label="a"/>')
    with pytest.raises(ManifestError, match="export each task by itself"):
        parse_cvat(parse_xml(text.encode(), "x.xml"), "x.xml")


def test_other_shapes_are_counted():
    image = '<image name="a.jpg"><polygon label="car"/><polygon label="car"/></image>'
    found = parse_cvat(parse_xml(TASK.format(image).encode(), "x.xml"), "x.xml")
    assert [note.text for note in found.notes] == ["2 shapes are polygon; boxes are read"]

"""MOT, held against motmetrics."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.manifest.annotations.examples import FOUND, PHOTOS, VIDEO, annotated, write

from vidfit.boxes import Box
from vidfit.errors import ManifestError
from vidfit.manifest.annotations import parse_annotations, read_annotations
from vidfit.manifest.annotations.mot import mot_files, parse_mot

DATA = Path(__file__).parents[4] / "shared" / "data" / "mot15"


@pytest.mark.parametrize("frames", [VIDEO, FOUND], ids=["video", "found"])
def test_what_was_written_is_read_back(tmp_path, frames):
    found = parse_annotations(write(tmp_path, mot_files(annotated(frames))))
    assert found.frames == frames and found.form == "MOT"
    assert not found.rejected and not found.notes


def test_motmetrics_reads_what_was_written(tmp_path):
    import motmetrics

    write(tmp_path, mot_files(annotated(VIDEO)))
    table = motmetrics.io.loadtxt(str(tmp_path / "v" / "gt" / "gt.txt"), fmt="mot16")
    seen = {
        (frame - 1, track, row.X, row.Y, row.X + row.Width, row.Y + row.Height)
        for (frame, track), row in table.iterrows()
    }
    assert seen == {(f.index, box.track, *box.edges) for f in VIDEO for box in f.boxes}


def test_photos_are_no_sequence():
    with pytest.raises(ManifestError, match=r"MOT holds videos, and a & b.jpg is a photo"):
        list(mot_files(annotated(PHOTOS)))


def test_frames_and_pixels_count_from_one_and_flags_tell_what_is_ignored():
    text = "1,3,1,1,10,20,1,-4.1,-7.3,0\n3,3,5,5,10,20,0,-4.1,-7.3,0\n"
    found = parse_mot(text, "gt.txt", "v.mp4")
    assert [(f.index, f.boxes) for f in found.frames] == [
        (0, (Box("pedestrian", 0, 0, 10, 20, track=3),)),
        (1, ()),
        (2, (Box("pedestrian", 4, 4, 14, 24, track=3, ignored=True),)),
    ]


def test_classes_of_later_years():
    found = parse_mot("1,1,1,1,9,9,0,3,0.5\n1,2,1,1,9,9,1,1,1\n", "gt.txt", "v.mp4")
    assert [(b.label, b.ignored) for b in found.frames[0].boxes] == [
        ("car", True), ("pedestrian", False),
    ]  # fmt: skip


def test_scores_of_detectors_are_scaled_where_they_need_it():
    found = parse_mot("1,-1,1,1,9,9,-2\n1,-1,11,1,9,9,6\n1,-1,21,1,9,9,2\n", "det.txt", "v.mp4")
    assert [box.score for box in found.frames[0].boxes] == [0, 1, 0.5]
    assert [note.text for note in found.notes] == [
        "scores of -2 to 6 are scaled to 0 to 1, in their order"
    ]


def test_a_row_that_is_none_takes_its_frame_with_it():
    found = parse_mot("1,1,1,1,9,9,1\n2,1,nan,1,9,9,1\n0,1,1,1,9,9,1\n", "gt.txt", "v.mp4")
    assert [f.index for f in found.frames] == [0]
    assert [(fault.name, fault.reason) for fault in found.rejected] == [
        ("gt.txt, line 3", 'its frame is "0"; a whole number from 1 is valid'),
        ("gt.txt, line 2", "its x is nan; valid are numbers up to 10,000,000"),
        ("gt.txt: v.mp4", "frame 1 is left out: what is wrong above may hide an object"),
    ]


@pytest.mark.skipif(not DATA.exists(), reason="the sequences of MOT15 are not beside the checkout")
def test_a_sequence_of_2015():
    found = read_annotations(DATA / "TUD-Campus")
    assert len(found) == 71 and sum(len(frame.boxes) for frame in found.frames) == 359
    assert {frame.size_pixels for frame in found.frames} == {(640, 480)}

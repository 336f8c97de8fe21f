"""Labelled frames become clips of one frame; what does not fit the video is a row."""

from __future__ import annotations

import numpy as np
import pytest

from vidfit.errors import ManifestError
from vidfit.tasks import task_named
from vidfit.tasks.detect.labels import parsed
from vidfit.tasks.detect.reading import read_frames
from vidfit.video import write_video

FPS, FRAMES = 10, 15


@pytest.fixture
def folder(tmp_path):
    """Return two videos of 64 x 48 pixels, and a function that writes boxes of them."""
    frames = np.random.default_rng(0).integers(0, 255, (FRAMES, 48, 64, 3), dtype=np.uint8)
    for name in ("a", "b"):
        write_video(tmp_path / f"{name}.mp4", frames, FPS)

    def boxes(*rows):
        path = tmp_path / "boxes.csv"
        path.write_text("path,frame,label,x,y,w,h\n" + "\n".join(rows) + "\n")
        return path

    return boxes


def test_a_row_is_a_frame_with_its_boxes_in_shares(folder):
    path = folder("a.mp4,0,bird,16,12,32,24", "a.mp4,0,drone,0,0,8,8", "b.mp4,7,bird,60,40,20,20")
    found = read_frames(path)
    first, other = found.clips
    assert (first.start_seconds, first.end_seconds) == (0.0, pytest.approx(0.1))
    assert other.start_seconds == pytest.approx(0.7) and first.recording != other.recording
    label = parsed(str(first.label))
    assert label.size_pixels == (64, 48) and label.boxes[0].edges == (0.25, 0.25, 0.75, 0.75)
    # What lies outside of the picture is cut off, or a row that says so.
    assert all(max(box.edges) <= 1 for box in parsed(str(other.label)).boxes)
    kind = task_named("detect").kind
    assert kind.classes(found.clips) == ("bird", "drone")
    assert set(kind.lacking(found.clips)) == {"drone"}
    truth = kind.truth(found.clips, ("bird",))
    assert truth.shape[0] == 2 and kind.text(truth[0], ("bird",)).startswith("64x48 bird 0.25")


def test_near_frames_are_left_out_and_frames_that_are_not_there_named(folder):
    path = folder(
        *(f"a.mp4,{i},bird,1,1,9,9" for i in (0, 1, 4, 5, 9, 10, 99)), "b.mp4,0,bird,0,0,5,5"
    )
    found = read_frames(path)
    assert [round(10 * clip.start_seconds) for clip in found.clips] == [0, 5, 10, 0]
    assert any("say the same twice" in text for text in found.warnings)
    assert any("15 frames" in one.reason or "frame 99" in one.name for one in found.rejected)


def test_groups_come_from_a_file(folder, tmp_path):
    (tmp_path / "groups.csv").write_text("path,group\na.mp4,one\nb.mp4,one\n")
    found = read_frames(
        folder("a.mp4,0,bird,1,1,9,9", "b.mp4,0,bird,1,1,9,9"), tmp_path / "groups.csv"
    )
    assert {clip.recording for clip in found.clips} == {"one"}


def test_a_video_that_cannot_be_read_is_a_row(folder, tmp_path):
    path = folder("a.mp4,0,bird,1,1,9,9", "b.mp4,0,bird,1,1,9,9")
    (tmp_path / "b.mp4").write_bytes(b"no video")
    found = read_frames(path)
    assert len(found.clips) == 1 and any("b.mp4" in one.name for one in found.rejected)
    (tmp_path / "a.mp4").write_bytes(b"no video")
    with pytest.raises(ManifestError, match=r"no labelled frame|can be used"):
        read_frames(path)

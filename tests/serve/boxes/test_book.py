"""Frames of lists and runs, as they are read; what is none of them is left alone."""

from __future__ import annotations

import numpy as np
import pytest
from tests.serve.conftest import write_boxed_run

from vidfit.documents import to_json
from vidfit.errors import ManifestError
from vidfit.serve.boxes.book import answered_book, boxes_in, clips_of, listed_book


def test_a_list_gives_its_files_and_frames(boxed):
    found = boxes_in(boxed)
    book = listed_book(found)
    names = [str(boxed.parent / name) for name in ("a.mp4", "b.mp4")]
    assert [clip.path for clip in clips_of(found)] == names
    assert {path: [*of] for path, of in book.frames.items()} == {names[0]: [0, 3], names[1]: [0]}
    assert [box.label for box in book.frame(names[0], 0).objects] == ["car", "bus"]
    assert book.frame(names[1], 0).objects == () and not book.has_answers
    assert book.frame(names[0], 5).objects == ()  # nobody says anything of it


@pytest.mark.parametrize("text", ["path,label\na.mp4,x\n", "a.mp4 x\n", "", "{}"])
def test_what_has_no_boxes_is_left_to_others(boxed, text):
    for name in ("other.csv", "other.json", "other.md"):
        path = boxed.with_name(name)
        path.write_text(text)
        assert boxes_in(path) is None
    assert boxes_in(boxed.parent) is None  # a folder is not searched


def test_a_folder_of_mot_is_known(boxed):
    (boxed.parent / "seq" / "gt").mkdir(parents=True)
    (boxed.parent / "a.mp4").rename(boxed.parent / "seq" / "seq.mp4")
    (boxed.parent / "seq" / "gt" / "gt.txt").write_text("1,1,10,10,20,12,1,-1,-1,-1\n")
    found = boxes_in(boxed.parent / "seq")
    assert found.form == "MOT" and [len(one.boxes) for one in found.frames] == [1]


def test_a_run_gives_what_was_found(boxed, tmp_path):
    book = answered_book(write_boxed_run(tmp_path / "run", boxed) / "answers.json")
    one = book.frame(str(boxed.parent / "a.mp4"), 0)
    assert book.has_answers and not book.has_masks and one.size_pixels == (64, 48)
    assert [(box.label, box.score) for box in one.found] == [("car", 0.9), ("car", 0.4)]


def test_masks_are_runs(tmp_path):
    frame = {"path": "a.jpg", "frame": 0, "seconds": 0.0, "grid": [2, 3],
             "objects": [4, 0, 2, 255], "found": [6, 1]}  # fmt: skip
    path = tmp_path / "answers.json"
    document = {"format": "vidfit.answers/1", "classes": ["a", "b"], "frames": [frame]}
    path.write_text(to_json(document))
    mask = answered_book(path).frame("a.jpg", 0).mask
    unpacked = np.repeat(mask.objects[1::2], mask.objects[::2]).reshape(mask.rows, mask.columns)
    assert unpacked.tolist() == [[0, 0, 0], [0, 255, 255]] and mask.found == (6, 1)


@pytest.mark.parametrize(
    "document",
    [{"format": "vidfit.answers/9", "classes": [], "frames": []},
     {"format": "vidfit.answers/1", "classes": [], "frames": [{"path": "a"}]},
     {"format": "vidfit.answers/1", "classes": [],
      "frames": [{"path": "a", "frame": 0, "seconds": 0, "size_pixels": [1, 1],
                  "objects": [["car", 1]], "found": []}]}],
)  # fmt: skip
def test_damaged_answers_are_refused(tmp_path, document):
    path = tmp_path / "answers.json"
    path.write_text(to_json(document))
    with pytest.raises(ManifestError, match="holds no answers"):
        answered_book(path)

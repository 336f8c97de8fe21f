"""An index asked by its own shots: the same are found as by the search that wrote it."""

from __future__ import annotations

import numpy as np
import pytest
from tests.jobs.search.test_index import WIDTHS, row, videos

from vidfit.jobs.search.index import ShotIndex
from vidfit.jobs.search.kept import MOST_ASKED, read_index
from vidfit.jobs.search.query import Query


@pytest.fixture
def folder(tmp_path):
    index = ShotIndex(tmp_path, WIDTHS)
    index.add([row("a", 0), row("a", 1)])
    index.add([row("b", number) for number in range(200)])
    index.save_videos(videos("a", "b"))
    return tmp_path


def test_a_span_is_asked_by_the_shots_whose_key_frames_it_holds(folder):
    shots = read_index(folder)
    assert shots.vectors_of("a", (0.0, 8.0))["look"].tolist() == [[1, 1, 1], [2, 2, 2]]
    assert shots.vectors_of("a", (4.0, 8.0))["motion"].tolist() == [[2, 2, 2]]
    assert shots.vectors_of("a", (2.0, 3.0))["look"].tolist() == [[1, 1, 1]]  # no key frame is in
    assert shots.vectors_of("a", (8.0, 9.0)) == shots.vectors_of("c", (0.0, 9.0)) == {}
    assert 1 < len(shots.vectors_of("b", (0.0, 800.0))["look"]) <= MOST_ASKED


def test_what_is_asked_for_is_no_answer_and_shots_of_a_broken_merge_are_there_once(folder):
    shots = read_index(folder)
    asked = Query("", "video", "a.mp4", (0.0, 4.0), "a")
    vectors_QD = np.ones((1, 3), np.float32)
    (a,) = [one for one in shots.videos.values() if one.digest == "a"]
    found = shots.nearest("look", vectors_QD, asked, [a], 5)
    assert [(hit.path, hit.start_seconds) for hit in found] == [("a.mp4", 4.0)]
    for path in [*folder.iterdir()]:
        if path.name != "videos.json":
            path.with_name(f"copy-{path.name}").write_bytes(path.read_bytes())
    again = read_index(folder)
    assert len(again.segments) == 4
    assert again.nearest("look", vectors_QD, asked, [a], 5) == found


def test_some_shots_are_from_the_middle_of_videos(folder):
    shots = read_index(folder)
    found = shots.some([*shots.videos.values()], 2)
    assert [(hit.path, hit.start_seconds) for hit in found] == [("a.mp4", 4.0), ("b.mp4", 4.0)]
    assert len(shots.some([*shots.videos.values()], 1)) == 1


def test_reading_changes_nothing_and_leaves_out_what_is_damaged(folder):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    (folder / "stray.look.npy").write_bytes(b"of a run that writes now")
    assert read_index(folder).broken == 0
    first = next(folder.glob("*.parquet"))
    first.write_bytes(b"no table")
    found = read_index(folder)
    assert found.broken == 1 and len(found.segments) == 1
    assert {path.name for path in folder.iterdir()} == {*before, "stray.look.npy"}
    (folder / "videos.json").write_text("[3]")
    with pytest.raises(ValueError, match="no list of videos"):
        read_index(folder)

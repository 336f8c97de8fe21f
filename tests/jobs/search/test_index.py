"""Segments on disk: grown, merged, damaged, interrupted."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from vidfit.errors import StoreError
from vidfit.jobs.search import index as index_module
from vidfit.jobs.search import segments
from vidfit.jobs.search.index import ShotIndex, ShotRow
from vidfit.jobs.search.kept import read_index
from vidfit.jobs.search.query import Query
from vidfit.jobs.search.segments import KnownVideo
from vidfit.jobs.search.shots import Shot

WIDTHS = {"look": 3, "motion": 3}
WORDS = Query("", "words")


def row(video: str, window: int) -> ShotRow:
    vectors = {way: np.full(3, window + 1, np.float32) for way in ("look", "motion")}
    return ShotRow(video, window, Shot(4.0 * window, 4.0 * window + 4, 4.0 * window + 1, vectors))


def videos(*digests: str) -> list[KnownVideo]:
    return [KnownVideo(f"{digest}.mp4", 1, 1, digest, 8.0) for digest in digests]


def test_what_was_added_is_there_and_mapped(tmp_path):
    index = ShotIndex(tmp_path, WIDTHS)
    index.add([])
    index.add([row("a", 0), row("a", 1)])
    index.add([row("b", 0)])
    index.save_videos(videos("a", "b"))
    again = ShotIndex(tmp_path, WIDTHS)
    assert again.known == {("a", 0), ("a", 1), ("b", 0)} and again.broken == []
    assert {known.digest for known in again.videos.values()} == {"a", "b"}
    largest = max(again.segments, key=lambda segment: len(segment.rows))
    assert isinstance(largest.vectors["look"], np.memmap)
    assert largest.vectors["motion"].tolist() == [[1, 1, 1], [2, 2, 2]]


def test_videos_that_are_gone_and_what_is_asked_for_are_no_answers(tmp_path):
    index = ShotIndex(tmp_path, WIDTHS)
    index.add([row("a", 0), row("a", 1), row("b", 0), row("gone", 0)])
    index.save_videos(videos("a", "b"))
    assert index.answers(WORDS)[0].tolist() == [True, True, True, False]
    asked = Query("a.mp4#5-6", "video", "a.mp4", (5.0, 6.0), "a")
    assert index.answers(asked)[0].tolist() == [True, False, True, False]


def test_many_segments_become_one_without_what_is_gone(tmp_path, monkeypatch):
    monkeypatch.setattr(index_module, "MANY_SEGMENTS", 2)
    index = ShotIndex(tmp_path, WIDTHS)
    for number in range(4):
        index.add([row("a", number), row("gone", number)])
    index.save_videos(videos("a"))
    index.tidy()
    assert len(index.segments) == 1 and len([*tmp_path.glob("*.npy")]) == 2
    assert ShotIndex(tmp_path, WIDTHS).known == {("a", number) for number in range(4)}


def test_a_merge_that_was_interrupted_leaves_no_shot_twice(tmp_path, monkeypatch):
    monkeypatch.setattr(index_module, "MANY_SEGMENTS", 1)
    index = ShotIndex(tmp_path, WIDTHS)
    index.add([row("a", 0)])
    index.add([row("a", 1)])
    index.save_videos(videos("a"))
    monkeypatch.setattr(ShotIndex, "_remove", lambda self, name: None)
    index.tidy()
    monkeypatch.undo()
    again = ShotIndex(tmp_path, WIDTHS)
    assert sum(len(segment.rows) for segment in again.segments) == 2
    assert len([*tmp_path.glob("*.parquet")]) == 1


@pytest.mark.parametrize("suffix", ["parquet", "look.npy"])
def test_a_damaged_segment_is_set_aside(tmp_path, suffix):
    index = ShotIndex(tmp_path, WIDTHS)
    index.add([row("a", 0)])
    index.add([row("b", 0)])
    name = index.segments[0].name
    path = tmp_path / f"{name}.{suffix}"
    path.write_bytes(path.read_bytes()[:100])
    again = ShotIndex(tmp_path, WIDTHS)
    assert again.known == {("b", 0)} and again.broken == [f"{name}.parquet"]
    assert not (tmp_path / f"{name}.motion.npy").exists()


@pytest.mark.parametrize("short", [pa.ArrowMemoryError("malloc failed"), MemoryError()])
def test_a_lack_of_memory_sets_no_segment_aside(tmp_path, monkeypatch, short):
    ShotIndex(tmp_path, WIDTHS).add([row("a", 0)])

    def refuse(*args):
        raise short

    monkeypatch.setattr(segments, "read_parquet", refuse)
    for read in (lambda: ShotIndex(tmp_path, WIDTHS), lambda: read_index(tmp_path)):
        with pytest.raises(StoreError, match="memory is too short"):
            read()
    monkeypatch.undo()
    assert ShotIndex(tmp_path, WIDTHS).known == {("a", 0)}


def test_vectors_that_are_objects_are_not_loaded(tmp_path):
    index = ShotIndex(tmp_path, WIDTHS)
    index.add([row("a", 0)])
    path = tmp_path / f"{index.segments[0].name}.look.npy"
    np.save(path, np.array([[{}]], object), allow_pickle=True)
    assert ShotIndex(tmp_path, WIDTHS).known == set()


def test_vectors_of_another_width_are_set_aside(tmp_path):
    ShotIndex(tmp_path, WIDTHS).add([row("a", 0)])
    assert ShotIndex(tmp_path, {**WIDTHS, "motion": 4}).known == set()


@pytest.mark.parametrize("seconds", ["1e300", "NaN", '"8"', "-1"])
def test_a_list_of_videos_is_not_believed(tmp_path, seconds):
    facts = '"path": "a.mp4", "bytes": 1, "modified": 1, "digest": "a"'
    (tmp_path / "videos.json").write_text(f'[{{{facts}, "duration_seconds": {seconds}}}]')
    index = ShotIndex(tmp_path, WIDTHS)
    assert index.videos == {} and index.broken == ["videos.json"]


def test_unfinished_segments_are_swept_and_a_damaged_list_of_videos_is_made_anew(tmp_path):
    np.save(tmp_path / "half.look.npy", np.zeros((1, 3)))
    (tmp_path / "videos.json").write_text('[{"path": 1}]')
    index = ShotIndex(tmp_path, WIDTHS)
    assert index.videos == {} and index.broken == ["videos.json"]
    assert not (tmp_path / "half.look.npy").exists()


def test_a_folder_that_cannot_be_written_fails(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot write"):
        ShotIndex(tmp_path / "file" / "index", WIDTHS).add([row("a", 0)])

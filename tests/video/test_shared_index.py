"""Readers of one file share its packet index, and nothing that a read changes."""

from __future__ import annotations

import gc
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest
from tests.video.cases import CASES

from vidfit.video import VideoReader, shared_index


@pytest.fixture
def surveys(monkeypatch):
    """Paths of the files that were read to their end for an index."""
    paths, survey = [], shared_index.survey

    def counted(opened):
        paths.append(opened.path)
        return survey(opened)

    monkeypatch.setattr(shared_index, "survey", counted)
    return paths


def test_readers_in_threads_read_a_file_to_its_end_once(tmp_path, surveys):
    path = str(CASES["h264_gop12"](tmp_path))
    both = Barrier(2)

    def frames(first):
        both.wait()
        with VideoReader(path) as reader:
            both.wait()
            return [frame.rgb() for frame in reader.frames(range(first, first + 5))]

    with ThreadPoolExecutor(2) as pool:
        early, late = pool.map(frames, (2, 4))
    assert surveys == [path]
    np.testing.assert_array_equal(early[2:], late[:3])


def test_an_index_is_kept_no_longer_than_its_readers_and_for_the_very_file(tmp_path, surveys):
    path = str(CASES["h264_gop12"](tmp_path))
    reader = VideoReader(path)
    reader.close()  # and not forgotten
    with VideoReader(path) as again:
        assert again._source.index is reader._source.index
        shutil.copy(path, f"{path}.copy")
        Path(f"{path}.copy").replace(path)
        with VideoReader(path) as other:
            assert other._source.index is not again._source.index
    del reader, again, other
    gc.collect()
    assert not shared_index._kept and not shared_index._surveying
    VideoReader(path).close()
    assert len(surveys) == 3


def test_what_one_reader_finds_damaged_is_not_written_into_the_index(tmp_path):
    path = str(CASES["mpeg4_packed_avi"](tmp_path))
    with VideoReader(path) as first, VideoReader(path) as second:
        assert first._source.index is second._source.index and first._source.index.by_count
        first._source._sound_F[3] = False
        assert second._source._sound_F[3]

"""The guard finds what no rule knows of: a read after a seek is held against one in sequence."""

from __future__ import annotations

import numpy as np
import pytest
from tests.video.cases import CASES
from tests.video.test_reader import sequential

from vidfit.video import VideoReader, survey
from vidfit.video.carried import Told


@pytest.fixture
def unnoticed(monkeypatch):
    """As with a kind of state that nobody has thought of: packets seem to tell nothing."""
    monkeypatch.setattr(Told, "note", lambda told, packet: None)


@pytest.mark.parametrize("name", ["raw_palette_avi", "raw_palette_mov"])
def test_a_seek_that_loses_state_is_noticed_and_the_file_read_forward(name, unnoticed, tmp_path):
    path = CASES[name](tmp_path)
    _, expected = sequential(path)
    with VideoReader(str(path)) as reader:
        assert reader._source.index.forward
        (frame,) = reader.frames([30])
        np.testing.assert_array_equal(frame.rgb(), expected[30])


@pytest.mark.parametrize("name", ["mpeg4_packed_avi", "mpeg4_packed_mp4"])
def test_frames_that_are_not_those_of_the_packets_are_noticed(name, unnoticed, tmp_path):
    with VideoReader(str(CASES[name](tmp_path))) as reader:
        assert reader._source.index.by_count


def test_a_seek_that_loses_nothing_is_kept(unnoticed, tmp_path):
    for name in ("mpeg4_asp", "mjpeg_avi", "mpeg2_ts"):
        with VideoReader(str(CASES[name](tmp_path))) as reader:
            assert not reader._source.index.forward


def test_ordinary_video_is_indexed_without_decoding(tmp_path, monkeypatch):
    def decoded(path, start, stop):
        raise AssertionError(f"{path} was decoded")

    monkeypatch.setattr(survey, "_decoded", decoded)
    for name in ("h264_gop12", "h264_open_gop", "hevc_10bit", "vp9_odd_size", "av1", "h264_mkv"):
        with VideoReader(str(CASES[name](tmp_path))) as reader:
            assert not reader._source.index.by_count
    with pytest.raises(AssertionError, match="was decoded"):
        VideoReader(str(CASES["mjpeg_avi"](tmp_path)))

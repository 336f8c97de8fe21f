"""The guard finds what no rule knows of: a read after a seek is held against one in sequence."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest
from tests.video.cases import CASES, Recipe, write, x264
from tests.video.test_reader import sequential

from vidfit.video import VideoReader, survey
from vidfit.video.carried import Told
from vidfit.video.source import open_container


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


@pytest.mark.parametrize(("codec", "mark"), [("libx264", b"\x0a"), ("libx265", b"\x48\x01")])
@pytest.mark.parametrize("suffix", ["mkv", "mp4", "flv"])
def test_a_mark_of_the_end_is_no_frame(tmp_path, codec, mark, suffix):
    options = x264(12, 0) if codec == "libx264" else {"x265-params": "bframes=0:log-level=none"}
    whole = write(tmp_path, Recipe("whole.mp4", codec=codec, options=options, frames=24))
    marked = tmp_path / f"marked.{suffix}"
    with av.open(str(whole)) as old, av.open(str(marked), "w") as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(video=0):
            if packet.size:
                packet.stream = stream
                new.mux(packet)
        end = av.Packet(len(mark).to_bytes(4) + mark)
        end.pts = end.dts = 24 * 512
        end.time_base, end.stream = Fraction(1, 12800), stream
        new.mux(end)
    with open_container(str(marked)) as container:
        assert sum(packet.size > 0 for packet in container.demux(video=0)) == 25
    with VideoReader(str(marked)) as reader:
        assert reader.info.frame_count == 24
        assert [frame.index for frame in reader.frames([0, 11, 23])] == [0, 11, 23]


def test_how_long_the_last_picture_stays_is_kept(tmp_path):
    with VideoReader(str(CASES["gif_comment"](tmp_path))) as reader:
        assert reader.duration_seconds == pytest.approx(20 * 0.04)


@pytest.mark.parametrize("name", ["gif", "vp8", "h264_gop12"])
def test_a_packet_with_a_picture_is_kept(tmp_path, name):
    path = str(CASES[name](tmp_path))
    with open_container(path) as container:
        packets = sum(packet.size > 0 for packet in container.demux(video=0))
    assert VideoReader(path).info.frame_count == packets

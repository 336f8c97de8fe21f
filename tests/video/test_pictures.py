"""Frames are pictures that come out; packets that hold none are not counted."""

from __future__ import annotations

from fractions import Fraction

import av
import pytest
from tests.video.cases import CASES, Recipe, write, x264

from vidfit.video import VideoReader
from vidfit.video.source import open_container


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

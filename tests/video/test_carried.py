"""What only earlier packets tell the codec is noticed; what keyframes repeat costs no seek."""

from __future__ import annotations

import av
import numpy as np
import pytest
from tests.video import surgery
from tests.video.cases import CASES, Recipe, write, x264, x265

from vidfit.video.carried import Told
from vidfit.video.stream import StreamDecoder

FORWARD = (
    *("h264_444_old_x264", "h264_flv_restarted", "h264_mkv_restarted", "h264_mp4_restarted"),
    *("hevc_mp4_restarted", "msrle_avi", "qtrle_grey_mov", "raw_palette_avi", "raw_palette_mov"),
    "smc_mov",
)
SOUGHT = (
    *("h264_gop12", "h264_mkv", "h264_flv", "h264_ts_late_start", "h264_open_gop", "hevc_ts"),
    *("h264_odd_size_444", "hevc_open_gop", "vp9_odd_size", "av1", "mpeg4_asp", "mpeg2_ts"),
    *("mjpeg_avi", "ffv1_mkv"),
)
COUNTED = ("h264_mp4_decoding_times", "mpeg4_packed_avi", "mpeg4_packed_mp4")


def index_of(path):
    decoder = StreamDecoder(str(path))
    decoder.close()
    return decoder.index


@pytest.mark.parametrize("name", FORWARD)
def test_a_stream_that_leans_on_earlier_packets_is_read_forward(name, tmp_path):
    index = index_of(CASES[name](tmp_path))
    assert index.forward and not index.by_count
    assert not index.start_of_F.any()


@pytest.mark.parametrize("name", COUNTED)
def test_a_stream_whose_packets_are_not_its_frames_is_counted(name, tmp_path):
    assert index_of(CASES[name](tmp_path)).by_count


@pytest.mark.parametrize("name", SOUGHT)
def test_other_streams_are_sought_in(name, tmp_path):
    index = index_of(CASES[name](tmp_path))
    assert not index.forward and not index.by_count
    assert index.start_of_F.any()


def test_a_header_that_is_only_repeated_is_no_change(tmp_path):
    one = write(tmp_path, Recipe("one.flv", options=x264(12, 0), frames=24))
    assert not index_of(surgery.joined_flv(one, one, tmp_path / "same.flv")).forward


@pytest.mark.parametrize(
    ("build", "pixel_format", "forward"),
    [
        *((150, "yuv444p", True), (151, "yuv444p", False)),
        *((150, "yuv420p", False), (34, "yuv420p", False), (33, "yuv420p", True)),
    ],
)
@pytest.mark.parametrize("suffix", [".mp4", ".ts"])
def test_only_builds_of_x264_with_faults_are_read_forward(
    tmp_path, build, pixel_format, forward, suffix
):
    recipe = Recipe(f"v{suffix}", options=x264(12, 0), pixel_format=pixel_format, frames=24)
    assert index_of(surgery.of_build(write(tmp_path, recipe), build)).forward is forward


# ---------------------------------------------------------------- parameter sets


def keyframes(path):
    """Return a stream's header, and its keyframes."""
    with av.open(str(path)) as container:
        (stream,) = container.streams.video
        keys = [bytes(packet) for packet in container.demux(stream) if packet.is_keyframe]
        return bytes(stream.codec_context.extradata), keys


def told(codec, header, keys):
    told = Told(codec, header)
    for data in keys:
        packet = av.Packet(data)
        packet.is_keyframe = True
        told.note(packet)
    return told.is_lost_by_a_seek


@pytest.fixture(scope="module", params=["h264.mp4", "h264.ts", "hevc.mp4", "hevc.ts"])
def two(request, tmp_path_factory):
    """The codec, and header and keyframes of two encodings of different size."""
    folder = tmp_path_factory.mktemp("two")
    codec, _, suffix = request.param.partition(".")
    fields = {"options": x264(6, 0)}
    if codec == "hevc":
        fields = {"codec": "libx265", "options": x265(6, 0)}
    small = write(folder, Recipe(f"small.{suffix}", frames=18, **fields))
    large = write(folder, Recipe(f"large.{suffix}", frames=18, width=128, **fields))
    return codec, keyframes(small), keyframes(large)


def in_band(header, codec):
    """Return the parameter sets of a header as a packet brings them."""
    return surgery.parameter_sets(codec, header) if header[0] == 1 else header


def bare(data, header, codec):
    """Return a keyframe without its parameter sets."""
    return data if header[0] == 1 else data[data.rindex(b"\0\0\1") :]


def test_sets_that_each_keyframe_brings_are_not_lost(two):
    codec, (header, small), (other, large) = two
    small = [in_band(header, codec) + bare(data, header, codec) for data in small]
    large = [in_band(other, codec) + bare(data, header, codec) for data in large]
    assert not told(codec, header, small + large)


def test_sets_of_the_header_may_be_left_out(two):
    codec, (header, small), _ = two
    repeated = in_band(header, codec) + bare(small[1], header, codec)
    assert not told(codec, header, [*(bare(data, header, codec) for data in small), repeated])


def test_sets_that_one_keyframe_brings_are_lost(two):
    codec, (header, small), (other, large) = two
    small, large = ([bare(data, header, codec) for data in keys] for keys in (small, large))
    changed = in_band(other, codec) + large[0]
    assert told(codec, header, [*small, changed, *large[1:]])
    assert told(codec, header, [*small, changed])  # the first ones, after a way back


def test_damaged_packets_end_the_search(two):
    codec, (header, _), _ = two
    rng = np.random.default_rng(0)
    for size in (1, 2, 5, 100, 5000):
        assert told(codec, header, [rng.bytes(size), bytes(size)]) in (True, False)

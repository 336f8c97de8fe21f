"""Every frame of every kind of video equals what plain PyAV decodes from start to end."""

from __future__ import annotations

import ctypes
import gc
import threading
from pathlib import Path

import av
import fsspec
import numpy as np
import pytest
from av.video.reformatter import Interpolation
from tests.clips import write_clip
from tests.video.cases import CASES, Recipe, write, x264

from vidfit.contracts import Sampling
from vidfit.errors import VideoError
from vidfit.video import VideoReader, decode, frame_indices, probe
from vidfit.video.source import DECODER_OPTIONS


def sequential(path: Path) -> tuple[np.ndarray, list[np.ndarray]]:
    """Decode all frames with plain PyAV: timestamps in seconds and upright RGB pixels."""
    ticks, frames = [], []
    for file in (
        sorted(path.iterdir(), key=lambda f: (len(f.name), f.name)) if path.is_dir() else [path]
    ):
        with av.open(str(file)) as container:
            stream = container.streams.video[0]
            stream.thread_count = 1
            for frame in container.decode(stream):
                ticks.append(frame.pts)
                rgb = frame.reformat(
                    format="gbrp",
                    dst_color_range="JPEG",
                    interpolation=Interpolation.BILINEAR | Interpolation.ACCURATE_RND,
                )
                frames.append(np.rot90(rgb.to_ndarray(), round(frame.rotation / 90)))
            tick, rate = float(stream.time_base), float(stream.average_rate or 25)
    if path.is_dir() or None in ticks or len(set(ticks)) < len(ticks):
        return np.arange(len(frames)) / rate, frames
    return (np.sort(ticks) - min(ticks)) * tick, frames


@pytest.fixture(scope="module", params=CASES)
def case(request, tmp_path_factory):
    path = CASES[request.param](tmp_path_factory.mktemp(request.param))
    return request.param, path, *sequential(path)


def test_frames_and_times_equal_a_sequential_decode(case):
    name, path, seconds, frames = case
    count = len(frames)
    rng = np.random.default_rng(1)
    middle = count // 2
    choices = [
        np.arange(count),
        np.arange(0, count, 9),
        np.arange(middle, min(middle + 5, count)),
        np.array([count - 1]),
        np.array([0]),
        *(np.sort(rng.choice(count, max(1, count // part), replace=False)) for part in (2, 5, 12)),
    ]
    with VideoReader(str(path)) as reader:
        assert len(reader.pts_seconds) == count
        np.testing.assert_allclose(reader.pts_seconds, seconds, atol=1e-9)
        for indices in choices:
            seen = list(reader.frames(indices))
            # Nothing is decoded twice to look for damage where there is none.
            assert getattr(reader._source, "surveys", 0) == 0
            assert [frame.index for frame in seen] == indices.tolist()
            for frame in seen:
                assert frame.pts_seconds == reader.pts_seconds[frame.index]
                np.testing.assert_array_equal(frame.rgb(), frames[frame.index], err_msg=name)


def test_single_frames_of_fresh_readers_equal_a_sequential_decode(case):
    """Nothing that a reader saw before may be needed for what it reads next."""
    name, path, _, frames = case
    count = len(frames)
    some = np.random.default_rng(2).choice(count, min(count, 16), replace=False)
    for index in {0, count - 1, *some.tolist()}:
        with VideoReader(str(path)) as reader:
            (frame,) = reader.frames([index])
            np.testing.assert_array_equal(frame.rgb(), frames[index], err_msg=name)
        (pixels,) = decode(str(path), indices=[index]).frames_THWC
        np.testing.assert_array_equal(pixels, frames[index], err_msg=name)


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    recipe = Recipe("v.mp4", options=x264(10, 3), frames=200, width=64, height=48)
    return str(write(tmp_path_factory.mktemp("reader"), recipe))


def test_windows_of_a_long_video_decode_nothing_twice(video):
    with VideoReader(video) as reader:
        reader._source._jump, jumps = _counted(reader._source._jump)
        for start in range(0, 200, 10):
            assert len(list(reader.frames(range(start, start + 10)))) == 10
        assert reader._source.decoded_packets == 200
        assert len(jumps) == 1  # to the first packet, after the index was read


def _counted(function):
    calls = []

    def counted(*args):
        calls.append(args)
        return function(*args)

    return counted, calls


def test_sparse_frames_skip_what_does_not_lead_to_them(video):
    with VideoReader(video) as reader:
        list(reader.frames([5, 155]))
        assert reader._source.decoded_packets < 20
        assert reader._source.restarts == 0


def test_a_piece_of_a_packet_is_not_taken_for_the_packet(tmp_path):
    """A parser that begins in the middle may cut out another piece, with the same timestamp."""
    path = CASES["mpeg2_ps"](tmp_path)
    with VideoReader(str(path)) as reader:
        index, start = reader._source.index, reader._source.index.start_of_F[65]
        piece = reader._source._opened.seek(int(index.dts_P[start]))
        assert index.position_at(piece.pts) is not None
        assert index.position_of(piece) is None
    with VideoReader(str(path)) as reader:
        (frame,) = reader.frames([65])
        np.testing.assert_array_equal(frame.rgb(), sequential(path)[1][65])
        assert reader._source.restarts == 0
        assert reader._source.decoded_packets < 40


def test_earlier_abandoned_and_interleaved_reading_stay_exact(video):
    _, expected = sequential(Path(video))
    with VideoReader(video) as reader:
        ahead, behind = reader.frames([3, 40, 90, 95]), reader.frames([1, 2, 41, 42, 93])
        seen = [next(ahead), next(behind), next(ahead), next(behind), next(behind), next(ahead)]
        seen += [*behind, *reader.frames([91, 92]), *reader.frames([7])]
        assert [frame.index for frame in seen] == [3, 1, 40, 2, 41, 90, 42, 93, 91, 92, 7]
        for frame in seen:
            np.testing.assert_array_equal(frame.rgb(), expected[frame.index])


def test_two_threads_read_two_videos(video):
    _, expected = sequential(Path(video))
    differing = []

    def read():
        with VideoReader(video) as reader:
            for frame in reader.frames(range(0, 200, 7)):
                if not np.array_equal(frame.rgb(), expected[frame.index]):
                    differing.append(frame.index)

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert differing == []


@pytest.mark.parametrize("indices", [[200], [-1], [4, 4], [5, 3]])
def test_indices_outside_or_out_of_order_fail(video, indices):
    with VideoReader(video) as reader, pytest.raises(VideoError, match=r"0 to 199|increasing"):
        reader.frames(indices)


@pytest.mark.parametrize(("bframes", "depth"), [(0, 0), (1, 1), (5, 2)])
def test_reorder_depth_of_the_index_is_that_of_the_stream(tmp_path, bframes, depth):
    options = x264(30, bframes, **{"b-pyramid": "normal", "b-adapt": "0"})
    path = write(tmp_path, Recipe("v.mp4", options=options))
    with av.open(str(path)) as container:
        assert container.streams.video[0].codec_context.reorder_depth == depth
    with VideoReader(str(path)) as reader:
        assert reader._source.index.reorder_depth == depth


def test_header_that_hides_reordering_is_not_trusted(video, monkeypatch):
    """As with encoders that do not declare it: FFmpeg must look into the stream."""
    monkeypatch.setattr("vidfit.video.opened.OpenStream.reorder_depth", 0)
    _, expected = sequential(Path(video))
    with VideoReader(video) as reader:
        assert reader._source._opened._container.options == DECODER_OPTIONS
        for frame in reader.frames([3, 50, 51, 199]):
            np.testing.assert_array_equal(frame.rgb(), expected[frame.index])


def test_probe(video):
    info = probe(video)
    assert (info.codec, info.pixel_format) == ("h264", "yuv420p")
    assert (info.width_pixels, info.height_pixels, info.rotation_degrees) == (64, 48, 0)
    assert (info.frame_count, info.keyframe_count) == (200, 20)
    assert info.duration_seconds == pytest.approx(8.0)
    assert info.average_fps == pytest.approx(25.0)
    assert not info.is_variable_rate


def test_probe_of_a_turned_video_with_variable_rate(tmp_path):
    path = CASES["h264_rotated_90"](tmp_path)
    info = probe(str(path))
    assert (info.width_pixels, info.height_pixels, info.rotation_degrees) == (64, 96, 90)
    assert probe(str(CASES["h264_variable_rate"](tmp_path))).is_variable_rate


def test_url_of_fsspec(video):
    with fsspec.open("memory://clips/v.mp4", "wb") as file:
        file.write(Path(video).read_bytes())
    _, expected = sequential(Path(video))
    with VideoReader("memory://clips/v.mp4") as reader:
        for frame in reader.frames([0, 101, 199]):
            np.testing.assert_array_equal(frame.rgb(), expected[frame.index])


def test_url_that_is_not_there_fails():
    with pytest.raises(VideoError, match="cannot be opened"):
        VideoReader("memory://clips/none.mp4")


def test_relative_path_that_looks_like_an_option_or_protocol(video, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("-i.mp4", "a:b.mp4", "x%03d.mp4", "fight?*.mp4"):
        Path(name).write_bytes(Path(video).read_bytes())
        assert probe(name).frame_count == 200


SHARED_CLIPS = Path(__file__).parents[3] / "shared" / "data" / "fight_surv"


@pytest.mark.skipif(not SHARED_CLIPS.is_dir(), reason="needs the shared surveillance clips")
def test_real_clips_equal_a_sequential_decode():
    for path in sorted(SHARED_CLIPS.glob("*/*.mp4"))[::100]:
        seconds, expected = sequential(path)
        with VideoReader(str(path)) as reader:
            np.testing.assert_allclose(reader.pts_seconds, seconds, atol=1e-9)
            chosen = frame_indices(reader.pts_seconds, 0.0, None, Sampling(1, 8)).ravel()
            for frame in reader.frames(np.unique(chosen)):
                np.testing.assert_array_equal(frame.rgb(), expected[frame.index])


def test_videos_that_are_not_read_to_their_end_leave_nothing_behind(tmp_path):
    """What PyAV holds for packets to come is freed: it was 170 bytes or more a video."""
    if not hasattr(ctypes.CDLL(None), "mallinfo2"):
        pytest.skip("counts the bytes that glibc has given out")
    video = str(write_clip(tmp_path / "v.mp4", frames=12))

    def look(times):
        for _ in range(times):
            with VideoReader(video) as reader:
                next(iter(reader.frames(np.array([3]))))
        gc.collect()
        return _bytes_in_use()

    before = look(150)
    assert look(600) - before < 600 * 100


class _Mallinfo(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks",
            "fordblks", "keepcost",
        )
    ]  # fmt: skip


def _bytes_in_use():
    mallinfo2 = ctypes.CDLL(None).mallinfo2
    mallinfo2.restype = _Mallinfo
    found = mallinfo2()
    return found.uordblks + found.hblkhd

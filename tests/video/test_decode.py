"""Four ways to choose frames, the folder of frames, and writing."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from tests.video.cases import CASES, Recipe, write, x264

from vidfit.contracts import Clip, Preprocessing, Sampling
from vidfit.errors import VideoError
from vidfit.features.views import gather_views
from vidfit.video import FrameLook, VideoReader, decode, is_video_path, probe, write_video
from vidfit.video.names import natural_key


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    recipe = Recipe("v.mp4", options=x264(12), frames=50)
    return str(write(tmp_path_factory.mktemp("decode"), recipe))


def test_indices_in_any_order_with_repeats(video):
    batch = decode(video, indices=[30, 4, 30])
    assert batch.indices_T.tolist() == [30, 4, 30]
    np.testing.assert_allclose(batch.pts_seconds_T, [1.2, 0.16, 1.2])
    np.testing.assert_array_equal(batch.frames_THWC[0], batch.frames_THWC[2])
    with VideoReader(video) as reader:
        np.testing.assert_array_equal(batch.frames_THWC[1], next(reader.frames([4])).rgb())


def test_timestamps_take_the_frame_on_screen(video):
    batch = decode(video, timestamps_seconds=[0.0, 0.039, 0.04, 2.0])
    assert batch.indices_T.tolist() == [0, 0, 1, 49]


def test_a_frame_that_is_held_at_the_end_is_part_of_the_video(tmp_path):
    path = str(tmp_path / "held.mkv")
    with av.open(path, "w") as out:
        stream = out.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        grey = av.VideoFrame.from_ndarray(np.full((32, 32, 3), 90, np.uint8), "rgb24")
        packets = []
        for grey.pts in range(10):
            packets += stream.encode(grey)
        packets += stream.encode(None)
        packets[-1].duration = 60 * 25
        out.mux(packets)
    assert probe(path).duration_seconds == pytest.approx(60.36)
    assert decode(Clip(path, 30.0, 40.0), count=1).indices_T.tolist() == [9]
    assert decode(path, count=2).indices_T.tolist() == [9, 9]
    with VideoReader(path) as reader:
        look = FrameLook(Sampling(2, 1), Preprocessing(8, 6))
        ((indices_VT, _),) = gather_views(reader, Clip(path, 30.0, 40.0), [look])
    assert indices_VT.tolist() == [[9, 9]]


def test_rate_and_count_within_a_clip(video):
    assert decode(video, fps=5).indices_T.tolist() == list(range(0, 50, 5))
    clip = Clip(video, start_seconds=0.4, end_seconds=1.2)
    assert decode(clip, fps=5).indices_T.tolist() == [10, 15, 20, 25]
    assert decode(clip, count=2, preprocessing=Preprocessing(8, 6)).indices_T.tolist() == [15, 25]
    assert decode(clip, count=2, preprocessing=Preprocessing(8, 6)).frames_THWC.shape == (
        2,
        8,
        6,
        3,
    )


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({}, "exactly one of"),
        ({"count": 2, "fps": 3.0}, "exactly one of"),
        ({"count": 0}, "at least 1"),
        ({"fps": 0.0}, "fps must be positive"),
        ({"indices": []}, "no frames were asked for"),
        ({"indices": [50]}, "no frame 50"),
        ({"timestamps_seconds": [2.5]}, "no frame at 2.5 s"),
        ({"timestamps_seconds": [float("nan")]}, "no frame at nan s"),
    ],
)
def test_choices_that_name_no_frames_fail(video, choice, message):
    with pytest.raises(VideoError, match=message):
        decode(video, **choice)


def test_folder_of_frames_in_natural_order_at_25_fps(tmp_path):
    folder = CASES["frame_folder"](tmp_path)
    (folder / "notes.txt").write_text("not a frame")
    info = probe(str(folder))
    assert (info.codec, info.frame_count, info.average_fps) == ("png", 12, 25.0)
    batch = decode(str(folder), indices=[1, 9])
    np.testing.assert_array_equal(
        batch.frames_THWC[1], next(VideoReader(str(folder)).frames([9])).rgb()
    )
    assert not np.array_equal(batch.frames_THWC[0], batch.frames_THWC[1])
    assert sorted(["f10.png", "f9.png", "f1.png"], key=natural_key) == [
        "f1.png",
        "f9.png",
        "f10.png",
    ]


def test_frames_of_differing_size_need_a_preprocessing(tmp_path):
    for number, size in enumerate([(32, 48), (16, 16)]):
        picture = np.zeros((*size, 3), np.uint8)
        write_video(tmp_path / "one.gif", [picture], 1.0, codec="gif", pixel_format="rgb8")
        (tmp_path / "one.gif").rename(tmp_path / f"{number}.png")  # FFmpeg goes by the content
    with pytest.raises(VideoError, match="frames differ in size"):
        decode(str(tmp_path), indices=[0, 1])
    resized = decode(str(tmp_path), indices=[0, 1], preprocessing=Preprocessing(8, 8))
    assert resized.frames_THWC.shape == (2, 8, 8, 3)


@pytest.mark.parametrize("shape", [(48, 64, 3), (47, 63, 3)])
def test_written_frames_come_back(tmp_path, shape):
    rng = np.random.default_rng(0)
    frames = [np.kron(rng.integers(0, 255, (6, 8, 3)), np.ones((8, 8, 1))) for _ in range(5)]
    frames = [frame[: shape[0], : shape[1]].astype(np.uint8) for frame in frames]
    path = tmp_path / "v.mp4"
    write_video(path, iter(frames), 12.5, options={"crf": "1"})
    info = probe(str(path))
    assert (info.height_pixels, info.width_pixels) == (48, 64)
    assert (info.frame_count, info.average_fps) == (5, pytest.approx(12.5))
    back = decode(str(path), indices=range(5)).frames_THWC[:, : shape[0], : shape[1]]
    luma = (back.astype(float) - np.stack(frames)).mean(axis=-1)
    assert np.abs(luma).mean() < 6  # chroma at half resolution blurs the edges of blocks


def test_failed_writing_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "v.mp4"
    path.write_bytes(b"old")

    def frames():
        yield np.zeros((32, 32, 3), np.uint8)
        yield np.zeros((16, 32, 3), np.uint8)

    with pytest.raises(VideoError, match="of one size"):
        write_video(path, frames(), 25)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"frames": []}, "no frames to write"),
        ({"fps": 0.0}, "fps must be"),
        ({"codec": "no_such_codec"}, "cannot be written"),
        ({"codec": "aac"}, "not a video codec"),
        ({"frames": [np.zeros((4, 4, 3))]}, "frames must be uint8"),
    ],
)
def test_what_cannot_be_written_fails(tmp_path, fields, message):
    given = {"frames": [np.zeros((32, 32, 3), np.uint8)], "fps": 25.0, **fields}
    with pytest.raises(VideoError, match=message):
        write_video(tmp_path / "v.mp4", **given)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "expected"), [("a/b.MP4", True), ("c.webm", True), ("d.txt", False), ("mp4", False)]
)
def test_is_video_path(name, expected):
    assert is_video_path(name) is expected
    assert is_video_path(Path(name)) is expected

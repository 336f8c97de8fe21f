"""No frame that a codec had to make up is given out, nor one that builds on such a frame."""

from __future__ import annotations

import av
import numpy as np
import pytest
from tests.video.cases import CASES, Recipe, overwritten, pictures, truncated, write, x264
from tests.video.surgery import flipped

from vidfit.errors import VideoError
from vidfit.video import VideoReader, decode

SIGNALLING = {
    "h264": Recipe("v.mp4", options=x264(12), width=320, height=192),
    "mpeg4": Recipe("v.mp4", codec="mpeg4", options={"bf": "2", "g": "12"}, width=320, height=192),
}


@pytest.mark.parametrize("codec", SIGNALLING)
def test_frames_given_out_of_a_damaged_file_are_those_of_the_sound_one(tmp_path, codec):
    whole = write(tmp_path, SIGNALLING[codec])
    damaged = flipped(whole, tmp_path / "damaged.mp4", bits=3)
    with VideoReader(str(whole)) as reader:
        frames = [frame.rgb() for frame in reader.frames(range(72))]
    with VideoReader(str(damaged)) as reader:
        sound_F = reader.sound(0, 71)
        assert 8 <= sound_F.sum() < 64
        for frame in reader.frames(np.flatnonzero(sound_F)):
            apart = np.abs(frame.rgb().astype(int) - frames[frame.index])
            assert apart.mean() < 2, frame.index  # a flipped bit may change a shade
        for index in np.flatnonzero(~sound_F)[::5]:
            with pytest.raises(VideoError, match=f"frame {index} cannot be decoded"):
                list(reader.frames([int(index)]))


def test_plain_decoding_gives_out_what_is_refused_here(tmp_path):
    """The reason for all this: FFmpeg fills in what is missing, and goes on."""
    damaged = flipped(write(tmp_path, SIGNALLING["h264"]), tmp_path / "damaged.mp4")
    with av.open(str(damaged)) as container:
        assert any(frame.is_corrupt for frame in container.decode(video=0))
    with pytest.raises(VideoError, match="damaged"):
        decode(str(damaged), indices=range(72))


@pytest.mark.parametrize("name", ["h264_gop12", "hevc_ts", "vp9_odd_size", "mjpeg_avi", "gif"])
def test_all_frames_of_a_whole_file_are_sound(tmp_path, name):
    with VideoReader(str(CASES[name](tmp_path))) as reader:
        assert reader.sound(0, len(reader.pts_seconds) - 1).all()
        assert reader.shortfall == ""


def test_a_recording_that_another_is_joined_to_is_whole(tmp_path):
    with VideoReader(str(CASES["h264_ts_joined"](tmp_path))) as reader:
        assert reader.sound(0, 59).all()


def test_damage_ends_at_the_next_keyframe(tmp_path):
    with VideoReader(str(overwritten(tmp_path))) as reader:
        sound_F = reader.sound(0, 71)
        lost = np.flatnonzero(~sound_F)
        assert sound_F[:24].all() and sound_F[60:].all()
        assert len(lost) >= 12 and (lost[-1] + 1) % 12 == 0  # keyframes are 12 apart


def test_a_gif_is_damaged_from_the_first_broken_picture_on(tmp_path):
    path = CASES["gif"](tmp_path)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 200] = b"\xff" * 200
    path.write_bytes(bytes(data))
    with VideoReader(str(path)) as reader:
        sound_F = reader.sound(0, len(reader.pts_seconds) - 1)
        first = int(np.flatnonzero(~sound_F)[0])
        assert first > 0 and not sound_F[first:].any()


def test_a_message_that_every_packet_draws_is_no_damage(tmp_path, monkeypatch):
    from vidfit.video import opened

    monkeypatch.setattr(opened.OpenStream, "messages", frozenset({"odd"}), raising=False)
    monkeypatch.setattr(opened.OpenStream, "__setattr__", _but_messages)
    with VideoReader(str(CASES["mjpeg_avi"](tmp_path))) as reader:
        assert len(list(reader.frames(range(20)))) == 20


def _but_messages(self, name, value):
    if name != "messages":
        object.__setattr__(self, name, value)


def test_a_file_cut_short_says_how_much_is_there(tmp_path):
    with VideoReader(str(truncated(tmp_path))) as reader:
        count = len(reader.pts_seconds)
        assert reader.sound(0, count - 1).all()
        assert reader.shortfall == f"the file is cut short: {count} of 72 frames are there"


def test_damaged_image_in_a_folder_of_frames_is_not_sound(tmp_path):
    folder = CASES["frame_folder"](tmp_path)
    (folder / "frame_3.png").write_bytes(b"not an image")
    with VideoReader(str(folder)) as reader:
        assert np.flatnonzero(~reader.sound(0, 11)).tolist() == [2]
        assert [frame.index for frame in reader.sound_frames()] == [0, 1, *range(3, 12)]


def test_all_sound_frames_are_given_out_in_one_pass(tmp_path):
    with VideoReader(str(overwritten(tmp_path))) as reader:
        found = [frame.index for frame in reader.sound_frames()]
        assert found == np.flatnonzero(reader.sound(0, 71)).tolist()


def test_a_file_without_a_sound_frame_is_refused(tmp_path):
    folder = tmp_path / "frames"
    folder.mkdir()
    (folder / "1.png").write_bytes(b"not an image")
    with VideoReader(str(folder)) as reader, pytest.raises(VideoError, match="as an image"):
        list(reader.sound_frames())


def test_a_frame_that_cannot_become_rgb_is_an_error_of_the_video(monkeypatch):
    from vidfit.video.frame import Scalers

    frame = av.VideoFrame.from_ndarray(next(pictures(1, 64, 96)), format="rgb24")
    with pytest.raises(VideoError, match="cannot be converted to RGB"):
        Scalers().scale(frame, 0, -5)

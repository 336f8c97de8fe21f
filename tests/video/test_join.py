"""Parts joined are the frames of each, at even times, with what is heard beside them."""

from __future__ import annotations

import errno
import os

import numpy as np
import pytest
from tests.moving import frames

from vidfit.errors import VideoError
from vidfit.video import VideoReader, join, join_videos, write_video

PICTURES = frames(11, 32, 48)


@pytest.fixture
def parts(tmp_path):
    made = []
    for number, (start, stop) in enumerate(((0, 5), (5, 10), (10, 11))):
        made.append(tmp_path / f"{number}.mp4")
        write_video(made[-1], PICTURES[start:stop], 30000 / 1001)
    return made


def read(path):
    with VideoReader(str(path)) as reader:
        pictures = [f.rgb() for f in reader.frames(range(len(reader.pts_seconds)))]
        return np.array(reader.pts_seconds), np.stack(pictures)


def test_the_frames_of_all_parts_at_even_times(parts, tmp_path):
    join_videos(tmp_path / "whole.mp4", parts, 30000 / 1001)
    pts_seconds, pictures = read(tmp_path / "whole.mp4")
    assert pts_seconds == pytest.approx(np.arange(11) * 1001 / 30000, abs=1e-6)
    assert (pictures == np.concatenate([read(part)[1] for part in parts])).all()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["0.mp4", "1.mp4", "2.mp4", "whole.mp4"]


def test_nothing_to_join_is_refused(tmp_path):
    with pytest.raises(VideoError, match="no frames to write"):
        join_videos(tmp_path / "whole.mp4", [], 25)


def test_a_part_that_is_no_video_is_named_and_nothing_is_left(parts, tmp_path):
    parts[1].write_bytes(b"no video")
    with pytest.raises(VideoError, match="cannot be written"):
        join_videos(tmp_path / "whole.mp4", parts, 25)
    assert not list(tmp_path.glob("*whole*"))


def test_a_full_disk_leaves_nothing(parts, tmp_path, monkeypatch):
    def full(*args, **facts):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(join, "_join", full)
    with pytest.raises(VideoError, match="No space left"):
        join_videos(tmp_path / "whole.mp4", parts, 25)
    assert not list(tmp_path.glob("*whole*"))

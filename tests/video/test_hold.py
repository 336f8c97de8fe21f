"""Readers that are closed before, or while, what they gave is used: an error, never a crash."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from tests.video.cases import Recipe, write, x264
from tests.video.test_sound import tone, write_wav

from vidfit.errors import VideoError
from vidfit.video import VideoReader
from vidfit.video.sound import SoundReader

CLOSED_WHILE_READ = """
import sys, threading
from vidfit.errors import VideoError
from vidfit.video import VideoReader

ended = []

def drain(frames):
    try:
        for frame in frames:
            frame.rgb()
    except VideoError as error:
        ended.append(str(error))

for _ in range(20):
    reader = VideoReader(sys.argv[1])
    frames = reader.frames(range(len(reader.pts_seconds)))
    next(frames)
    thread = threading.Thread(target=drain, args=(frames,))
    thread.start()
    reader.close()
    thread.join()
assert ended and all("the reader is closed" in one for one in ended), ended
"""


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    recipe = Recipe("v.mp4", options=x264(10, 3), frames=120, width=64, height=48)
    return str(write(tmp_path_factory.mktemp("hold"), recipe))


def test_a_reader_closed_while_another_thread_reads_ends_it_and_not_the_process(video):
    done = subprocess.run(
        [sys.executable, "-c", CLOSED_WHILE_READ, video],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, (done.returncode, done.stderr)


def test_what_is_left_of_a_closed_reader_says_so_and_opens_nothing(video):
    with VideoReader(video) as reader:
        begun, later = reader.frames([3, 40, 90]), reader.frames([5])
        sound = reader.sound_frames()
        frame = next(begun)
        next(sound)
    for use in (
        lambda: next(begun),
        lambda: next(later),
        lambda: next(sound),
        lambda: next(reader.frames([0])),
        lambda: reader.sound(0, 3),
    ):
        with pytest.raises(VideoError, match="the reader is closed; read inside of"):
            use()
    assert frame.rgb().shape[2] == 3 and reader.info.frame_count == 120
    reader.close()  # again


def test_a_closed_reader_of_sound_gives_no_silence(tmp_path):
    path = write_wav(tmp_path / "a.wav", tone(1.0))
    with SoundReader(str(path), 16_000) as reader:
        first = reader.samples(4_000, 8_000)
        np.testing.assert_array_equal(reader.samples(0, 8_000)[4_000:], first)
    for first in (0, 8_000, 20_000):
        with pytest.raises(VideoError, match="the reader is closed"):
            reader.samples(first, first + 10)

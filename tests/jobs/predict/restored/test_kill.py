"""A process that restores a video is killed, and another goes on; memory does not grow."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import av
import numpy as np
import pytest
from tests.moving import frames

from vidfit.pixels.restore.network import RestoreNetwork, RestoreSizes
from vidfit.pixels.restore.restorer import Restorer, save_restorer
from vidfit.video import VideoReader, write_video

pytestmark = pytest.mark.slow

CHILD = """
import resource, sys, time
from pathlib import Path
from vidfit.contracts import Clip
from vidfit.jobs.predict.by_task import AskedOfTask
from vidfit.jobs.predict.restored import run
from vidfit.progress import SILENT

model, video, output, frames, seconds = sys.argv[1:]
real = run.enlarged

def slow(*args):
    time.sleep(float(seconds))
    print("frame", flush=True)
    return real(*args)

run.enlarged, run.PART_FRAMES = slow, int(frames)
(told,) = run.run_restored(AskedOfTask(
    model, [Clip(video)], [Path(video).stem], Path(output), ("json",), 1, SILENT, {}
))
assert not told.failure, told.failure
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("restored") / "model"
    network = RestoreNetwork(RestoreSizes(2, width=4, blocks=1))
    save_restorer(Restorer(2, network, steady=True, evened=0.25), folder)
    return folder


def started(*words):
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, *map(str, words)],
        env={**os.environ, "OMP_NUM_THREADS": "1"}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def ended(process) -> list[str]:
    said = process.communicate(timeout=300)[0].split()
    assert process.returncode == 0
    return said


def with_sound(path):
    """Write 30 frames of 3 seconds with a tone."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=10)
        video.width, video.height, video.pix_fmt = 48, 32, "yuv420p"
        sound = container.add_stream("aac", rate=16000, layout="mono")
        for picture in frames(30, 32, 48):
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(video.encode(None))
        tone = np.sin(np.arange(48000)[None] / 20).astype(np.float32)
        heard = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
        heard.sample_rate = 16000
        container.mux(sound.encode(heard))
        container.mux(sound.encode(None))


def test_after_a_kill_the_video_is_the_same(model, tmp_path):
    with_sound(tmp_path / "a.mp4")
    cut, whole = tmp_path / "cut", tmp_path / "whole"
    cut.mkdir()
    whole.mkdir()
    assert ended(started(model, tmp_path / "a.mp4", whole, 7, 0)).count("frame") == 30
    process = started(model, tmp_path / "a.mp4", cut, 7, 0.02)
    deadline = time.monotonic() + 200
    while not (cut / ".a.parts" / "00001.mp4").exists():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    time.sleep(float(np.random.default_rng().uniform(0, 0.3)))
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait(60) == -signal.SIGKILL
    process.stdout.close()
    assert not (cut / "a.mp4").exists()
    assert ended(started(model, tmp_path / "a.mp4", cut, 7, 0)).count("frame") <= 23
    assert (cut / "a.mp4").read_bytes() == (whole / "a.mp4").read_bytes()
    assert sorted(p.name for p in cut.iterdir()) == ["a.json", "a.mp4"]
    with VideoReader(str(cut / "a.mp4")) as reader:
        assert reader.pts_seconds == pytest.approx(np.arange(30) / 10, abs=1e-3)
        assert len([frame.rgb() for frame in reader.frames(range(30))]) == 30
    with av.open(str(cut / "a.mp4")) as container:
        heard = container.streams.audio[0]
        assert float(heard.duration * heard.time_base) == pytest.approx(3.0, abs=0.2)


def test_a_video_of_ten_times_the_length_takes_no_more_memory(tmp_path):
    save_restorer(Restorer(2), tmp_path / "model")
    (tmp_path / "out").mkdir()
    took = []
    for name, count in (("short", 15), ("long", 150)):
        pictures = frames(15, 240, 320) * (count // 15)
        write_video(tmp_path / f"{name}.mp4", pictures, 10, options={"preset": "ultrafast"})
        said = ended(started(tmp_path / "model", tmp_path / f"{name}.mp4", tmp_path / "out", 8, 0))
        assert said.count("frame") == count
        took.append(int(said[-1]))
    assert took[1] <= 1.10 * took[0]  # its large frames alone would take 138 MB

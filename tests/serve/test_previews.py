"""Posters, strips and proxies: made ahead, apart, and within a clock."""

from __future__ import annotations

import io
import os
import shutil
import signal
import subprocess
import sys
import time
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image
from tests.clips import write_clip
from tests.serve.conftest import settled, until

from vidfit.errors import StoreError, VideoError
from vidfit.serve import previews as module
from vidfit.serve import stills
from vidfit.serve.previews import Previews, Wish
from vidfit.serve.proxy import PROXY, make_proxy
from vidfit.video import VideoReader


def test_a_poster_and_a_strip_are_made_apart_from_the_request(served):
    clip = served.ids()["left/left0.mp4"]
    first = served.page.get(f"/v1/clips/{clip}/poster")
    assert first.status_code == 202 and first.headers["retry-after"] == "1"
    poster = served.when_ready(f"/v1/clips/{clip}/poster")
    assert poster.headers["content-type"] == "image/jpeg"
    assert Image.open(io.BytesIO(poster.content)).size == (320, 240)
    strip = Image.open(io.BytesIO(served.when_ready(f"/v1/clips/{clip}/strip").content))
    assert strip.size == (1600, 120)
    frames = np.split(np.asarray(strip, np.float32), 10, axis=1)
    assert np.abs(frames[0] - frames[9]).mean() > 10  # it moves
    facts = served.page.get(f"/v1/clips/{clip}/facts").json()
    assert facts["frame_count"] == 20 and facts["width_pixels"] == 64


def test_a_clip_that_cannot_be_read_says_why_and_holds_up_no_other(served):
    ids = served.ids()
    states = until(
        lambda: served.page.post("/v1/previews", json={"clips": [*ids.values()]}).json()["states"],
        lambda found: all(one["still"] in ("ready", "failed") for one in found.values()),
    )
    failed = {one for one, state in states.items() if state["still"] == "failed"}
    assert failed == {ids["left/broken.mp4"]}
    refused = served.page.get(f"/v1/clips/{ids['left/broken.mp4']}/poster")
    assert refused.status_code == 404 and refused.json()["type"] == "urn:vidfit:unplayable"
    assert str(served.clips) not in refused.text


def test_a_proxy_plays_everywhere_and_has_each_frame_at_its_time(served):
    clip = served.ids()["left/left0.mp4"]
    proxy = served.when_ready(f"/v1/clips/{clip}/proxy")
    assert proxy.status_code == 200 and proxy.headers["content-type"] == "video/mp4"
    part = served.page.get(f"/v1/clips/{clip}/proxy", headers={"range": "bytes=0-99"})
    assert part.status_code == 206 and part.content == proxy.content[:100]
    times = served.when_ready(f"/v1/clips/{clip}/times").json()
    with av.open(io.BytesIO(proxy.content)) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        shown = [frame.time for frame in container.decode(video=0)]
    assert shown == pytest.approx(times["pts_seconds"], abs=1e-4)


def test_a_proxy_keeps_uneven_times_and_begins_with_its_index(tmp_path):
    source = tmp_path / "uneven.mkv"
    with av.open(str(source), "w") as container:
        stream = container.add_stream("mpeg4", rate=1000)
        stream.width, stream.height, stream.pix_fmt = 1280, 96, "yuv420p"
        for i, at in enumerate((0, 40, 200, 210, 900)):
            frame = av.VideoFrame.from_ndarray(np.full((96, 1280, 3), 40 * i, np.uint8), "rgb24")
            frame.pts, frame.time_base = at, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    make_proxy(str(source), tmp_path)
    content = (tmp_path / PROXY).read_bytes()
    assert 0 < content.find(b"moov") < content.find(b"mdat")
    with VideoReader(str(source)) as before, VideoReader(str(tmp_path / PROXY)) as after:
        assert after.pts_seconds == pytest.approx(before.pts_seconds, abs=1e-3)
        assert (after.info.width_pixels, after.info.height_pixels) == (640, 48)
    assert [path.name for path in tmp_path.glob(".tmp*")] == []


def test_the_sound_is_heard_in_a_proxy(tmp_path):
    source = tmp_path / "sounding.mkv"
    with av.open(str(source), "w") as container:
        video = container.add_stream("mpeg4", rate=10)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        sound = container.add_stream("aac", rate=8000)
        for i in range(10):
            picture = np.full((48, 64, 3), 9 * i, np.uint8)
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        tone = np.sin(np.arange(8000, dtype=np.float32) / 5)[None]
        heard = av.AudioFrame.from_ndarray(tone, "fltp", "mono")
        heard.sample_rate = 8000
        container.mux(sound.encode(heard))
        container.mux([*video.encode(None), *sound.encode(None)])
    make_proxy(str(source), tmp_path)
    with av.open(str(tmp_path / PROXY)) as container:
        loud = max(np.abs(frame.to_ndarray()).max() for frame in container.decode(audio=0))
        assert loud > 0.5 and len(container.streams.video) == 1


def test_larger_pictures_than_are_shown_are_refused_before_they_are_decoded(tmp_path, monkeypatch):
    clip = write_clip(tmp_path / "a.mp4")
    monkeypatch.setattr(stills, "MOST_PIXELS", 64 * 48 - 1)
    with pytest.raises(VideoError, match="make it smaller"):
        stills.make_stills(str(clip), 0.0, None, tmp_path / "out")
    with pytest.raises(VideoError, match="make it smaller"):
        make_proxy(str(clip), tmp_path / "out")


def test_a_child_that_dies_is_the_reason_of_one_clip(tmp_path, making):
    """As where a decoder crashes, or the system ends what takes too much memory."""
    pipe, clip = tmp_path / "endless.mp4", write_clip(tmp_path / "a.mp4")
    os.mkfifo(pipe)
    hanging, sound = Wish("stills", pipe), Wish("stills", clip)
    making.ask([hanging])
    process = until(lambda: making._children["stills"]._child._process, bool)
    os.kill(process.pid, signal.SIGKILL)
    state, why = settled(making, hanging)
    assert state == "failed" and "broke down over it, or it needs more memory" in why
    making.ask([sound])
    assert settled(making, sound) == ("ready", "")


def test_what_wants_more_than_the_memory_of_a_child_says_so_and_the_next_is_shown(
    tmp_path, monkeypatch
):
    """A frame of the large one takes 265 MB, and 200 are there beside the libraries."""
    # Else each thread of a decoder may reserve 64 MB of addresses, or not.
    monkeypatch.setenv("MALLOC_ARENA_MAX", "1")
    large = tmp_path / "large.mov"
    with av.open(str(large), "w") as container:
        stream = container.add_stream("png", rate=1)
        stream.width, stream.height, stream.pix_fmt = 7680, 4320, "rgba64be"
        frame = av.VideoFrame(7680, 4320, "rgba64be")
        frame.planes[0].update(bytes(frame.planes[0].buffer_size))
        container.mux([*stream.encode(frame), *stream.encode(None)])
    small = write_clip(tmp_path / "a.mp4")
    used = subprocess.run(
        [sys.executable, "-c", _USED], capture_output=True, text=True, check=True, timeout=250,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip
    monkeypatch.setattr(module, "MEMORY_BYTES", int(used.stdout) + 200 * 2**20)
    monkeypatch.setitem(module.CLOCK_SECONDS, "stills", 250.0)
    (tmp_path / "made").mkdir()
    previews = Previews(tmp_path / "made", 2**30)
    try:
        wish, other = Wish("stills", large), Wish("stills", small)
        previews.ask([wish])
        state, why = settled(previews, wish)
        assert state == "failed" and "memory" in why.lower(), why
        previews.ask([other])
        assert settled(previews, other) == ("ready", "")
    finally:
        previews.close()


_USED = """
import cv2, vidfit.serve.preview_child
text = open("/proc/self/status").read()
print(1024 * int(text.partition("VmPeak:")[2].split()[0]))
"""


def test_a_large_picture_in_a_small_file_is_not_decoded(tmp_path, making):
    """A decoder would take hundreds of megabytes for what is a few kilobytes on disk."""
    huge = tmp_path / "huge.avi"
    with av.open(str(huge), "w") as container:
        stream = container.add_stream("png", rate=1)
        stream.width, stream.height, stream.pix_fmt = 8064, 4352, "gray"
        picture = av.VideoFrame.from_ndarray(np.zeros((4352, 8064), np.uint8), "gray")
        container.mux([*stream.encode(picture), *stream.encode(None)])
    assert huge.stat().st_size < 200_000
    wish = Wish("stills", huge)
    making.ask([wish])
    state, why = settled(making, wish)
    assert state == "failed" and "pixels" in why


def test_what_takes_too_long_is_ended_and_the_next_is_made(tmp_path, making, monkeypatch):
    pipe = tmp_path / "endless.mp4"
    clip = write_clip(tmp_path / "a.mp4")
    os.mkfifo(pipe)  # whoever opens it waits for ever
    monkeypatch.setitem(module.CLOCK_SECONDS, "stills", 3.0)
    hanging, sound = Wish("stills", pipe), Wish("stills", clip)
    begun = time.monotonic()
    making.ask([hanging])
    state, _ = settled(making, hanging)
    assert state == "failed" and time.monotonic() - begun < 12
    making.ask([sound])
    monkeypatch.setitem(module.CLOCK_SECONDS, "stills", 60.0)
    assert settled(making, sound) == ("ready", "")


def test_a_file_that_changes_is_looked_at_again(tmp_path, making):
    clip = write_clip(tmp_path / "a.mp4")
    wish = Wish("stills", clip)
    making.ask([wish])
    assert settled(making, wish)[0] == "ready"
    write_clip(clip, "right", 7, frames=30)
    assert making.state(wish) == ("unasked", "")


def test_what_is_looked_at_comes_before_what_is_made_ahead(tmp_path, making):
    clip = write_clip(tmp_path / "a.mp4")
    wishes = []
    for i in range(12):
        shutil.copy(clip, tmp_path / f"{i}.mp4")
        wishes.append(Wish("stills", tmp_path / f"{i}.mp4"))
    making.ask(wishes, ahead=True)
    making.ask([wishes[-1]])
    assert settled(making, wishes[-1])[0] == "ready"
    assert any(making.state(wish)[0] == "waiting" for wish in wishes)
    assert {settled(making, wish)[0] for wish in wishes} == {"ready"}


def test_the_first_posters_are_made_before_anybody_asks(serve):
    served = serve(ahead=2)
    first = served.table("videos")["id"][1]
    made = until(
        lambda: served.page.get(f"/v1/clips/{first}").json()["preview"]["still"],
        lambda state: state in ("ready", "failed"),
    )
    assert made == "ready"
    last = served.table("videos")["id"][-1]
    assert served.page.get(f"/v1/clips/{last}").json()["preview"]["still"] == "unasked"


def test_beyond_the_quota_no_proxy_is_made(tmp_path):
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "old").write_bytes(b"0" * 100)
    previews = Previews(tmp_path / "made", 100)
    wish = Wish("proxy", write_clip(tmp_path / "a.mp4"))
    previews.ask([wish])
    assert settled(previews, wish) == ("failed", "the disk quota of the server is used up")
    previews._bytes = 0  # somebody has made room
    assert previews.state(wish) == ("unasked", "")
    previews.close()


def test_a_file_that_is_gone_has_failed(tmp_path, making):
    wish = Wish("stills", tmp_path / "gone.mp4")
    making.ask([wish])
    assert making.state(wish) == ("failed", "the file is gone")


def test_a_full_disk_ends_no_previews(tmp_path, making, monkeypatch):
    tries = []

    def full(path, content):
        tries.append(path)
        raise StoreError(f"cannot write {path}: No space left on device")

    monkeypatch.setattr(module.PreviewChild, "do", lambda *_: "it is damaged")
    wish = Wish("stills", write_clip(tmp_path / "a.mp4"))
    with monkeypatch.context() as disk:
        disk.setattr(module, "write_whole", full)
        making.ask([wish])
        until(lambda: tries and making.state(wish)[0], lambda state: state == "unasked")
    making.ask([wish])
    assert settled(making, wish) == ("failed", "it is damaged")

"""A restorer answers videos: a playable file, its sound, its colours, whole or not at all."""

from __future__ import annotations

import errno
import json
import os

import av
import numpy as np
import pytest
from tests.moving import frames, texture

from vidfit.contracts import Clip, Failure
from vidfit.errors import VidfitError
from vidfit.jobs.predict.by_task import AskedOfTask, way_of
from vidfit.jobs.predict.restored import run as module
from vidfit.jobs.predict.restored.run import run_restored
from vidfit.pixels.restore.network import RestoreNetwork, RestoreSizes
from vidfit.pixels.restore.restorer import Restorer, save_restorer
from vidfit.progress import SILENT
from vidfit.video import VideoReader, probe, write_video

LIMITED, FULL = 1, 2


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("restored")
    sizes = RestoreSizes(2, width=4, blocks=1)
    save_restorer(Restorer(2, RestoreNetwork(sizes), steady=True, evened=0.25), folder / "model")
    return str(folder / "model")


def asked(model, folder, *paths, **change):
    facts = {
        "model": model, "videos": [Clip(str(p)) for p in paths], "output": folder,
        "names": [p.stem for p in paths], "formats": ("json",), "workers": 1, "progress": SILENT,
        "options": {},
    }  # fmt: skip
    return AskedOfTask(**{**facts, **change})


def test_a_video_is_made_larger_and_known_again(model, tmp_path):
    assert way_of(model).target == "restored.run:run_restored"
    write_video(tmp_path / "a.mp4", frames(), 12.5)
    out = tmp_path / "out"
    out.mkdir()
    both = asked(model, out, tmp_path / "a.mp4")
    (told,) = run_restored(both)
    assert "9 frames, 96x64 to 192x128, one frame, evened by 0.25" in told.lines[0]
    info = probe(str(out / "a.mp4"))
    assert (info.width_pixels, info.height_pixels, info.frame_count) == (192, 128, 9)
    assert info.average_fps == pytest.approx(12.5)
    assert json.loads((out / "a.json").read_text())["frames"] == 9
    assert sorted(p.name for p in out.iterdir()) == ["a.json", "a.mp4"]
    stamp = (out / "a.mp4").stat().st_mtime_ns
    assert "there already" in next(run_restored(both)).lines[0]
    assert (out / "a.mp4").stat().st_mtime_ns == stamp


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("size", [(33, 47), (32, 48)])
def test_odd_sizes_and_few_frames(model, tmp_path, count, size):
    write_video(tmp_path / "a.mkv", frames(count, *size), 5.0, codec="ffv1", pixel_format="bgr0")
    list(run_restored(asked(model, tmp_path, tmp_path / "a.mkv")))
    info = probe(str(tmp_path / "a.mp4"))
    assert (info.height_pixels, info.width_pixels) == (2 * size[0], 2 * size[1])
    assert info.frame_count == count


@pytest.mark.parametrize("matrix", [1, 5])
@pytest.mark.parametrize("colour_range", [LIMITED, FULL])
def test_colours_are_those_of_the_video(model, tmp_path, matrix, colour_range):
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=5)
        stream.width, stream.height, stream.pix_fmt = 48, 32, "yuv420p"
        stream.codec_context.colorspace = matrix
        stream.codec_context.color_range = colour_range
        planes = [np.full((32, 48), 120), np.full((8, 48), 90), np.full((8, 48), 170)]
        picture = np.concatenate(planes).astype(np.uint8)
        for _ in range(3):
            frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
            frame.colorspace, frame.color_range = matrix, colour_range
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    list(run_restored(asked(model, tmp_path, path)))
    with av.open(str(tmp_path / "a.mp4")) as container:
        frame = next(container.decode(video=0))
    assert frame.color_range == colour_range and frame.colorspace in (matrix, matrix + 1)
    read = frame.to_ndarray(format=frame.format.name)
    assert np.abs(read[:64].astype(int) - 120).max() <= 3
    with VideoReader(str(path)) as one, VideoReader(str(tmp_path / "a.mp4")) as other:
        before, after = (next(r.sound_frames()).rgb().mean((0, 1)) for r in (one, other))
    assert after == pytest.approx(before, abs=3)


def test_ten_bits_are_read_and_said(model, tmp_path):
    write_video(
        tmp_path / "a.mkv", frames(), 12.5, codec="libx265", pixel_format="yuv420p10le",
        options={"x265-params": "log-level=none"},
    )  # fmt: skip
    (told,) = run_restored(asked(model, tmp_path, tmp_path / "a.mkv"))
    assert "yuv420p10le is read and written with 8 bits" in told.lines[1]


def test_sound_is_kept(model, tmp_path):
    path = tmp_path / "a.mp4"
    rng = np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=10)
        video.width, video.height, video.pix_fmt = 48, 32, "yuv420p"
        sound = container.add_stream("aac", rate=16000, layout="mono")
        for picture in frames(20, 32, 48):
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(video.encode(None))
        samples = rng.uniform(-0.5, 0.5, (1, 32000)).astype(np.float32)
        heard = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
        heard.sample_rate = 16000
        container.mux(sound.encode(heard))
        container.mux(sound.encode(None))
    out = tmp_path / "out"
    out.mkdir()
    list(run_restored(asked(model, out, path)))
    with av.open(str(out / "a.mp4")) as container:
        stream = container.streams.audio[0]
        assert float(stream.duration * stream.time_base) == pytest.approx(2.0, abs=0.2)


def filling(monkeypatch, frame):
    """The disk is full at a frame."""
    real, calls = module.enlarged, []

    def full(*args):
        calls.append(1)
        if len(calls) == frame:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(*args)

    monkeypatch.setattr(module, "enlarged", full)
    return calls


def test_a_full_disk_in_the_first_part_leaves_nothing(model, tmp_path, monkeypatch):
    write_video(tmp_path / "a.mkv", frames(), 12.5)
    filling(monkeypatch, 5)
    (told,) = run_restored(asked(model, tmp_path, tmp_path / "a.mkv"))
    assert "No space left on device" in told.failure
    assert [p.name for p in tmp_path.iterdir()] == ["a.mkv"]


def test_a_full_disk_in_mid_video_keeps_the_parts_before(model, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "PART_FRAMES", 2)
    write_video(tmp_path / "a.mkv", frames(), 12.5)
    one, whole = (asked(model, tmp_path / n, tmp_path / "a.mkv") for n in ("one", "whole"))
    for folder in (one, whole):
        folder.output.mkdir()
    list(run_restored(whole))
    with monkeypatch.context() as patched:
        filling(patched, 6)
        (told,) = run_restored(one)
    assert "No space left on device; 4 frames are kept: the same command goes on" in told.failure
    assert [p.name for p in one.output.iterdir()] == [".a.parts"]
    with monkeypatch.context() as patched:
        made = filling(patched, 0)
        (told,) = run_restored(one)
    assert told.data["frames"] == 9 and len(made) == 5
    assert sorted(p.name for p in one.output.iterdir()) == ["a.json", "a.mp4"]
    assert (one.output / "a.mp4").read_bytes() == (whole.output / "a.mp4").read_bytes()


@pytest.mark.parametrize("change", ["other video", "damaged state", "lost part"])
def test_parts_that_do_not_count_are_made_again(model, tmp_path, monkeypatch, change):
    monkeypatch.setattr(module, "PART_FRAMES", 2)
    write_video(tmp_path / "a.mkv", frames(), 12.5)
    one = asked(model, tmp_path, tmp_path / "a.mkv")
    with monkeypatch.context() as patched:
        filling(patched, 6)
        list(run_restored(one))
    parts = tmp_path / ".a.parts"
    if change == "other video":
        write_video(tmp_path / "a.mkv", frames(seed=3), 12.5)
    elif change == "damaged state":
        (parts / "state.npz").write_bytes((parts / "state.npz").read_bytes()[:200])
    else:
        (parts / "00000.mp4").unlink()
    made = filling(monkeypatch, 0)
    list(run_restored(one))
    assert len(made) == 9
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.json", "a.mkv", "a.mp4"]


def test_an_interrupt_leaves_nothing_under_its_name(model, tmp_path, monkeypatch):
    write_video(tmp_path / "a.mkv", frames(), 12.5)
    one = asked(model, tmp_path, tmp_path / "a.mkv")

    def interrupted(*args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(module, "enlarged", interrupted)
        list(run_restored(one))
    assert not (tmp_path / "a.mp4").exists()
    (tmp_path / ".a.123-456.mp4").write_bytes(b"half a video, by a process that was killed")
    (told,) = run_restored(one)
    assert told.data["frames"] == 9
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.json", "a.mkv", "a.mp4"]


def test_one_that_cannot_be_read_stops_nothing(model, tmp_path):
    (tmp_path / "bad.mp4").write_bytes(b"no video")
    write_video(tmp_path / "a.mkv", [texture(32, 48, 0)] * 3, 5.0)
    many = asked(
        model, tmp_path, videos=[Failure("x", "gone"), *map(_clip(tmp_path), ("bad.mp4", "a.mkv"))],
        names=["x", "bad", "a"],
    )  # fmt: skip
    gone, bad, good = run_restored(many)
    assert gone.failure == "gone" and bad.failure and not good.failure


def _clip(folder):
    return lambda name: Clip(str(folder / name))


def test_without_a_folder_or_in_other_formats_it_is_refused(model, tmp_path):
    with pytest.raises(VidfitError, match="say with --output where to"):
        list(run_restored(asked(model, None)))
    with pytest.raises(VidfitError, match="not written as 'csv'"):
        list(run_restored(asked(model, tmp_path, formats=("csv",))))

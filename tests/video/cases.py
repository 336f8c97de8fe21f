"""Small videos of every kind that has its own way of going wrong, made with PyAV.

``CASES`` maps a name to a function that writes the video into a folder and returns its path.
``DAMAGED`` does the same for files that must be refused. Both are plain data for tests,
benchmarks and documentation.
"""

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


def _recipe(file: str, **fields: object) -> Callable[[Path], Path]:
    return lambda folder: write(folder, Recipe(file, **fields))  # type: ignore[arg-type]


def _trimmed(folder: Path) -> Path:
    """An edit list that begins in the middle of a group of pictures."""
    whole = write(folder, Recipe("whole.mp4", options=x264(12)))
    return shift(whole, folder / "trimmed.mp4", -7 * 512)


def _late(folder: Path) -> Path:
    return shift(write(folder, Recipe("w.mp4", options=x264(12))), folder / "late.mp4", 20000)


def _transport(folder: Path) -> Path:
    whole = write(folder, Recipe("whole.mp4", options=x264(12)))
    return shift(whole, folder / "late.ts", 123 * 12800)


def _negative(folder: Path) -> Path:
    whole = write(folder, Recipe("whole.mp4", options=x264(12)))
    return shift(whole, folder / "negative.ts", -40 * 512)


def _windows_media(folder: Path) -> Path:
    """A container whose timestamps are those of decoding, with B-frames."""
    return shift(write(folder, Recipe("w.mp4", options=x264(12))), folder / "v.asf", 0)


def _cut_transport(folder: Path) -> Path:
    """A recording that begins in the middle of a group of pictures."""
    whole = write(folder, Recipe("whole.ts", options=x264(24)))
    data = whole.read_bytes()
    whole.write_bytes(data[len(data) // 4 // 188 * 188 :])
    return whole


def _joined_transport(folder: Path) -> Path:
    """Two recordings joined: timestamps go back in the middle."""
    whole = write(folder, Recipe("one.ts", options=x264(12), frames=30))
    joined = folder / "joined.ts"
    joined.write_bytes(whole.read_bytes() * 2)
    return joined


def _gif_comment(folder: Path) -> Path:
    """A comment after the last picture, which is a packet of its own."""
    path = write(folder, Recipe("v.gif", codec="gif", pixel_format="rgb8", frames=20))
    path.write_bytes(path.read_bytes()[:-1] + b"\x21\xfe\x02hi\x00;")
    return path


def _vp8_hidden(folder: Path) -> Path:
    """Pictures that others refer to, and that are not shown."""
    path = _VP8(folder)
    data, at, frame = bytearray(path.read_bytes()), 32, 0
    while at < len(data):
        if frame % 7 == 5:
            data[at + 12] &= ~0x10
        at += 12 + int.from_bytes(data[at : at + 4], "little")
        frame += 1
    path.write_bytes(bytes(data))
    return path


def _frame_folder(folder: Path) -> Path:
    frames = folder / "frames"
    frames.mkdir()
    for i, picture in enumerate(pictures(12, 48, 64)):
        with av.open(str(frames / f"frame_{i + 1}.png"), "w", format="image2pipe") as container:
            stream = container.add_stream("png", rate=25)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "rgb24"
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(stream.encode(None))
    return frames


_VARIABLE = [0, 100, 612, 1500, 1501, 4000]


def _uneven(i: int) -> int:
    return i // 6 * 6000 + _VARIABLE[i % 6]


_FRAMES = {"ticks": lambda i: i, "time_base": Fraction(1, 25)}
_MPEG2 = {"codec": "mpeg2video", "options": {"bf": "2", "g": "12"}, **_FRAMES}

_VP8 = _recipe(
    "v.ivf", codec="libvpx", options={"g": "20", "deadline": "realtime"}, frames=40, **_FRAMES
)

CASES: dict[str, Callable[[Path], Path]] = {
    "h264_gop1": _recipe("v.mp4", options=x264(1, 0)),
    "h264_gop12": _recipe("v.mp4", options=x264(12)),
    "h264_gop30_pyramid": _recipe("v.mp4", options=x264(30, 5, **{"b-pyramid": "normal"})),
    "h264_gop250": _recipe("v.mp4", options=x264(250, 3)),
    "h264_long_many_gops": _recipe("v.mp4", options=x264(10, 3), frames=260, width=48, height=32),
    "h264_no_bframes": _recipe("v.mp4", options=x264(12, 0)),
    "h264_open_gop": _recipe("v.mp4", options=x264(12, 3, **{"open-gop": "1"})),
    "h264_open_gop_mkv": _recipe("v.mkv", options=x264(12, 3, **{"open-gop": "1"})),
    "h264_intra_refresh": _recipe("v.mp4", options=x264(20, 0, **{"intra-refresh": "1"})),
    "h264_intra_refresh_ts": _recipe("v.ts", options=x264(20, 0, **{"intra-refresh": "1"})),
    "h264_interlaced": _recipe("v.mp4", options=x264(12, 2, tff="1")),
    "h264_variable_rate": _recipe("v.mp4", options=x264(12), ticks=_uneven),
    "h264_edit_list_trim": _trimmed,
    "h264_edit_list_late": _late,
    "h264_fragmented": _recipe(
        "v.mp4", options=x264(12), container_options={"movflags": "frag_keyframe+empty_moov"}
    ),
    "h264_with_audio": _recipe("v.mp4", options=x264(12), with_audio=True),
    "h264_mkv": _recipe("v.mkv", options=x264(12)),
    "h264_flv": _recipe("v.flv", options=x264(12)),
    "h264_avi_no_pts": _recipe("v.avi", options=x264(12), **_FRAMES),
    "h264_asf_false_pts": _windows_media,
    "h264_raw_stream": _recipe("v.h264", options=x264(12)),
    "h264_ts_late_start": _transport,
    "h264_ts_cut_start": _cut_transport,
    "h264_ts_joined": _joined_transport,
    "h264_negative_times": _negative,
    "h264_rotated_90": _recipe("v.mp4", options=x264(12), rotation_degrees=90, frames=24),
    "h264_rotated_180": _recipe("v.mp4", options=x264(12), rotation_degrees=180, frames=24),
    "h264_rotated_270": _recipe("v.mp4", options=x264(12), rotation_degrees=270, frames=24),
    "h264_odd_size_444": _recipe(
        "v.mp4", options=x264(12), pixel_format="yuv444p", width=175, height=131, frames=30
    ),
    "h264_single_frame": _recipe("v.mp4", options=x264(12), frames=1),
    "hevc_10bit": _recipe(
        "v.mp4", codec="libx265", options=x265(12, 0), pixel_format="yuv420p10le"
    ),
    "hevc_open_gop": _recipe("v.mp4", codec="libx265", options=x265(12, 1)),
    "hevc_ts": _recipe("v.ts", codec="libx265", options=x265(12, 1)),
    "vp9_odd_size": _recipe(
        "v.webm",
        codec="libvpx-vp9",
        options={"g": "20", "deadline": "realtime", "cpu-used": "8", "lag-in-frames": "10"},
        width=175,
        height=131,
        frames=50,
    ),
    "av1": _recipe(
        "v.mp4",
        codec="libsvtav1",
        options={"preset": "12", "svtav1-params": "keyint=16:lp=1"},
        frames=40,
    ),
    "mpeg4_asp": _recipe("v.mp4", codec="mpeg4", options={"bf": "2", "g": "12"}),
    "mpeg4_asp_avi": _recipe("v.avi", codec="mpeg4", options={"bf": "2", "g": "12"}, **_FRAMES),
    "mpeg2_ps": _recipe("v.mpg", **_MPEG2),
    "mpeg2_ts": _recipe("v.ts", **_MPEG2),
    "mjpeg_avi": _recipe("v.avi", codec="mjpeg", pixel_format="yuvj420p", frames=20, **_FRAMES),
    "ffv1_mkv": _recipe("v.mkv", codec="ffv1", options={"g": "6"}, frames=20),
    "gif": _recipe("v.gif", codec="gif", pixel_format="rgb8", frames=20),
    "gif_comment": _gif_comment,
    "vp8": _VP8,
    "vp8_hidden_frames": _vp8_hidden,
    "one_pixel": _recipe("v.nut", codec="ffv1", pixel_format="bgr0", width=1, height=1, frames=5),
    "frame_folder": _frame_folder,
}


def _empty(folder: Path) -> Path:
    (folder / "empty.mp4").touch()
    return folder / "empty.mp4"


def _text(folder: Path) -> Path:
    (folder / "text.mp4").write_text("This was never a video.\n" * 200)
    return folder / "text.mp4"


def _playlist(folder: Path) -> Path:
    """A list that names another file, under the name of a video."""
    other = write(folder, Recipe("other.mp4", options=x264(12), frames=5))
    (folder / "list.mp4").write_text(f"ffconcat version 1.0\nfile {other.name}\n")
    return folder / "list.mp4"


def _broken_header(folder: Path) -> Path:
    """The index stands at the end of this file, and the end is gone."""
    path = write(folder, Recipe("header.mp4", options=x264(12)))
    path.write_bytes(path.read_bytes()[:4000])
    return path


def _broken_header_in_front(folder: Path) -> Path:
    faststart = {"movflags": "faststart"}
    path = write(folder, Recipe("h.mp4", options=x264(12), container_options=faststart))
    path.write_bytes(path.read_bytes()[:200])
    return path


def _audio_only(folder: Path) -> Path:
    path = folder / "audio.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16000)
        for i in range(20):
            container.mux(stream.encode(silence(i)))
        container.mux(stream.encode(None))
    return path


def _no_frames(folder: Path) -> Path:
    """A header that announces a video stream, and nothing after it."""
    options = {"movflags": "frag_keyframe+empty_moov"}
    whole = write(folder, Recipe("whole.mp4", options=x264(12), container_options=options))
    data = whole.read_bytes()
    path = folder / "no_frames.mp4"
    path.write_bytes(data[: data.index(b"moof") - 4])
    return path


def _noise_inside(folder: Path) -> Path:
    """A sound header and index; every picture is overwritten."""
    path = write(folder, Recipe("noise.mp4", options=x264(12)))
    data = bytearray(path.read_bytes())
    start = data.index(b"mdat") + 4
    end = data.index(b"moov") - 4
    data[start:end] = np.random.default_rng(0).bytes(end - start)
    path.write_bytes(bytes(data))
    return path


def _broken_link(folder: Path) -> Path:
    (folder / "link.mp4").symlink_to(folder / "gone.mp4")
    return folder / "link.mp4"


def _empty_folder(folder: Path) -> Path:
    (folder / "frames").mkdir()
    return folder / "frames"


DAMAGED: dict[str, tuple[Callable[[Path], Path], str]] = {
    "empty": (_empty, "the file is empty"),
    "text": (_text, "is text, not a video"),
    "playlist": (_playlist, "is a list of files for FFmpeg, not a video"),
    "broken_header": (_broken_header, "header is damaged"),
    "broken_header_in_front": (_broken_header_in_front, "damaged|cut short"),
    "audio_only": (_audio_only, "holds no video stream, only audio"),
    "no_frames": (_no_frames, "no picture can be decoded"),
    "noise_inside": (_noise_inside, "damaged"),
    "broken_link": (_broken_link, "a link to a file that is gone"),
    "empty_folder": (_empty_folder, "holds no frames"),
    "missing": (lambda folder: folder / "missing.mp4", "no such file"),
}


def truncated(folder: Path) -> Path:
    """A file with a sound header that breaks off in the middle of its pictures."""
    faststart = {"movflags": "faststart"}
    path = write(folder, Recipe("t.mp4", options=x264(12), container_options=faststart))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    return path


def overwritten(folder: Path) -> Path:
    """A file with a stretch of zeros in the middle of its pictures."""
    path = write(folder, Recipe("o.mp4", options=x264(12)))
    data = bytearray(path.read_bytes())
    start, end = data.index(b"mdat"), data.index(b"moov")
    middle = (start + end) // 2
    data[middle : middle + (end - start) // 4] = bytes((end - start) // 4)
    path.write_bytes(bytes(data))
    return path

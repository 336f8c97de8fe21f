"""Small videos of every kind that has its own way of going wrong, made with PyAV.

``CASES`` maps a name to a function that writes the video into a folder and returns its path.
``DAMAGED`` does the same for files that must be refused. Both are plain data for tests,
benchmarks and documentation.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from tests.video import surgery
from tests.video.recipes import Recipe, pictures, shift, silence, write, x264, x265


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


def _packed(file: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        whole = write(folder, Recipe("whole.avi", codec="mpeg4", options=_ASP, **_FRAMES))
        return surgery.packed_bframes(whole, folder / file)

    return make


def _decoding_times(folder: Path) -> Path:
    """An MP4 copied from an AVI: its times of presentation are those of decoding."""
    whole = write(folder, Recipe("whole.mp4", options=x264(12)))
    return surgery.with_decoding_times(whole, folder / "v.mp4")


def _palette(file: str, codec: str) -> Callable[[Path], Path]:
    return lambda folder: surgery.with_palette(folder / file, codec, pictures(36, 64, 96))


def _restarted(suffix: str, codec: str = "libx264") -> Callable[[Path], Path]:
    """An encoder that is started again with another size, in the middle of the file."""

    def make(folder: Path) -> Path:
        fields = {"codec": codec, "options": (x264 if codec == "libx264" else x265)(12, 0)}
        one = write(folder, Recipe(f"one{suffix}", frames=30, **fields))
        two = write(folder, Recipe(f"two{suffix}", frames=30, width=128, height=80, **fields))
        join = surgery.joined_flv if suffix == ".flv" else surgery.joined_packets
        return join(one, two, folder / f"joined{suffix}")

    return make


def _old_x264(folder: Path) -> Path:
    """4:4:4 of a build whose faults FFmpeg allows for; its SEI is in the first packet only."""
    options = x264(7, 0, qp="34", **{"8x8dct": "1"})
    size = {"width": 32, "height": 32, "frames": 24}
    whole = write(folder, Recipe("v.mp4", options=options, pixel_format="yuv444p", **size))
    return surgery.of_build(whole, 142)


_VARIABLE = [0, 100, 612, 1500, 1501, 4000]


def _uneven(i: int) -> int:
    return i // 6 * 6000 + _VARIABLE[i % 6]


_FRAMES = {"ticks": lambda i: i, "time_base": Fraction(1, 25)}
_ASP = {"bf": "2", "g": "12"}
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
    "h264_444_old_x264": _old_x264,
    "h264_mp4_decoding_times": _decoding_times,
    "h264_flv_restarted": _restarted(".flv"),
    "h264_mp4_restarted": _restarted(".mp4"),
    "h264_mkv_restarted": _restarted(".mkv"),
    "h264_single_frame": _recipe("v.mp4", options=x264(12), frames=1),
    "hevc_10bit": _recipe(
        "v.mp4", codec="libx265", options=x265(12, 0), pixel_format="yuv420p10le"
    ),
    "hevc_open_gop": _recipe("v.mp4", codec="libx265", options=x265(12, 1)),
    "hevc_ts": _recipe("v.ts", codec="libx265", options=x265(12, 1)),
    "hevc_mp4_restarted": _restarted(".mp4", "libx265"),
    "vp8_alternate_reference": _recipe(
        "v.webm", codec="libvpx", options={"g": "20", "auto-alt-ref": "1", "lag-in-frames": "16"}
    ),
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
    "mpeg4_asp": _recipe("v.mp4", codec="mpeg4", options=_ASP),
    "mpeg4_asp_avi": _recipe("v.avi", codec="mpeg4", options=_ASP, **_FRAMES),
    "mpeg4_packed_avi": _packed("v.avi"),
    "mpeg4_packed_mp4": _packed("v.mp4"),
    "mpeg2_ps": _recipe("v.mpg", **_MPEG2),
    "mpeg2_ts": _recipe("v.ts", **_MPEG2),
    "mjpeg_avi": _recipe("v.avi", codec="mjpeg", pixel_format="yuvj420p", frames=20, **_FRAMES),
    "mjpeg_raw_stream": _recipe(
        "v.mjpeg", codec="mjpeg", pixel_format="yuvj420p", width=160, height=120, frames=40
    ),
    "ffv1_mkv": _recipe("v.mkv", codec="ffv1", options={"g": "6"}, frames=20),
    "gif": _recipe("v.gif", codec="gif", pixel_format="rgb8", frames=20),
    "gif_comment": _gif_comment,
    "vp8": _VP8,
    "vp8_hidden_frames": _vp8_hidden,
    "apng": _recipe("v.apng", codec="apng", pixel_format="rgb24", frames=20),
    "raw_palette_avi": _palette("v.avi", "rawvideo"),
    "raw_palette_mov": _palette("v.mov", "rawvideo"),
    "smc_mov": _palette("v.mov", "smc"),
    "msrle_avi": _palette("v.avi", "msrle"),
    "qtrle_grey_mov": _recipe(
        "v.mov", codec="qtrle", options={"g": "12"}, pixel_format="gray", frames=36
    ),
    "flashsv2_flv": _recipe("v.flv", codec="flashsv2", options={"g": "12"}, pixel_format="bgr24"),
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


def _patched(folder: Path, recipe: Recipe, old: bytes, new: bytes) -> Path:
    path = write(folder, recipe)
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new))
    return path


def _no_decoder(folder: Path) -> Path:
    """A codec that FFmpeg has never heard of."""
    return _patched(folder, Recipe("unheard.mp4", options=x264(12)), b"avc1", b"zzzz")


def _no_decoder_avi(folder: Path) -> Path:
    recipe = Recipe("unheard.avi", codec="mpeg4", options={"g": "12"}, **_FRAMES)
    return _patched(folder, recipe, b"FMP4", b"zzzz")


def _decoder_refuses(folder: Path) -> Path:
    """A decoder that does not open: what it must know of the stream is overwritten."""
    path = write(folder, Recipe("refuses.mkv", codec="ffv1", options={"level": "3"}, frames=5))
    with av.open(str(path)) as container:
        extradata = container.streams.video[0].codec_context.extradata
    data = path.read_bytes()
    path.write_bytes(data.replace(extradata, b"\xff" * len(extradata)))
    return path


def _raw(folder: Path, name: str, at: int, new: bytes) -> Path:
    """Raw pictures whose header (``strf``, as in BITMAPINFOHEADER) is overwritten."""
    path = write(folder, Recipe(name, codec="rawvideo", frames=5, **_FRAMES))
    data = bytearray(path.read_bytes())
    place = data.index(b"strf") + 8 + at
    data[place : place + len(new)] = new
    path.write_bytes(bytes(data))
    return path


def _zero_size(folder: Path) -> Path:
    return _raw(folder, "zero_size.avi", 4, bytes(8))


def _unknown_pixels(folder: Path) -> Path:
    return _raw(folder, "pixels.avi", 14, b"\x07\x00" + bytes(4))


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
    "no_decoder": (_no_decoder, "there is no decoder"),
    "no_decoder_avi": (_no_decoder_avi, "there is no decoder"),
    "decoder_refuses": (_decoder_refuses, "no picture can be decoded|no frame can be decoded"),
    "zero_size": (_zero_size, "no picture can be decoded|no frame can be decoded"),
    "unknown_pixels": (_unknown_pixels, "no picture can be decoded|no frame can be decoded"),
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

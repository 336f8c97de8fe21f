"""Files under the name of a video that are something else; as ``DAMAGED`` in ``cases``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
from av.stream import Disposition
from PIL import Image
from tests.video.cases import Recipe, pictures, silence, write, x264


def _encrypted(folder: Path) -> Path:
    """As shops sell them: common encryption (ISO/IEC 23001-7)."""
    options = {"encryption_scheme": "cenc-aes-ctr", "encryption_key": "76" * 16}
    options["encryption_kid"] = "a7" * 16
    return write(folder, Recipe("sold.mp4", options=x264(12), container_options=options))


def _cover_picture(folder: Path) -> Path:
    path = folder / "song.mp3"
    with av.open(str(path), "w") as container:
        sound, cover = container.add_stream("mp3", rate=16000), container.add_stream("png")
        cover.width, cover.height, cover.pix_fmt = 64, 48, "rgb24"
        cover.disposition = Disposition.attached_pic
        picture = av.VideoFrame.from_ndarray(next(pictures(1, 48, 64)), format="rgb24")
        container.mux(cover.encode(picture))
        for i in range(20):
            container.mux(sound.encode(silence(i)))
        container.mux(sound.encode(None))
    return path


def _animated_webp(folder: Path) -> Path:
    frames = [Image.fromarray(picture) for picture in pictures(3, 48, 64)]
    frames[0].save(folder / "a.webp", save_all=True, append_images=frames[1:])
    return folder / "a.webp"


def _bytes(file: str, data: bytes) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / file).write_bytes(data)
        return folder / file

    return make


FOREIGN: dict[str, tuple[Callable[[Path], Path], str]] = {
    "hls": (_bytes("v.mp4", b"#EXTM3U\n#EXT-X-VERSION:3\na.ts\n"), "is an HLS playlist"),
    "sdp": (_bytes("v.mp4", b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\n"), "session description"),
    "dash": (_bytes("v.mp4", b"<?xml version='1.0'?>\n<MPD></MPD>"), "is a DASH manifest"),
    "web_page": (_bytes("v.mp4", b"\n<!DOCTYPE html><html></html>"), "is a web page"),
    "lfs_pointer": (_bytes("v.mp4", b"version https://git-lfs.github.com/spec/v1"), "lfs pull"),
    "zip": (_bytes("v.mp4", b"PK\x03\x04" + bytes(60)), "is a ZIP archive"),
    "subtitles": (_bytes("v.mp4", b"1\n00:00:01,000 --> 00:00:02,000\nHi\n"), "is text"),
    "encrypted": (_encrypted, r"is encrypted \(DRM\); decrypt it first"),
    "cover_picture": (_cover_picture, "no video stream, only audio with a cover picture"),
    "animated_webp": (_animated_webp, "is an animated WebP"),
}

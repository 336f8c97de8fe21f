"""What the first bytes of a file tell, before FFmpeg is let at it.

FFmpeg follows lists of addresses, draws pictures of plain text, and calls all that it does not
know damaged. What is no video is named here, and never reaches it.
"""

from __future__ import annotations

from pathlib import Path

LOOK_BYTES = 1024

# Text that is a picture or a video.
_TEXT_IS_DATA = (b"YUV4MPEG2", b"P1", b"P2", b"P3", b"P4", b"P5", b"P6", b"P7", b"Pf", b"PF")
_CONTROL_BYTES = bytes(set(range(32)) - set(b"\t\n\f\r\x1b")) + b"\x7f"

_GIVE_THE_VIDEO = "not a video; give the video itself"
_TEXTS = (
    ("#extm3u", f"is an HLS playlist, {_GIVE_THE_VIDEO}"),
    ("ffconcat", f"is a list of files for FFmpeg, {_GIVE_THE_VIDEO}"),
    ("v=0\n", f"is a session description (SDP), {_GIVE_THE_VIDEO}"),
    ("[playlist]", f"is a playlist, {_GIVE_THE_VIDEO}"),
    ("[reference]", f"is a playlist, {_GIVE_THE_VIDEO}"),
    ("version https://git-lfs", "is a pointer of Git LFS, not the video; run `git lfs pull`"),
    ("<!doctype html", "is a web page (HTML), not a video; download the video itself"),
    ("<html", "is a web page (HTML), not a video; download the video itself"),
)
_XML = (
    ("<mpd", f"is a DASH manifest, {_GIVE_THE_VIDEO}"),
    ("<smil", f"is a playlist, {_GIVE_THE_VIDEO}"),
    ("<asx", f"is a playlist, {_GIVE_THE_VIDEO}"),
    ("<html", "is a web page (HTML), not a video; download the video itself"),
)
_ARCHIVES = (
    (0, b"PK\x03\x04", "a ZIP archive"),
    (0, b"\x1f\x8b\x08", "a gzip archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (0, b"Rar!\x1a\x07", "a RAR archive"),
    (257, b"ustar", "a tar archive"),
    (0, b"%PDF-", "a PDF document"),
)

_VIDEOS = (
    *((4, kind) for kind in (b"ftyp", b"moov", b"mdat", b"wide", b"skip", b"free", b"pnot")),
    *((8, kind) for kind in (b"AVI ", b"AMV ")),
    *((0, b"\0\0\x01" + code) for code in (b"\xba", b"\xb3", b"\xb0")),  # MPEG
    (0, b"\0\0\0\x01"),  # H.264, HEVC
    (0, b"\x1aE\xdf\xa3"),  # Matroska
    (0, b"0&\xb2u\x8ef\xcf\x11"),  # ASF
    (0, b"\x06\x0e+4\x02\x05\x01\x01"),  # MXF
    (0, b"\xb7\xd8\x00 7I\xda\x11\xa6N"),  # WTV
    (0, b"FLV\x01"),
    (0, b".RMF"),
    (0, b"DHAV"),
    (0, b"DKIF"),  # IVF
    (0, b"nut/multimedia"),
    (0, b"YUV4MPEG2"),
)
# Where packets of MPEG transport streams begin, and their bytes; a time code may stand before.
_PACKETS = ((0, 188), (4, 192), (0, 204))
_SOUND_OR_STILL = frozenset(
    {b"M4A ", b"M4B ", b"M4P ", b"avif", b"crx ", b"heic", b"heix", b"mif1"}
)


def refusal(first: bytes) -> str | None:
    """Say what a file is by its first `LOOK_BYTES` bytes; ``None`` if it may be a video."""
    if not first:
        return "the file is empty (0 bytes); copy or download it again"
    for at, mark, name in _ARCHIVES:
        if first[at:].startswith(mark):
            return f"is {name}, not a video; take the video out of it"
    if first[:4] == b"RIFF" and first[8:16] == b"WEBPVP8X" and first[20:21] and first[20] & 2:
        return "is an animated WebP picture, which is not read; convert it to GIF or MP4"
    if first.startswith(_TEXT_IS_DATA) or len(first.translate(None, _CONTROL_BYTES)) < len(first):
        return None
    return _text(first.decode("utf-8-sig", "replace"))


def _text(text: str) -> str:
    text = text.lstrip().replace("\r\n", "\n").lower()
    for start, what in _TEXTS:
        if text.startswith(start):
            return what
    if text.startswith("<"):
        return next((what for tag, what in _XML if tag in text), f"is XML, {_GIVE_THE_VIDEO}")
    return f"is text, {_GIVE_THE_VIDEO}"


def holds_video(file: Path) -> bool:
    """Return whether a file begins as videos do, whatever its name; only its start is read."""
    try:
        if not file.is_file():
            return False
        with file.open("rb") as opened:
            first = opened.read(LOOK_BYTES)
    except OSError:
        return False
    if first[4:8] == b"ftyp" and first[8:12] in _SOUND_OR_STILL:
        return False
    if refusal(first):
        return False
    known = any(first[at:].startswith(mark) for at, mark in _VIDEOS)
    return known or any(_is_transport(first[at:], size) for at, size in _PACKETS)


def _is_transport(first: bytes, packet_bytes: int) -> bool:
    sync = first[::packet_bytes]
    return len(sync) > 3 and set(sync) == {0x47}

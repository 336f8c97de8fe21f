"""Packets that hold no picture to be shown, told by their first bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av import Packet
    from av.video.stream import VideoStream

# A picture takes more than the marks that stand alone: access unit delimiter, end of stream.
_SMALL_BYTES = 64


def _vp8(packet: Packet[VideoStream]) -> bool:
    """Read the bit ``show_frame`` (RFC 6386, 9.1): unset in what is only referred to."""
    return bool(memoryview(packet)[0] & 0x10)


def _h264(packet: Packet[VideoStream]) -> bool:
    """Look for a slice, type 1 to 5 (ITU-T H.264, table 7-1)."""
    units = [] if packet.size > _SMALL_BYTES else _units(bytes(packet))
    return not units or any(1 <= unit & 31 <= 5 for unit in units)


def _hevc(packet: Packet[VideoStream]) -> bool:
    """Look for a slice, a type below 32 (ITU-T H.265, table 7-1)."""
    units = [] if packet.size > _SMALL_BYTES else _units(bytes(packet))
    return not units or any(unit >> 1 & 63 < 32 for unit in units)


def _units(data: bytes) -> list[int]:
    """First bytes of the units of a packet, behind start codes or lengths; none if neither."""
    if data.startswith((b"\0\0\1", b"\0\0\0\1")):
        return [part[0] for part in data.split(b"\0\0\1")[1:] if part]
    found, at = [], 0
    while at + 4 < len(data):
        found.append(data[at + 4])
        at += 4 + int.from_bytes(data[at : at + 4])
    return found if at == len(data) else []


HOLDS_PICTURE: dict[str, Callable[[Packet[VideoStream]], bool]] = {
    "h264": _h264,
    "hevc": _hevc,
    "vp8": _vp8,
}
"""By the name of a codec."""

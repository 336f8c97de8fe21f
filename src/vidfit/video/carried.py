"""What packets tell the codec for the packets after them, found without decoding.

A keyframe can be decoded by itself only if it repeats what was told before it: palettes,
headers, parameter sets, and the build of x264, by which FFmpeg allows for old faults of it.
Packets that hold no picture to be shown are told by their first bytes, too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av import Packet
    from av.video.stream import VideoStream


# Side data that holds until other comes; demuxers give it once, and not again after a seek.
_LASTING = frozenset({"new_extradata", "palette", "param_change"})

# An MPEG-4 packet of no more bytes may hold no picture: it repeats the one before, or stands for
# one that was packed into an earlier packet (MAX_NVOP_SIZE in FFmpeg).
_PLACEHOLDER_BYTES_MAX = 19

# Builds of x264 up to which FFmpeg decodes otherwise than the standard says, and the profile.
_FAULTY_BUILD_MAX, _FAULTY_444_BUILD_MAX, _PROFILE_444 = 33, 150, 244
_X264 = re.compile(rb"x264 - core (\d+)")

_START_CODE = b"\0\0\1"


@dataclass(frozen=True)
class _Syntax:
    """Where NAL units of a codec have their type, and which types matter here."""

    shift: int
    mask: int
    slices: range
    sets: dict[int, str]
    length_at: int
    """The byte of the avcC or hvcC record that ends in the size of lengths (ISO/IEC 14496-15)."""

    def type_of(self, byte: int) -> int:
        """Return the type of a unit by its first byte."""
        return byte >> self.shift & self.mask


_SYNTAX = {
    "h264": _Syntax(0, 31, range(1, 6), {7: "SPS", 8: "PPS"}, 4),
    "hevc": _Syntax(1, 63, range(32), {32: "VPS", 33: "SPS", 34: "PPS"}, 21),
}


@dataclass
class Told:
    """Takes note of what each packet tells, in the order of the file.

    Parameters
    ----------
    codec
        FFmpeg's name of it.
    header
        What the container tells the codec (FFmpeg's extradata).

    Attributes
    ----------
    placeholders
        Packets may hold no picture or two, so that they cannot be taken for frames.
    """

    codec: str
    header: bytes
    placeholders: bool = False
    _lasting: bool = False
    _changed: set[str] = field(default_factory=set)
    _missing: set[str] = field(default_factory=set)

    @property
    def is_lost_by_a_seek(self) -> bool:
        """Whether some keyframe needs what a packet before it told."""
        return self._lasting or bool(self._changed & self._missing)

    def note(self, packet: Packet[VideoStream]) -> None:
        """Take note of the next packet."""
        for data in packet.iter_sidedata():
            name = data.data_type
            repeated = name == "new_extradata" and bytes(data) == self.header
            self._lasting |= name in _LASTING and not repeated
        self.placeholders |= self.codec == "mpeg4" and packet.size <= _PLACEHOLDER_BYTES_MAX
        if packet.is_keyframe and self.codec in _SYNTAX:
            self._note_keyframe(bytes(packet))

    def _note_keyframe(self, data: bytes) -> None:
        syntax = _SYNTAX[self.codec]
        missing = set(syntax.sets.values())
        for unit in self._leading_units(data):
            kind = syntax.sets.get(syntax.type_of(unit[0]))
            if kind:
                missing.discard(kind)
                if unit not in self.header:
                    self._changed.add(kind)
            elif named := _X264.search(unit):
                faulty = _FAULTY_444_BUILD_MAX if self._is_444 else _FAULTY_BUILD_MAX
                self._lasting |= int(named[1]) <= faulty
        self._missing |= missing

    @property
    def _length_bytes(self) -> int:
        """Size of the length before each unit; 0 where start codes divide them (Annex B)."""
        at = _SYNTAX[self.codec].length_at
        return (self.header[at] & 3) + 1 if self.header[:1] == b"\1" and self.header[at:] else 0

    @property
    def _is_444(self) -> bool:
        """Whether the profile of an H.264 header is High 4:4:4 Predictive."""
        if self._length_bytes:
            return self.header[1] == _PROFILE_444
        sets = self.header[_unit_after(self.header, 0) :]
        return sets[1:2] == bytes([_PROFILE_444])

    def _leading_units(self, data: bytes) -> Iterator[bytes]:
        """Yield the NAL units before the first slice."""
        syntax, size = _SYNTAX[self.codec], self._length_bytes
        start = size or _unit_after(data, 0)
        while start < len(data) and syntax.type_of(data[start]) not in syntax.slices:
            if size:
                end = start + int.from_bytes(data[start - size : start], "big")
                following = end + size
            else:
                following = _unit_after(data, start)
                end = following - len(_START_CODE)
            if unit := data[start:end].rstrip(b"\0"):
                yield unit
            start = following


def _unit_after(data: bytes, at: int) -> int:
    code = data.find(_START_CODE, at)
    return (len(data) if code < 0 else code) + len(_START_CODE)


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

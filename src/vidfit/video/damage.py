"""Which frames are sound: none that the codec had to make up, and none that builds on one.

A codec tells of damage in three ways: it refuses a packet, it flags a frame, or it writes an
error message. What decodes without any of them is taken for sound: few codecs guard their data
with a checksum, so that altered data may decode to another picture.

F frames, P packets, as in `vidfit.video.index`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Indices
from vidfit.video.index import PacketIndex, starts
from vidfit.video.opened import OpenStream

if TYPE_CHECKING:
    from av import VideoFrame

Sound = NDArray[np.bool_]

# Codecs that flag frames that they had to make up.
_FLAGGING_CODECS = frozenset(
    {
        *("flv1", "h263", "h263p", "h264", "mpeg1video", "mpeg2video", "mpeg4", "msmpeg4v1"),
        *("msmpeg4v2", "msmpeg4v3", "vc1", "wmv1", "wmv2", "wmv3"),
    }
)

# Codecs that say of each frame whether it is a keyframe, so that a packet's mark can be checked.
# In H.264 it may be a frame that becomes sound bit by bit, which the codec flags until it is.
CHECKED_KEYFRAME_CODECS = frozenset({"hevc", "mpeg1video", "mpeg2video", "mpeg4", "vp8", "vp9"})

LAST = 2**62  # beyond the last packet of any file

_PACKETS_MIN = 16  # fewest that tell what a codec says of every packet of a file


@dataclass
class Signs:
    """What container and codec said of packets that were decoded one after the other.

    Positions of packets that the container marks as incomplete (``marked``), that were
    ``refused``, and whose frame the codec ``flagged``; ``messages`` that it wrote, by position.
    Refused are those, too, on both sides of a place where the container could not be read on.
    ``false_keyframes`` are flagged as keyframes by the container, not by the codec: damage, or
    H.264 that becomes sound bit by bit.
    ``shown`` gives for each frame that came out, in order, the position of its packet and its
    timestamp.
    """

    packet_count: int = 0
    keyframes: set[int] = field(default_factory=set)
    marked: set[int] = field(default_factory=set)
    false_keyframes: set[int] = field(default_factory=set)
    refused: set[int] = field(default_factory=set)
    flagged: set[int] = field(default_factory=set)
    messages: dict[int, frozenset[str]] = field(default_factory=dict)
    shown: list[tuple[int, int | None]] = field(default_factory=list)

    def bad(self, codec: str) -> Indices:
        """Return the positions of damaged packets, increasing."""
        damaged = self.refused | self.flagged | self.marked | self._complained()
        if codec in CHECKED_KEYFRAME_CODECS:
            damaged |= self.false_keyframes
        if codec in _FLAGGING_CODECS:
            # The end of a recording to which another is joined is marked, but whole.
            joined = {at for at in self.marked - self.refused if {at + 1, at + 2} & self.keyframes}
            damaged -= joined - self.messages.keys()
        return np.array(sorted(damaged), np.int64)

    def forget(self, positions: set[int]) -> None:
        """Take back what was said of some packets."""
        self.refused -= positions
        self.flagged -= positions
        self.false_keyframes -= positions
        for position in positions & self.messages.keys():
            del self.messages[position]

    def _complained(self) -> set[int]:
        """Return where there were messages that are not drawn by every packet of the file.

        Those tell of the way it is written, not of damage.
        """
        always: frozenset[str] = frozenset()
        if len(self.messages) == self.packet_count >= 2:
            always = frozenset.intersection(*self.messages.values())
        return {at for at, said in self.messages.items() if said - always}


def decode_watching(
    opened: OpenStream, index: PacketIndex | None = None, first: int = 0, last: int = LAST
) -> Signs:
    """Decode the packets that come next, and note what the codec says.

    Parameters
    ----------
    index
        Tells where packets stand; without it they are counted.
    first, last
        Position of the next packet, and of the last one to be decoded.
    """
    opened.mark_frames()
    signs, position = Signs(), first
    while position <= last and (packet := opened.read()) is not None:
        found = index.position_at(packet.pts) if index else None
        position = position if found is None else found
        packet.opaque = [position]  # PyAV tells objects by their id, and a small number has one
        signs.packet_count += 1
        if packet.is_keyframe:
            signs.keyframes.add(position)
        if packet.is_corrupt:
            signs.marked.add(position)
        if opened.stumbled:
            signs.refused |= {position} if packet.is_corrupt else {max(0, position - 1), position}
        _watch(signs, position, opened, opened.decode(packet))
        position += 1
    if opened.stumbled and position - 1 not in signs.marked:
        signs.refused.add(max(0, position - 1))
    _watch(signs, position - 1, opened, opened.decode(None))
    return signs


def _watch(signs: Signs, position: int, opened: OpenStream, frames: list[VideoFrame]) -> None:
    if opened.refusal:
        signs.refused.add(position)
    if opened.messages:
        signs.messages[position] = signs.messages.get(position, frozenset()) | opened.messages
    for frame in frames:
        at = position if frame.opaque is None else cast("list[int]", frame.opaque)[0]
        signs.shown.append((at, frame.pts))
        if frame.is_corrupt:
            signs.flagged.add(at)
        if at in signs.keyframes and not frame.key_frame:
            signs.false_keyframes.add(at)


def sound_of_all(signs: Signs, codec: str) -> Sound:
    """Return which of all frames of a stream, in the order they came out, are sound."""
    position_of_F = np.array([at for at, _ in signs.shown], np.int64)
    true = signs.keyframes - signs.false_keyframes
    keyframe_P = np.isin(np.arange(signs.packet_count), sorted(true))
    shown_at_P = np.full(len(keyframe_P), -1, np.int64)
    shown_at_P[position_of_F] = np.arange(len(position_of_F))
    start_of_F = starts(shown_at_P, keyframe_P, position_of_F, codec)
    # A picture may come in two packets, of which the frame names one.
    following = np.append(np.unique(position_of_F), len(keyframe_P))
    end_of_F = following[np.searchsorted(following, position_of_F, "right")]
    return _clean(signs.bad(codec), start_of_F, end_of_F)


def sound_between(path: str, index: PacketIndex, first: int, last: int) -> Sound:
    """Return which of the frames ``first`` to ``last`` are sound; decodes them all.

    Raises
    ------
    VideoError
        The file can no longer be opened.
    """
    begin, end = _stretch(index, first, last)
    signs, codec = _survey(path, index, begin, end)
    if begin and signs.false_keyframes:  # decoding may not begin there
        signs, codec = _survey(path, index, 0, end)
    keyframe_P = index.keyframe_P.copy()
    keyframe_P[sorted(signs.false_keyframes)] = False
    start_of_F = starts(index.pts_P, keyframe_P, index.position_of_F, codec)[first : last + 1]
    known = {index.frame_at(ticks) for _, ticks in signs.shown}
    came_out_F = np.array([frame in known for frame in range(first, last + 1)])
    end_of_F = index.position_of_F[first : last + 1] + 1
    return came_out_F & _clean(signs.bad(codec), start_of_F, end_of_F)


def _survey(path: str, index: PacketIndex, begin: int, end: int) -> tuple[Signs, str]:
    """Decode packets ``begin`` to ``end``; return the signs, and the codec's name."""
    opened, position = _open_at(path, index, begin)
    try:
        signs = decode_watching(opened, index, position, end)
        codec = opened.stream.codec_context.name
    finally:
        opened.close()
    # Frames that build on packets before the first one cannot be judged, nor do others need them.
    shown = np.flatnonzero(index.frame_of_P >= 0)
    early = shown[index.start_of_F[index.frame_of_P[shown]] < position]
    signs.forget(set(early.tolist()))
    signs.refused.update(index.stumbled_P.tolist())  # a seek may go past such a place
    return signs, codec


def _stretch(index: PacketIndex, first: int, last: int) -> tuple[int, int]:
    """Return the packets that frames are decoded from, and enough to tell what every one draws."""
    start = int(index.start_of_F[first : last + 1].min())
    end = max(int(index.position_of_F[first : last + 1].max()), start + _PACKETS_MIN - 1)
    early = len(index.pts_P) - _PACKETS_MIN
    if start > early:
        frame_index = int(index.frame_of_P[max(0, early)])
        start = min(start, int(index.start_of_F[frame_index]) if frame_index >= 0 else 0)
    return start, end


def _open_at(path: str, index: PacketIndex, start: int) -> tuple[OpenStream, int]:
    """Open a file at a packet or one before it, and return that one's position."""
    opened = OpenStream(path)
    if start == 0:
        return opened, 0
    position = index.position_of(opened.seek(int(index.pts_P[start])))
    if position is not None and position <= start:
        return opened, position
    opened.close()
    return OpenStream(path), 0


def _clean(bad: Indices, start_of_F: Indices, end_of_F: Indices) -> Sound:
    """Whether no bad packet stands from the start of a frame's decoding to before its end."""
    clean_F: Sound = np.searchsorted(bad, start_of_F) == np.searchsorted(bad, end_of_F)
    return clean_F

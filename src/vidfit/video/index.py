"""The packet index: which packet holds which frame, found without decoding.

Packets are numbered in the order of the file (``position``), frames in the order of
presentation (``index``). With B-frames the two differ. F frames, P packets.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Indices
from vidfit.errors import VideoError
from vidfit.video.carried import HOLDS_PICTURE, Told
from vidfit.video.info import Timing
from vidfit.video.limits import FRAMES_MAX

if TYPE_CHECKING:
    from av import Packet
    from av.video.stream import VideoStream

    from vidfit.video.opened import OpenStream

NO_FRAME = -1

_UNKNOWN_TICKS = -(2**63)  # as FFmpeg's AV_NOPTS_VALUE

# Codecs whose keyframe flags mean that decoding may start there. Others are decoded from
# their first packet (GIF: a frame is drawn over the one before).
SEEKABLE_CODECS = frozenset(
    {
        *("av1", "dnxhd", "dvvideo", "ffv1", "flv1", "h263", "h264", "hevc", "huffyuv", "libdav1d"),
        *("mjpeg", "mpeg1video", "mpeg2video", "mpeg4", "msmpeg4v2", "msmpeg4v3", "png", "prores"),
        *("rawvideo", "theora", "utvideo", "vc1", "vp8", "vp9", "wmv2", "wmv3"),
    }
)

_REORDER_MAX = 16  # frames that H.264 and HEVC may hold back

_LAST_FRAME_SECONDS_MAX = 3600.0


@dataclass(frozen=True)
class PacketIndex:
    """Where each frame is, and where decoding must start to see it.

    Parameters
    ----------
    pts_P, dts_P
        Timestamps of the packets in ticks; empty when they cannot be trusted.
    size_P
        Bytes of the packets: what a parser cuts out after a seek may be another piece.
    frame_of_P
        Index of the frame that a packet holds, or -1 when it is decoded but never shown
        (edit lists).
    position_of_F
        The packet that holds a frame.
    keyframe_P
        Whether a packet is flagged as a keyframe.
    start_of_F
        The keyframe packet from which a frame can be decoded exactly.
    by_pts_P
        Positions of the packets in the order of their timestamps.
    frame_count, keyframe_count
        Frames that are shown; packets flagged as keyframes.
    declared_count
        Frames that the container says it holds, 0 when it does not say.
    timing
        Timestamps in seconds.
    by_count
        Timestamps are missing or repeated: frames are told apart by counting from the start.
    forward
        Keyframes need what earlier packets told the codec, so that no seek is exact.
    sound_F
        Which frames are sound, where all were decoded to count them.
    stumbled_P
        Packets on both sides of places where the container could not be read on.
    cut_short
        The file breaks off in the middle of a packet.
    """

    pts_P: Indices
    dts_P: Indices
    size_P: Indices
    keyframe_P: NDArray[np.bool_]
    frame_of_P: Indices
    position_of_F: Indices
    start_of_F: Indices
    by_pts_P: Indices
    frame_count: int
    keyframe_count: int
    declared_count: int
    timing: Timing
    by_count: bool = False
    forward: bool = False
    sound_F: NDArray[np.bool_] | None = None
    stumbled_P: Indices = field(default_factory=lambda: np.zeros(0, np.int64))
    cut_short: bool = False

    @property
    def reorder_depth(self) -> int:
        """How many frames a codec must hold back for them to come out in order."""
        shown = self.frame_of_P[self.frame_of_P != NO_FRAME]
        return int((np.arange(len(shown)) - shown).max(initial=0))

    def read_forward(self) -> PacketIndex:
        """Return the index of a stream that can only be decoded from its first packet."""
        return replace(self, start_of_F=np.zeros_like(self.start_of_F), forward=True)

    def frame_at(self, ticks: int | None) -> int | None:
        """Return the frame with a timestamp, ``None`` if no packet has it."""
        position = self.position_at(ticks)
        return None if position is None else int(self.frame_of_P[position])

    def holds(self, packet: Packet[VideoStream], position: int) -> bool:
        """Whether a packet is the one at a position."""
        same_time = packet.pts == self.pts_P[position]
        return bool(same_time and packet.size == self.size_P[position])

    def position_of(self, packet: Packet[VideoStream] | None) -> int | None:
        """Return the position of a packet, ``None`` if the index does not have it."""
        position = None if packet is None else self.position_at(packet.pts)
        if packet is None or position is None or not self.holds(packet, position):
            return None
        return position

    def position_at(self, ticks: int | None) -> int | None:
        """Return the packet with a timestamp, ``None`` if there is none."""
        if ticks is None:
            return None
        place = int(np.searchsorted(self.pts_P, ticks, sorter=self.by_pts_P))
        if place == len(self.pts_P):
            return None
        position = int(self.by_pts_P[place])
        return position if self.pts_P[position] == ticks else None


def _ticks() -> array[int]:
    return array("q")


@dataclass
class _Packets:
    """Packets as they were read, in few bytes each: a long video has hundreds of thousands."""

    pts: array[int] = field(default_factory=_ticks)
    dts: array[int] = field(default_factory=_ticks)
    size: array[int] = field(default_factory=_ticks)
    duration: array[int] = field(default_factory=_ticks)
    keyframe: bytearray = field(default_factory=bytearray)
    shown: bytearray = field(default_factory=bytearray)
    stumbled: array[int] = field(default_factory=_ticks)
    cut_short: bool = False

    @property
    def columns(self) -> tuple[array[int] | bytearray, ...]:
        """What has an entry for each packet."""
        return (self.pts, self.dts, self.size, self.duration, self.keyframe, self.shown)

    def usable(self) -> bool:
        """Whether timestamps are there, distinct and in the order of decoding."""
        pts_P, dts_P = np.array(self.pts, np.int64), np.array(self.dts, np.int64)
        if not len(pts_P) or (pts_P == _UNKNOWN_TICKS).any():
            return False
        distinct = bool((np.diff(np.sort(pts_P)) > 0).all())
        return distinct and bool((np.diff(dts_P[dts_P != _UNKNOWN_TICKS]) >= 0).all())


def build_index(opened: OpenStream) -> PacketIndex | None:
    """Index a freshly opened stream; ``None`` if packets do not tell when each frame is shown."""
    codec = opened.stream.codec_context
    told = Told(codec.name, bytes(codec.extradata or b""))
    packets = _scan(opened, told)
    if told.placeholders or not packets.usable():
        return None
    pts_P, dts_P = np.array(packets.pts, np.int64), np.array(packets.dts, np.int64)
    dts_P = np.where(dts_P == _UNKNOWN_TICKS, pts_P, dts_P)
    shown_P = np.array(packets.shown, bool)
    position_of_F = np.flatnonzero(shown_P)
    position_of_F = position_of_F[np.argsort(pts_P[position_of_F], kind="stable")]
    if len(position_of_F) == 0:
        return None
    index = _assemble(packets, pts_P, dts_P, position_of_F, opened.stream)
    return index.read_forward() if told.is_lost_by_a_seek else index


def _assemble(
    packets: _Packets,
    pts_P: Indices,
    dts_P: Indices,
    position_of_F: Indices,
    stream: VideoStream,
) -> PacketIndex:
    frame_of_P = np.full(len(pts_P), NO_FRAME, np.int64)
    frame_of_P[position_of_F] = np.arange(len(position_of_F))
    keyframe_P = np.array(packets.keyframe, bool)
    ticks_F = pts_P[position_of_F]
    return PacketIndex(
        pts_P=pts_P,
        dts_P=dts_P,
        size_P=np.array(packets.size, np.int64),
        keyframe_P=keyframe_P,
        frame_of_P=frame_of_P,
        position_of_F=position_of_F,
        start_of_F=starts(pts_P, keyframe_P, position_of_F, stream.codec_context.name),
        by_pts_P=np.argsort(pts_P, kind="stable"),
        frame_count=len(position_of_F),
        keyframe_count=int(keyframe_P[position_of_F].sum()),
        declared_count=stream.frames,
        timing=timing(ticks_F, packets.duration[position_of_F[-1]], stream),
        stumbled_P=np.array(packets.stumbled, np.int64),
        cut_short=packets.cut_short,
    )


def counted_index(
    ticks: list[int | None], keyframes: int, stream: VideoStream, sound_F: NDArray[np.bool_]
) -> PacketIndex:
    """Index frames that were counted by decoding them all, in the order they came out."""
    count = len(ticks)
    none = np.zeros(0, np.int64)
    times = _counted_timing(ticks, stream)
    return PacketIndex(
        none,
        none,
        none,
        none > 0,
        none,
        none,
        none,
        none,
        count,
        keyframes,
        stream.frames,
        times,
        by_count=True,
        sound_F=sound_F,
    )


def _counted_timing(ticks: list[int | None], stream: VideoStream) -> Timing:
    """Timestamps of counted frames, put in order if they are only out of it here and there."""
    known = np.asarray([tick for tick in ticks if tick is not None], np.int64)
    order = np.argsort(known, kind="stable")
    in_place = np.abs(order - np.arange(len(known))).max(initial=0) <= _REORDER_MAX
    if len(known) == len(ticks) == len(np.unique(known)) and in_place:
        return timing(known[order], 0, stream)
    interval = _frame_seconds(stream)
    return Timing(np.arange(len(ticks), dtype=np.float64) * interval, interval, 0.0)


def timing(ticks_F: Indices, last_ticks: int, stream: VideoStream) -> Timing:
    """Return seconds from the first frame; the last frame stays as long as its packet says."""
    tick = float(stream.time_base or 1)
    pts_seconds = (ticks_F - ticks_F[0]) * tick
    usual = float(np.median(np.diff(pts_seconds))) if len(ticks_F) > 1 else _frame_seconds(stream)
    last = last_ticks * tick
    if not 0 < last < _LAST_FRAME_SECONDS_MAX:
        last = usual
    return Timing(pts_seconds, last, tick)


def _frame_seconds(stream: VideoStream) -> float:
    rate = float(stream.average_rate or stream.guessed_rate or 0)
    return 1 / rate if 0 < rate < 1000 else 0.04


def too_many_frames(path: str) -> VideoError:
    """Say that a video is too long, and what to do."""
    return VideoError(f"{path}: has more than {FRAMES_MAX:,} frames; cut it in parts")


def _scan(opened: OpenStream, told: Told) -> _Packets:
    packets = _Packets()
    holds = HOLDS_PICTURE.get(opened.stream.codec_context.name)
    corrupt = 0
    while (packet := opened.read()) is not None:
        if opened.stumbled:
            place = len(packets.pts)
            packets.stumbled.extend((place,) if packet.is_corrupt else (max(0, place - 1), place))
        packets.pts.append(_UNKNOWN_TICKS if packet.pts is None else packet.pts)
        packets.dts.append(_UNKNOWN_TICKS if packet.dts is None else packet.dts)
        packets.size.append(packet.size)
        packets.keyframe.append(packet.is_keyframe)
        packets.shown.append(not packet.is_discard and (holds is None or holds(packet)))
        packets.duration.append(packet.duration or 0)
        told.note(packet)
        corrupt = corrupt + 1 if packet.is_corrupt else 0
        if len(packets.pts) > FRAMES_MAX:
            raise too_many_frames(opened.path)
    for _ in range(corrupt):  # a file that breaks off ends in a piece of a packet
        for column in packets.columns:
            column.pop()
    packets.cut_short = corrupt > 0 or opened.broke_off
    if opened.stumbled and not corrupt and packets.pts:
        packets.stumbled.append(len(packets.pts) - 1)
    return packets


def starts(
    pts_P: Indices, keyframe_P: NDArray[np.bool_], position_of_F: Indices, codec: str
) -> Indices:
    """Return the last keyframe that precedes a frame in the file and is not shown after it.

    A frame that precedes its keyframe on screen (open GOP) may refer to the group before.
    """
    keys = np.flatnonzero(keyframe_P) if codec in SEEKABLE_CODECS else np.zeros(0, np.int64)
    choice = np.searchsorted(keys, position_of_F, "right") - 1
    pts_F = pts_P[position_of_F]
    padded = np.append(keys, 0)  # choice -1 is the first packet
    late = (choice >= 0) & (pts_P[padded[choice]] > pts_F)
    while late.any():
        choice[late] -= 1
        late = (choice >= 0) & (pts_P[padded[choice]] > pts_F)
    return np.asarray(np.where(choice >= 0, padded[choice], 0))

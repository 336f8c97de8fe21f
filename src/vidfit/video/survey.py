"""How the frames of a file are found: by its packet index, or by counting them once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from hashlib import blake2b
from typing import TYPE_CHECKING

import av.error
import numpy as np
from numpy.typing import NDArray

from vidfit.errors import VideoError
from vidfit.video.damage import decode_watching, sound_of_all
from vidfit.video.frame import Scalers
from vidfit.video.index import (
    NO_FRAME,
    SEEKABLE_CODECS,
    PacketIndex,
    build_index,
    counted_index,
    too_many_frames,
)
from vidfit.video.info import Timing
from vidfit.video.limits import FRAMES_MAX, SECONDS_MAX
from vidfit.video.opened import OpenStream

if TYPE_CHECKING:
    from av import VideoFrame


# Containers that carry no list of frames: packets are cut out by a parser, which may make
# two of one frame (interlaced pictures) or begin in the middle of a group.
_PARSED_FORMATS = frozenset({"mpegts", "mpeg", "h264", "hevc", "m4v", "mpegvideo", "vc1"})

# Containers that have no place for the time of presentation: what stands there may be the
# order of decoding.
_DECODING_TIMES = frozenset({"avi", "asf"})

# Codecs whose keyframes need nothing of earlier packets but what `carried` looks for.
_SELF_CONTAINED_CODECS = frozenset({"av1", "h264", "hevc", "libdav1d", "vp8", "vp9"})

_PREFIX_PACKETS = 24
_COMPARED_PACKETS = 6


def survey(opened: OpenStream) -> PacketIndex:
    """Index a freshly opened stream, which is read to its end.

    Timestamps that are missing or repeated, or a beginning that does not decode to the
    frames that the packets promise, make it decode the whole stream once and count. Unless the
    codec is known for it, the second group of pictures must decode by itself as it does after
    the first; where it does not, the stream is to be read forward.

    Raises
    ------
    VideoError
        No frame can be decoded, or they are too many or too far apart.
    """
    index = build_index(opened)
    index = (index and _proven(index, opened)) or _count(opened.path)
    if index.timing.duration_seconds > SECONDS_MAX:
        raise VideoError(
            f"{opened.path}: its timestamps span {index.timing.duration_seconds:,.0f} s, at most "
            f"{SECONDS_MAX:,.0f} are read; they are damaged, or cut it in parts"
        )
    return index


def _proven(index: PacketIndex, opened: OpenStream) -> PacketIndex | None:
    """Return the index of a stream that gives the frames of its packets, ``None`` of another."""
    if not _begins_as(index, opened):
        return None
    index = without_empty_packets(index, opened)
    if opened.stream.codec_context.name in _SELF_CONTAINED_CODECS:
        return index
    return _tried(index, opened.path)


def _begins_as(index: PacketIndex, opened: OpenStream) -> bool:
    """Whether the first packets give the frames that the index expects, in its order."""
    suspect = opened.reorder_depth > 0 and bool((np.diff(index.pts_P) > 0).all())
    if suspect and opened.formats & _DECODING_TIMES:
        return False
    clean = index.keyframe_P[0] and index.frame_of_P[0] <= 0 and index.start_of_F[0] == 0
    if clean and not suspect and not opened.formats & _PARSED_FORMATS:
        return True
    decoded = _decoded(opened.path, 0, _PREFIX_PACKETS)
    return [frame.pts for frame in decoded] == _expected(index, _PREFIX_PACKETS)


def _tried(index: PacketIndex, path: str) -> PacketIndex | None:
    """Compare a read after a seek with a read from the first packet.

    Returns
    -------
    PacketIndex or None
        With what was found; ``None`` if the packets do not give the frames that they promise.
    """
    starts = np.unique(index.start_of_F)
    if len(starts) < 2:
        start, stop = 0, _PREFIX_PACKETS
    else:
        start, stop = int(starts[1]), int(starts[1]) + _COMPARED_PACKETS
    belong = np.flatnonzero((index.start_of_F == start) & (index.position_of_F < stop))
    compared = set(index.pts_P[index.position_of_F[belong]].tolist()) if start else set()
    in_sequence = _looks(path, 0, stop, compared)
    if [ticks for ticks, _ in in_sequence] != _expected(index, stop):
        return None
    alone = set(_looks(path, start, stop, compared)) if start else set()
    kept = all(look in alone for look in in_sequence if look[0] in compared)
    return index if kept else index.read_forward()


def _looks(path: str, start: int, stop: int, compared: set[int]) -> list[tuple[int | None, bytes]]:
    """Return the timestamps of frames; with those compared, a digest of what a reader sees."""
    scalers, looks = Scalers(), []
    for frame in _decoded(path, start, stop):
        digest = b""
        if frame.pts in compared:
            pixels = scalers.scale(frame, frame.width, frame.height)
            digest = blake2b(repr(pixels.shape).encode() + pixels.tobytes()).digest()
        looks.append((frame.pts, digest))
    return looks


def _decoded(path: str, start: int, stop: int) -> Iterator[VideoFrame]:
    """Decode the packets from ``start`` up to ``stop`` by a codec that has seen none before."""
    opened = OpenStream(path)
    try:
        for position in range(stop):
            packet = opened.read()
            if packet is None:
                break
            if position >= start:
                yield from opened.decode(packet)
        yield from opened.decode(None)
    finally:
        opened.close()


def _expected(index: PacketIndex, stop: int) -> list[int]:
    """Timestamps of the frames of the first packets, in the order of presentation."""
    shown = index.frame_of_P[:stop] != NO_FRAME
    return sorted(index.pts_P[:stop][shown].tolist())


def _count(path: str) -> PacketIndex:
    opened = OpenStream(path)
    try:
        signs = decode_watching(opened, last=FRAMES_MAX)
        if signs.packet_count > FRAMES_MAX:
            raise too_many_frames(path)
        if not signs.shown:
            raise opened.without_picture()
        ticks = [tick for _, tick in signs.shown]
        sound_F = sound_of_all(signs, opened.stream.codec_context.name)
        index = counted_index(ticks, len(signs.keyframes), opened.stream, sound_F)
        return replace(index, cut_short=opened.broke_off or signs.packet_count - 1 in signs.marked)
    finally:
        opened.close()


def without_empty_packets(index: PacketIndex, opened: OpenStream) -> PacketIndex:
    """Return an index without the packets that hold no picture.

    Where keyframes say where decoding may start, `holds_picture` has looked at each packet.
    Other codecs are decoded from their first packet anyway, and are here, once to the end.
    """
    if opened.stream.codec_context.name in SEEKABLE_CODECS:
        return index
    empty = np.isin(index.pts_P[index.position_of_F], list(_empty_ticks(opened.path)))
    return _only(index, ~empty) if empty.any() and not empty.all() else index


def _empty_ticks(path: str) -> set[int]:
    """Timestamps of packets that the codec takes without an error and shows nothing for."""
    opened = OpenStream(path)
    taken, shown = set(), set()
    try:
        for ticks, frames in _taken(opened):
            taken.add(ticks)
            shown.update(frames)
    finally:
        opened.close()
    return {ticks for ticks in taken - shown if ticks is not None}


def _taken(opened: OpenStream) -> Iterator[tuple[int | None, list[int | None]]]:
    """Yield the time of each packet that is taken, with those of the frames that come out."""
    codec = opened.stream.codec_context
    while (packet := opened.read()) is not None:
        try:
            yield packet.pts, [frame.pts for frame in codec.decode(packet)]
        except (av.error.FFmpegError, ValueError):
            continue  # damaged, which is another thing
    yield None, [frame.pts for frame in opened.decode(None)]


def _only(index: PacketIndex, kept_F: NDArray[np.bool_]) -> PacketIndex:
    position_of_F = index.position_of_F[kept_F]
    frame_of_P = np.full_like(index.frame_of_P, NO_FRAME)
    frame_of_P[position_of_F] = np.arange(len(position_of_F))
    pts_F, old = index.timing.pts_seconds_F[kept_F], index.timing
    ends_F = np.append(old.pts_seconds_F[1:], old.duration_seconds)
    last_seconds = float(ends_F[kept_F][-1] - pts_F[-1])
    return replace(
        index,
        frame_of_P=frame_of_P,
        position_of_F=position_of_F,
        start_of_F=index.start_of_F[kept_F],
        frame_count=len(position_of_F),
        keyframe_count=int(index.keyframe_P[position_of_F].sum()),
        timing=Timing(pts_F - pts_F[0], last_seconds, old.tick_seconds),
    )

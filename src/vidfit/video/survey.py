"""How the frames of a file are found: by its packet index, or by counting them once."""

from __future__ import annotations

import numpy as np

from vidfit.errors import VideoError
from vidfit.video.index import NO_FRAME, PacketIndex, build_index, counted_index, too_many_frames
from vidfit.video.limits import FRAMES_MAX, SECONDS_MAX
from vidfit.video.opened import OpenStream
from vidfit.video.pictures import without_empty_packets

# Containers that carry no list of frames: packets are cut out by a parser, which may make
# two of one frame (interlaced pictures) or begin in the middle of a group.
_PARSED_FORMATS = frozenset({"mpegts", "mpeg", "h264", "hevc", "m4v", "mpegvideo", "vc1"})

# Containers that have no place for the time of presentation: what stands there may be the
# order of decoding.
_DECODING_TIMES = frozenset({"avi", "asf"})

_PREFIX_PACKETS = 24


def survey(opened: OpenStream) -> PacketIndex:
    """Index a freshly opened stream, which is read to its end.

    Timestamps that are missing or repeated, or a beginning that does not decode to the
    frames that the packets promise, make it decode the whole stream once and count.

    Raises
    ------
    VideoError
        No frame can be decoded, or they are too many or too far apart.
    """
    index = build_index(opened)
    if index is not None and _begins_as(index, opened):
        index = without_empty_packets(index, opened)
    else:
        index = _count(opened.path)
    if index.timing.duration_seconds > SECONDS_MAX:
        raise VideoError(
            f"{opened.path}: its timestamps span {index.timing.duration_seconds:,.0f} s, at most "
            f"{SECONDS_MAX:,.0f} are read; they are damaged, or cut it in parts"
        )
    return index


def _begins_as(index: PacketIndex, opened: OpenStream) -> bool:
    """Whether the first packets give the frames that the index expects, in its order."""
    suspect = opened.reorder_depth > 0 and bool((np.diff(index.pts_P) > 0).all())
    if suspect and opened.formats & _DECODING_TIMES:
        return False
    clean = index.keyframe_P[0] and index.frame_of_P[0] <= 0 and index.start_of_F[0] == 0
    suspect = suspect and "mov" not in opened.formats
    if clean and not suspect and not opened.formats & _PARSED_FORMATS:
        return True
    fresh = OpenStream(opened.path)
    try:
        return _decoded_prefix(fresh) == _expected_prefix(index)
    finally:
        fresh.close()


def _decoded_prefix(opened: OpenStream) -> list[int | None]:
    decoded: list[int | None] = []
    for _ in range(_PREFIX_PACKETS):
        packet = opened.read()
        if packet is None:
            break
        decoded.extend(frame.pts for frame in opened.decode(packet))
    decoded.extend(frame.pts for frame in opened.decode(None))
    return decoded


def _expected_prefix(index: PacketIndex) -> list[int]:
    shown = index.frame_of_P[:_PREFIX_PACKETS] != NO_FRAME
    return sorted(index.pts_P[:_PREFIX_PACKETS][shown].tolist())


def _count(path: str) -> PacketIndex:
    opened = OpenStream(path)
    ticks: list[int | None] = []
    keyframes = 0
    try:
        for packet, frames in opened.decode_all():
            keyframes += packet is not None and packet.is_keyframe
            ticks.extend(frame.pts for frame in frames)
            if len(ticks) > FRAMES_MAX:
                raise too_many_frames(path)
        if not ticks:
            raise opened.without_picture()
        return counted_index(ticks, keyframes, opened.stream)
    finally:
        opened.close()

"""Which packets hold no picture: comments, hidden frames, marks of the end.

They are decoded, and are no frames: ``frame_count`` is of pictures that come out.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import av.error
import numpy as np
from numpy.typing import NDArray

from vidfit.video.index import NO_FRAME, SEEKABLE_CODECS, PacketIndex
from vidfit.video.info import Timing
from vidfit.video.opened import OpenStream

if TYPE_CHECKING:
    from collections.abc import Iterator


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
        for ticks, frames in _decoded(opened):
            taken.add(ticks)
            shown.update(frames)
    finally:
        opened.close()
    return {ticks for ticks in taken - shown if ticks is not None}


def _decoded(opened: OpenStream) -> Iterator[tuple[int | None, list[int | None]]]:
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

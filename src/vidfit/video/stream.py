"""Frames of one video stream, exact and with as little decoding as that allows."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from vidfit.contracts import Indices
from vidfit.errors import VideoError
from vidfit.shown import counted
from vidfit.video.damage import CHECKED_KEYFRAME_CODECS, Sound, sound_between
from vidfit.video.frame import Picture
from vidfit.video.opened import OpenStream, open_lightly
from vidfit.video.shared_index import shared_index

if TYPE_CHECKING:
    from av import VideoFrame

# Reading past packets costs less than a seek, up to about this many.
_READ_THROUGH_PACKETS = 64


class StreamDecoder:
    """Decodes chosen frames of a file; goes forward where it can and seeks where that pays.

    Frames are told apart by their timestamps, and each packet that is read and each frame
    that comes out is held against the packet index. When they disagree, as in broken files
    and with false keyframe flags, it begins again at the first packet and leaves nothing out.

    Where the codec complained of a packet that a frame builds on, its group of pictures is
    decoded on the side, from its keyframe, to tell which frames are sound (`vidfit.video.damage`).

    Attributes
    ----------
    index
        The packet index of the stream.
    timing, cut_short, keyframe_count, declared_count
        As the index has them.
    restarts
        How often the file was not what its index says.
    decoded_packets
        Packets given to the codec so far, the ones it was allowed to leave out included.
    surveys
        How often frames were decoded on the side to look for damage.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.restarts = self.decoded_packets = self.surveys = 0
        self._complaints: set[int] = set()
        self._skipped: set[int] = set()
        self._opened = open_lightly(path)
        try:
            self.index = shared_index(self._opened)
            self.timing, self.cut_short = self.index.timing, self.index.cut_short
            self.keyframe_count = self.index.keyframe_count
            self.declared_count = self.index.declared_count
            self._codec = self._opened.stream.codec_context.name
            self._can_drop = self._opened.can_drop()
            self._sequential = self.index.by_count or self.index.forward
            self._known_F = np.full(self.index.frame_count, self.index.by_count)
            self._sound_F = np.ones(self.index.frame_count, bool)
            self._complaints.update(self.index.stumbled_P.tolist())
            if self.index.sound_F is not None:
                self._sound_F = self.index.sound_F.copy()
            self._reset()
            if self._sequential or self.index.reorder_depth > self._opened.reorder_depth:
                self._open_again()
            else:
                self._next, self._drained = len(self.index.pts_P), True
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._opened.close()

    @property
    def pixel_aspect(self) -> float:
        """How wide a pixel is shown, by its height; known from the first frame on."""
        picture = self._opened.picture
        return picture.pixel_aspect if picture else 1.0

    @property
    def alone(self) -> Indices:
        """Frames that decode alone; none of a stream that is decoded from its first packet."""
        if self.index.by_count or self.index.forward:
            return np.zeros(0, np.int64)
        return np.flatnonzero(self.index.start_of_F == self.index.position_of_F)

    def picture(self) -> Picture:
        """Look at a frame: the first one, decoded on the side, if none was decoded yet."""
        return self._opened.picture or first_picture(self.path)

    def frames(self, wanted: Indices) -> Iterator[tuple[int, VideoFrame]]:
        """Yield (index, frame) for increasing indices that lie within the video.

        Raises
        ------
        VideoError
            A frame cannot be decoded, or is not sound.
        """
        order = wanted.tolist()
        self._skipped = {index for index in self._skipped if index > self._reached}
        chosen, last = set(order), order[-1] if order else -1
        for place, frame_index in enumerate(order):
            # Set here, not before the loop: between two frames another call may read.
            self._wanted, self._last_wanted = chosen, last
            following = order[place + 1] if place + 1 < len(order) else None
            if self._known_F[frame_index] and not self._sound_F[frame_index]:
                raise self._missing(frame_index)
            frame = self._frame(frame_index, following)
            if not self._is_sound(frame_index):
                raise self._missing(frame_index)
            if frame is None and not self._sequential:
                self.restarts += 1
                self._sequential = True
                self._open_again()
                frame = self._frame(frame_index, None)
            if frame is None:
                self._sound_F[frame_index], self._known_F[frame_index] = False, True
                raise self._missing(frame_index)
            yield frame_index, frame

    # ------------------------------------------------------------ damage

    def sound(self, first: int, last: int) -> Sound:
        """Return which of the frames ``first`` to ``last`` are sound.

        Raises
        ------
        VideoError
            The file can no longer be opened.
        """
        unknown = np.flatnonzero(~self._known_F[first : last + 1])
        if len(unknown):
            self.surveys += 1
            begin, end = first + int(unknown[0]), first + int(unknown[-1])
            # What could not be read before stays refused.
            found_F = sound_between(self.path, self.index, begin, end)
            self._sound_F[begin : end + 1] &= found_F
            self._known_F[begin : end + 1] = True
        return self._sound_F[first : last + 1]

    def _is_sound(self, frame_index: int) -> bool:
        """Whether a frame is sound; only after a complaint that concerns it is it looked at."""
        if self._known_F[frame_index]:
            return bool(self._sound_F[frame_index])
        start = self.index.start_of_F[frame_index]
        until = self.index.position_of_F[frame_index]
        if all(not start <= at <= until for at in self._complaints):
            return True
        group = np.flatnonzero(self.index.start_of_F == start)
        return bool(self.sound(int(group[0]), int(group[-1]))[frame_index - group[0]])

    def _look_at(self, index: int, frame: VideoFrame) -> None:
        """Complain of a frame that the codec had to make up, or of a keyframe that is none."""
        if not self.index.by_count:
            position = int(self.index.position_of_F[index])
            false = self.index.keyframe_P[position] and not frame.key_frame
            if frame.is_corrupt or (false and self._codec in CHECKED_KEYFRAME_CODECS):
                self._complain(position)

    def _complain(self, position: int) -> None:
        """Note a complaint, unless decoding began too late for the frame of the packet."""
        self._soiled = True
        frame_index = self.index.frame_of_P[position]
        if frame_index < 0 or self.index.start_of_F[frame_index] >= self._origin:
            self._complaints.add(position)

    # ------------------------------------------------------------ one frame

    def _frame(self, frame_index: int, following: int | None) -> VideoFrame | None:
        """Return a frame, or ``None`` if it does not come out where it should."""
        if all(index != frame_index for index, _ in self._ready):
            self._approach(frame_index)
        may_drain = following is not None and self._jumps_between(frame_index, following)
        while True:
            while self._ready and self._ready[0][0] <= frame_index:
                self._reached, frame = self._ready.popleft()
                if self._reached == frame_index:
                    return frame
            if self._ready or self._drained or not self._decode_more(frame_index, may_drain):
                return None

    def _approach(self, frame_index: int) -> None:
        """Go to where decoding must start, unless the present position leads there."""
        behind = frame_index <= self._reached or frame_index in self._skipped
        if self._sequential:
            if behind:
                self._open_again()
            return
        start = int(self.index.start_of_F[frame_index])
        if behind or self._drained or start > self._next:
            self._jump(start)

    def _jumps_between(self, frame_index: int, following: int) -> bool:
        """Whether the codec can be emptied after a frame, because a jump follows anyway."""
        if self._sequential:
            return False
        return bool(self.index.start_of_F[following] > self.index.position_of_F[frame_index] + 1)

    def _decode_more(self, frame_index: int, may_drain: bool) -> bool:
        """Decode one packet more; ``False`` when the file is not what the index says."""
        if may_drain and self._next > self.index.position_of_F[frame_index]:
            return self._drain()
        if not self._sequential and self._next == len(self.index.pts_P):
            return self._drain()
        packet = self._opened.read()
        if packet is None:
            return self._drain()
        position = self._next
        if not (self._sequential or self.index.holds(packet, self._next)):
            return False
        may_skip = self._may_skip(self._next)
        self._next += 1
        self.decoded_packets += 1
        frames = self._opened.decode(packet, may_skip)
        told = self._opened.refusal or self._opened.messages or packet.is_corrupt
        if told and position < len(self.index.pts_P):
            self._complain(position)
        return self._take(frames)

    def _may_skip(self, position: int) -> bool:
        """Whether the frame of a packet is passed over; later calls only want later ones."""
        if self._sequential or not self._can_drop:
            return False
        frame_index = int(self.index.frame_of_P[position])
        if frame_index >= self._last_wanted or frame_index in self._wanted:
            return False
        self._skipped.add(frame_index)
        return True

    def _drain(self) -> bool:
        self._drained = True
        return self._take(self._opened.decode(None))

    def _take(self, frames: list[VideoFrame]) -> bool:
        """Queue what came out; ``False`` for a frame that no packet promised."""
        for frame in frames:
            index = self._count if self.index.by_count else self.index.frame_at(frame.pts)
            self._count += 1
            if index is not None:
                self._look_at(index, frame)
                self._ready.append((index, frame))
            elif not self._sequential:
                return False
        return True

    # ------------------------------------------------------------ moving

    def _jump(self, start: int) -> None:
        """Make the packet at ``start`` the next one to be decoded."""
        if self._soiled:  # what damage leaves in a codec, emptying it does not take away
            self._open_again()
        ahead = start - self._next
        if 0 <= ahead <= _READ_THROUGH_PACKETS and self._next < len(self.index.pts_P):
            self._opened.forget()
            self._reset(self._next)
        elif not self._seek(start):
            self._open_again()
        while self._next < start and self._opened.read() is not None:
            self._next += 1
        self._origin = start

    def _seek(self, start: int) -> bool:
        """Seek to the packet or one before it; ``False`` where the file does not do that."""
        for ticks in (int(self.index.pts_P[start]), int(self.index.dts_P[start])):
            landed = self.index.position_of(self._opened.seek(ticks))
            if landed is not None and landed <= start:
                self._reset(landed)
                return True
        return False

    def _open_again(self) -> None:
        self._opened.close()
        self._opened = OpenStream(self.path)
        self._reset()

    def _reset(self, position: int = 0) -> None:
        self._next = self._origin = position
        self._soiled = False
        self._ready: deque[tuple[int, VideoFrame]] = deque()
        self._drained = False
        self._reached = -1
        self._skipped = set()
        self._count = 0

    def _missing(self, frame_index: int) -> VideoError:
        starved = self._opened.lacked_memory
        why = "it needs more memory than is there" if starved else "the data is damaged there"
        return VideoError(
            f"{self.path}: frame {frame_index} cannot be decoded, {why}; "
            f"{self._reached + 1} of {counted(self.index.frame_count, 'frame')} before it can "
            "be read"
        )


def first_picture(path: str) -> Picture:
    """Decode frames until the first comes out, and look at it.

    Raises
    ------
    VideoError
        None comes out.
    """
    opened = OpenStream(path)
    try:
        for _ in opened.decode_all():
            if opened.picture is not None:
                return opened.picture
        raise opened.without_picture()
    finally:
        opened.close()

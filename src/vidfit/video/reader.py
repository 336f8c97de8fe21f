"""Read chosen frames of a video, each exactly as a full decode would give it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Clip, Indices, Sampling, Seconds
from vidfit.errors import VideoError
from vidfit.shown import counted
from vidfit.video.folder import FolderDecoder
from vidfit.video.frame import DecodedFrame, Scalers
from vidfit.video.hold import Hold
from vidfit.video.info import VideoInfo
from vidfit.video.member import is_url, split_member
from vidfit.video.names import is_folder, is_photo
from vidfit.video.sample import frame_indices, frames_of_span
from vidfit.video.stored import StoredFrames, holds_frames
from vidfit.video.stream import StreamDecoder

FrameSource = StreamDecoder | FolderDecoder | StoredFrames
"""What a reader reads from: a stream of packets, a folder of images, or frames in a shard."""


class VideoReader:
    """Frames of one video by their place in it, and their timestamps.

    Reading goes forward from where it is when that costs less than a seek, so a long video
    can be read window by window with no frame decoded twice. One reader serves one thread;
    each decodes with one codec thread, as two videos in two threads are faster than two
    codec threads on one. Frames that were read outlive it; what still yields frames when it is
    closed, in whatever thread, ends in an error.

    Parameters
    ----------
    path
        A video file or GIF, a folder of frame images (natural order of names, 25 frames a
        second), a URL that fsspec can open, or a member of a shard (``A.tar::NAME``). Of
        frames in a shard only those can be read that were stored; see ``stored``.

    Raises
    ------
    VideoError
        It cannot be read as a video; the message says why in one line.
    """

    def __init__(self, path: str) -> None:
        self.path = str(path)
        self._scalers = Scalers()
        self._source = _open_source(self.path)
        self._hold = Hold(self.path, self._source.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file, once a frame that is being decoded in another thread is there."""
        self._hold.end()

    @property
    def stored(self) -> StoredFrames | None:
        """Frames that were decoded before, where the path names some in a shard."""
        return self._source if isinstance(self._source, StoredFrames) else None

    @property
    def pts_seconds(self) -> Seconds:
        """When each frame is shown, float64 [F], increasing; the first is 0.0."""
        return self._source.timing.pts_seconds_F

    @property
    def keyframes(self) -> Indices:
        """The frames that decode alone, int64 [K], increasing.

        None of a stream that can only be decoded from its first packet, and of stored frames.
        """
        source = self._source
        return np.zeros(0, np.int64) if isinstance(source, StoredFrames) else source.alone

    @property
    def duration_seconds(self) -> float:
        """Time from the first frame to the end of the last."""
        return self._source.timing.duration_seconds

    def span_of(self, clip: Clip) -> tuple[int, int]:
        """Return the first and last frame of a clip of this video.

        Raises
        ------
        VideoError
            Its span is empty, or holds no frame.
        """
        span = clip.start_seconds, clip.end_seconds
        return frames_of_span(self.pts_seconds, *span, self.duration_seconds)

    def choose(self, clip: Clip, sampling: Sampling) -> Indices:
        """Return the frames [num_clips, clip_len] of a clip that `frame_indices` chooses.

        Raises
        ------
        VideoError
            The clip's span is empty, or holds no frame.
        """
        span = clip.start_seconds, clip.end_seconds
        return frame_indices(self.pts_seconds, *span, sampling, self.duration_seconds)

    @cached_property
    def info(self) -> VideoInfo:
        """The facts of this video; the first use decodes one frame, apart from reading."""
        timing, picture = self._source.timing, self._source.picture()
        return VideoInfo(
            path=self.path,
            width_pixels=picture.width_pixels,
            height_pixels=picture.height_pixels,
            rotation_degrees=90 * picture.orientation.quarter_turns,
            is_mirrored=picture.orientation.is_mirrored,
            pixel_aspect=picture.pixel_aspect,
            codec=picture.codec,
            pixel_format=picture.pixel_format,
            frame_count=len(timing.pts_seconds_F),
            duration_seconds=timing.duration_seconds,
            average_fps=len(timing.pts_seconds_F) / timing.duration_seconds,
            is_variable_rate=timing.is_variable_rate,
            keyframe_count=self._source.keyframe_count,
        )

    def frames(self, indices: Iterable[int] | Indices) -> Iterator[DecodedFrame]:
        """Yield the frames with these indices, one at a time.

        Parameters
        ----------
        indices
            Strictly increasing places in the video, from 0. May be called again with later
            ones, which goes on forward, or with earlier ones, which goes back.

        Raises
        ------
        VideoError
            An index is outside the video, they do not increase, or a frame is damaged: it
            cannot be decoded, the codec made it up, or it builds on one of these. The reader
            is closed.
        """
        wanted = np.fromiter(indices, np.int64)
        self._check(wanted)
        return self._frames(wanted)

    def sound_frames(self) -> Iterator[DecodedFrame]:
        """Yield all frames of the video that are sound, one at a time.

        Raises
        ------
        VideoError
            If none is.
        """
        following, found, count = 0, False, len(self.pts_seconds)
        while following < count:
            try:
                for frame in self.frames(range(following, count)):
                    found, following = True, frame.index + 1
                    yield frame
            except VideoError:
                following += 1
                if self._hold.is_closed or (following == count and not found):
                    raise

    def sound(self, first: int, last: int) -> NDArray[np.bool_]:
        """Return which of the frames ``first`` to ``last`` can be used; decodes them all.

        For when `frames` found damage: what to take in place of a frame that it refuses.

        Raises
        ------
        VideoError
            If the video can no longer be read.
        """
        with self._hold:
            return self._source.sound(first, last)

    def _frames(self, wanted: Indices) -> Iterator[DecodedFrame]:
        pts_seconds = self.pts_seconds
        found = self._source.frames(wanted)
        while True:
            with self._hold:
                index, frame = next(found, (-1, None))
                aspect = self._source.pixel_aspect
            if frame is None:
                return
            yield DecodedFrame(index, float(pts_seconds[index]), frame, self._scalers, aspect)

    def _check(self, wanted: Indices) -> None:
        count = len(self.pts_seconds)
        if len(wanted) and (np.diff(wanted) <= 0).any():
            raise VideoError("frame indices must be distinct and increasing; sort them first")
        if len(wanted) and (wanted[0] < 0 or wanted[-1] >= count):
            outside = wanted[0] if wanted[0] < 0 else wanted[-1]
            raise VideoError(f"{self.path}: no frame {outside}: {self._extent(count)}")

    @property
    def shortfall(self) -> str:
        """What is there of a file that is cut short, in a sentence; empty of a whole one."""
        if not self._source.cut_short:
            return ""
        count, declared = len(self.pts_seconds), self._source.declared_count
        of = f" of {declared}" if declared > count else ""
        return f"the file is cut short: {count}{of} frames are there"

    def _extent(self, count: int) -> str:
        declared = self._source.declared_count
        if declared > count:
            return f"{count} of {counted(declared, 'frame')} could be read, the file is cut short"
        return f"the video has {counted(count, 'frame')}, 0 to {count - 1}"


def probe(path: str) -> VideoInfo:
    """Return the facts of a video; reads its packets and decodes one frame.

    Raises
    ------
    VideoError
        It cannot be read as a video.
    """
    with VideoReader(path) as reader:
        return reader.info


def _open_source(path: str) -> FrameSource:
    if split_member(path):
        return StoredFrames(path) if holds_frames(path) else StreamDecoder(path)
    if not is_url(path) and (is_folder(path) or is_photo(Path(path))):
        return FolderDecoder(path)
    return StreamDecoder(path)

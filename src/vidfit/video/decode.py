"""Frames of a video as one array, chosen in one of four ways."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from vidfit.contracts import FrameBatch, Indices, Preprocessing, Sampling, Seconds
from vidfit.errors import VideoError
from vidfit.video.reader import VideoReader
from vidfit.video.sample import frame_indices, nearest_before


def decode(  # noqa: PLR0913 - the four ways to choose are exclusive, so that one call reads well
    path: str,
    *,
    indices: Iterable[int] | Indices | None = None,
    timestamps_seconds: Iterable[float] | Seconds | None = None,
    fps: float | None = None,
    count: int | None = None,
    start_seconds: float = 0.0,
    end_seconds: float | None = None,
    preprocessing: Preprocessing | None = None,
) -> FrameBatch:
    """Decode chosen frames; exactly one of the four ways of choosing must be given.

    Parameters
    ----------
    path
        File, GIF, folder of frames or URL.
    indices
        Places in the video, in any order, repeats allowed.
    timestamps_seconds
        Moments; each is answered by the frame on screen then.
    fps
        So many frames a second of the span, from its start.
    count
        So many frames, at the centres of equal parts of the span.
    start_seconds, end_seconds
        The span for ``fps`` and ``count``; ``None`` is the end of the video.
    preprocessing
        Size of the frames; ``None`` keeps the native size.

    Returns
    -------
    FrameBatch
        Frames in the order in which they were asked for.

    Raises
    ------
    VideoError
        The video cannot be read, or the choice does not name frames in it.
    """
    given = [way is not None for way in (indices, timestamps_seconds, fps, count)]
    if sum(given) != 1:
        raise VideoError(
            f"decode needs exactly one of indices, timestamps_seconds, fps, count; got {sum(given)}"
        )
    with VideoReader(path) as reader:
        if indices is not None:
            chosen = np.fromiter(indices, np.int64)
        elif timestamps_seconds is not None:
            chosen = _at(reader, np.fromiter(timestamps_seconds, np.float64))
        elif fps is not None:
            chosen = _at_rate(reader, fps, start_seconds, end_seconds)
        else:
            sampling = Sampling(clip_len=1, num_clips=_positive(count or 0))
            chosen = frame_indices(reader.pts_seconds, start_seconds, end_seconds, sampling).ravel()
        return read_batch(reader, chosen, preprocessing)


def read_batch(
    reader: VideoReader, indices_T: Indices, preprocessing: Preprocessing | None
) -> FrameBatch:
    """Read frames in the order given; each is decoded and scaled once."""
    if len(indices_T) == 0:
        raise VideoError(f"{reader.path}: no frames were asked for; give at least one index")
    distinct, place_T = np.unique(indices_T, return_inverse=True)
    frames = [frame.rgb(preprocessing) for frame in reader.frames(distinct)]
    if len({frame.shape for frame in frames}) > 1:
        raise VideoError(
            f"{reader.path}: frames differ in size; give a preprocessing to bring them to one"
        )
    stacked = np.stack(frames)
    if not np.array_equal(distinct, indices_T):
        stacked = stacked[place_T]
    return FrameBatch(stacked, reader.pts_seconds[indices_T], indices_T)


def _at(reader: VideoReader, moments_seconds: Seconds) -> Indices:
    end = reader.duration_seconds
    outside = (moments_seconds < 0) | ~(moments_seconds <= end)
    if outside.any():
        raise VideoError(
            f"{reader.path}: no frame at {moments_seconds[outside][0]:g} s; "
            f"the video lasts from 0 to {end:g} s"
        )
    return nearest_before(reader.pts_seconds, moments_seconds)


def _at_rate(
    reader: VideoReader, fps: float, start_seconds: float, end_seconds: float | None
) -> Indices:
    end = reader.duration_seconds if end_seconds is None else end_seconds
    end = min(end, reader.duration_seconds)
    if not (fps > 0 and 0 <= start_seconds < end):
        raise VideoError(
            f"{reader.path}: cannot take {fps:g} frames a second from {start_seconds:g} s to "
            f"{end:g} s; fps must be positive and the span not empty"
        )
    moments = start_seconds + np.arange(np.ceil((end - start_seconds) * fps - 1e-6)) / fps
    return nearest_before(reader.pts_seconds, moments)


def _positive(count: int) -> int:
    if count < 1:
        raise VideoError(f"count must be at least 1, got {count}")
    return count

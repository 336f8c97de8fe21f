"""Frames of a video as one array, chosen in one of four ways."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from vidfit.contracts import Clip, FrameBatch, Indices, Preprocessing, Sampling, Seconds
from vidfit.errors import VideoError
from vidfit.video.reader import VideoReader
from vidfit.video.sample import nearest_before


def decode(
    video: str | Clip,
    *,
    indices: Iterable[int] | Indices | None = None,
    timestamps_seconds: Iterable[float] | Seconds | None = None,
    fps: float | None = None,
    count: int | None = None,
    preprocessing: Preprocessing | None = None,
) -> FrameBatch:
    """Decode chosen frames; exactly one of the four ways of choosing must be given.

    Parameters
    ----------
    video
        Path of a file, GIF or folder of frames, or a URL; or a clip, whose span then bounds
        ``fps`` and ``count``.
    indices
        Places in the video, in any order, repeats allowed.
    timestamps_seconds
        Moments of the video; each is answered by the frame on screen then.
    fps
        So many frames a second, from the start of the video or clip.
    count
        So many frames, at the centres of equal parts of the video or clip.
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
    clip = video if isinstance(video, Clip) else Clip(str(video))
    with VideoReader(clip.path) as reader:
        if indices is not None:
            chosen = np.fromiter(indices, np.int64)
        elif timestamps_seconds is not None:
            chosen = _at(reader, np.fromiter(timestamps_seconds, np.float64))
        elif fps is not None:
            chosen = _at_rate(reader, fps, clip)
        else:
            chosen = _evenly(reader, count or 0, clip)
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


def _at_rate(reader: VideoReader, fps: float, clip: Clip) -> Indices:
    end = reader.duration_seconds if clip.end_seconds is None else clip.end_seconds
    end = min(end, reader.duration_seconds)
    if not (fps > 0 and 0 <= clip.start_seconds < end):
        raise VideoError(
            f"{reader.path}: cannot take {fps:g} frames a second from {clip.start_seconds:g} s to "
            f"{end:g} s; fps must be positive and the span not empty"
        )
    moments = np.arange(np.ceil((end - clip.start_seconds) * fps - 1e-6)) / fps
    return nearest_before(reader.pts_seconds, clip.start_seconds + moments)


def _evenly(reader: VideoReader, count: int, clip: Clip) -> Indices:
    if count < 1:
        raise VideoError(f"count must be at least 1, got {count}")
    sampling = Sampling(clip_len=1, num_clips=count)
    return reader.choose(clip, sampling).ravel()

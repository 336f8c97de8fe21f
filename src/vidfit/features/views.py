"""The frames that encoders want of a clip, decoded once for all of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from vidfit.contracts import Clip, Frames, Indices, Preprocessing, Sampling, Seconds
from vidfit.errors import VideoError
from vidfit.video import FrameLook, VideoReader


class Look(Protocol):
    """What decides on the frames of a clip: which are taken, and their size."""

    @property
    def sampling(self) -> Sampling:
        """Which frames."""
        ...

    @property
    def preprocessing(self) -> Preprocessing:
        """Of what size; mean and deviation do not matter here."""
        ...


def gather_views(
    reader: VideoReader, clip: Clip, specs: Sequence[Look], notes: list[str] | None = None
) -> list[tuple[Indices, Frames]]:
    """Decode the union of the wanted frames once and scale each for those who want it.

    In place of a damaged frame the nearest sound one of the clip is taken.

    Parameters
    ----------
    notes
        Takes what a reader of the answer should know of the frames, a sentence each.

    Returns
    -------
    list
        For each encoder, frame indices [V, T] and frames [V, T, H, W, 3].

    Raises
    ------
    VideoError
        If no frame of the clip is sound, or the reader has stored frames of another look.
    """
    specs = [_sized(spec, reader) for spec in specs]
    if stored := reader.stored:
        return [stored.views(FrameLook(spec.sampling, spec.preprocessing)) for spec in specs]
    wanted = _wanted(reader, clip, specs)
    views, taken, damaged = _sound_views(reader, clip, specs, wanted)
    if notes is not None:
        notes += _noted(reader, specs, wanted) + ([damaged] if damaged else [])
    return list(zip(taken, views, strict=True))


Gathered = tuple[list[tuple[Indices, Frames]], list[str]]
"""What `gather_views` returns for a clip, and what it notes."""


def gather_together(
    reader: VideoReader, asked: Sequence[tuple[Clip, Sequence[Look]]]
) -> list[Gathered]:
    """Decode what several clips of a video want in one pass; each frame once.

    It saves time where clips overlap: one after the other, `gather_views` goes back for each.

    Returns
    -------
    list
        For each clip what `gather_views` gives; empty if a frame is damaged, a clip is none of
        the video, or frames are stored: `gather_views` deals with these.
    """
    if reader.stored:
        return []
    asked = [(clip, [_sized(spec, reader) for spec in specs]) for clip, specs in asked]
    try:
        wanted = [_wanted(reader, clip, specs) for clip, specs in asked]
        every_spec = [spec for _, specs in asked for spec in specs]
        views = iter(_gathered(reader, every_spec, [one for of in wanted for one in of]))
    except VideoError:
        return []
    return [
        ([(indices_VT, next(views)) for indices_VT in of], _noted(reader, specs, of))
        for (_, specs), of in zip(asked, wanted, strict=True)
    ]


def views_bytes(specs: Sequence[Look]) -> int:
    """Return the memory that the frames of one clip take."""
    counts = (spec.sampling.num_clips * spec.sampling.clip_len for spec in specs)
    sizes = (3 * math.prod(_geometry(spec.preprocessing)[:2]) for spec in specs)
    return sum(count * size for count, size in zip(counts, sizes, strict=True))


def _sized(look: Look, reader: VideoReader) -> Look:
    """Return what is looked for in frames of the size that this video has."""
    own = look.preprocessing.of(reader.info.height_pixels, reader.info.width_pixels)
    return look if own is look.preprocessing else FrameLook(look.sampling, own)


def _wanted(reader: VideoReader, clip: Clip, specs: Sequence[Look]) -> list[Indices]:
    return [_chosen(reader, clip, spec.sampling) for spec in specs]


def _chosen(reader: VideoReader, clip: Clip, sampling: Sampling) -> Indices:
    """Return the frames of a sampling [V, T]; of keyframes those of the clip alone, if any."""
    indices_VT = reader.choose(clip, sampling)
    if not sampling.keyframes:
        return indices_VT
    first, last = reader.span_of(clip)
    keys = reader.keyframes
    keys = keys[(first <= keys) & (keys <= last)]
    return _nearest(indices_VT, keys, reader.pts_seconds) if len(keys) else indices_VT


def _noted(reader: VideoReader, specs: Sequence[Look], wanted: Sequence[Indices]) -> list[str]:
    """Say what of a video is not there, or is there more than once."""
    cut_short = [reader.shortfall] if reader.shortfall else []
    return cut_short + _repeats(wanted, specs, reader.pts_seconds)


def _sound_views(
    reader: VideoReader, clip: Clip, specs: Sequence[Look], wanted: Sequence[Indices]
) -> tuple[list[Frames], Sequence[Indices], str]:
    """Return frames by encoder, their indices, and, where others were taken, a note on that."""
    damaged = 0
    taken = wanted
    while True:
        try:
            views = _gathered(reader, specs, taken)
            break
        except VideoError:
            first, last = reader.span_of(clip)
            sound_F = reader.sound(first, last)
            if damaged == (damaged := int((~sound_F).sum())) or not sound_F.any():
                raise
            usable = first + np.flatnonzero(sound_F)
            taken = [_nearest(indices_VT, usable, reader.pts_seconds) for indices_VT in wanted]
    if not damaged:
        return views, taken, ""
    return views, taken, f"{damaged} of {len(sound_F)} frames are damaged; others were taken"


def _gathered(
    reader: VideoReader, specs: Sequence[Look], wanted: Sequence[Indices]
) -> list[Frames]:
    views = [
        np.empty((*indices.shape, *_geometry(spec.preprocessing)[:2], 3), np.uint8)
        for spec, indices in zip(specs, wanted, strict=True)
    ]
    for frame in reader.frames(np.unique(np.concatenate([w.ravel() for w in wanted]))):
        scaled: dict[tuple[int, int, int | None], Frames] = {}
        for spec, indices_VT, frames_VTHWC in zip(specs, wanted, views, strict=True):
            places_VT = indices_VT == frame.index
            if places_VT.any():
                geometry = _geometry(spec.preprocessing)
                if geometry not in scaled:
                    scaled[geometry] = frame.rgb(spec.preprocessing)
                frames_VTHWC[places_VT] = scaled[geometry]
    return views


def _nearest(indices_VT: Indices, usable: Indices, pts_seconds: Seconds) -> Indices:
    """Return for each frame the usable one nearest in time; the earlier of two."""
    after = np.searchsorted(usable, indices_VT).clip(1, len(usable) - 1) if len(usable) > 1 else 0
    earlier, later = usable[np.maximum(after - 1, 0)], usable[after]
    moments = pts_seconds[indices_VT]
    is_later = np.abs(pts_seconds[later] - moments) < np.abs(pts_seconds[earlier] - moments)
    return np.where(is_later, later, earlier).reshape(indices_VT.shape)


def _repeats(wanted: Sequence[Indices], specs: Sequence[Look], pts_seconds: Seconds) -> list[str]:
    """Say where a view repeats frames because the video has fewer than are asked for."""
    usual_seconds = float(np.median(np.diff(pts_seconds))) if len(pts_seconds) > 1 else 0.0
    said = []
    for indices_VT, spec in zip(wanted, specs, strict=True):
        length, interval = spec.sampling.clip_len, spec.sampling.interval_seconds
        distinct = min(len(np.unique(indices_T)) for indices_T in indices_VT)
        if interval is not None and usual_seconds > interval and 2 * distinct <= length:
            said.append(
                f"views of {length} frames, {interval:.2g} s apart, repeat {distinct} of them: "
                f"the video has one every {usual_seconds:.2g} s"
            )
    return said


def _geometry(preprocessing: Preprocessing) -> tuple[int, int, int | None]:
    return (
        preprocessing.height_pixels,
        preprocessing.width_pixels,
        preprocessing.short_side_pixels,
    )

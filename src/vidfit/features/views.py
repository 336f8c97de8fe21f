"""The frames that encoders want of a clip, decoded once for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from vidfit.contracts import Clip, Frames, Indices, Preprocessing, Sampling
from vidfit.video import FrameLook, VideoReader, frame_indices


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
    reader: VideoReader, clip: Clip, specs: Sequence[Look]
) -> list[tuple[Indices, Frames]]:
    """Decode the union of the wanted frames once and scale each for those who want it.

    Returns
    -------
    list
        For each encoder, frame indices [V, T] and frames [V, T, H, W, 3].

    Raises
    ------
    VideoError
        If a wanted frame cannot be decoded, or the reader has stored frames of another look.
    """
    if stored := reader.stored:
        return [stored.views(FrameLook(spec.sampling, spec.preprocessing)) for spec in specs]
    wanted = [
        frame_indices(reader.pts_seconds, clip.start_seconds, clip.end_seconds, spec.sampling)
        for spec in specs
    ]
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
    return list(zip(wanted, views, strict=True))


def _geometry(preprocessing: Preprocessing) -> tuple[int, int, int | None]:
    return (
        preprocessing.height_pixels,
        preprocessing.width_pixels,
        preprocessing.short_side_pixels,
    )

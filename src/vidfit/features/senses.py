"""What encoders are given of a clip: views of its frames, of its sound, or its words.

A clip may lack one of them. That is no failure of the clip: who sees it is given the reason
instead of views, and has no tokens of the clip.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import BackboneSpec, Clip, Indices, Sampling, Seconds, is_words
from vidfit.errors import VideoError
from vidfit.features.views import Gathered, gather_views
from vidfit.shown import counted
from vidfit.video import VideoReader
from vidfit.video.sound import SoundReader

NO_WORDS = "it has no words: neither a text of its own nor subtitles"

_MOMENTS = 8


@dataclass(frozen=True)
class GivenViews:
    """Views [B, ...] of a clip, and which frames, or moments of its sound, they show.

    ``note`` says what a reader of the answer should know of them; ``text`` what is said, for
    encoders that read it beside frames.
    """

    views: NDArray[Any]
    indices: Indices
    pts_seconds: Seconds
    note: str = ""
    text: str = ""


class Readers:
    """Each thread's open files, kept while what is asked next is of the same file."""

    def __init__(self) -> None:
        self._open: dict[tuple[int, int], tuple[str, VideoReader | SoundReader]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def frames(self, path: str) -> VideoReader:
        """Return what reads the frames of a file."""
        found = self._kept(path, 0)
        if not isinstance(found, VideoReader):
            found = VideoReader(path)
            self._open[threading.get_ident(), 0] = (path, found)
        return found

    def sound(self, path: str, rate_hertz: int) -> SoundReader:
        """Return what reads the sound of a file at a rate."""
        found = self._kept(path, rate_hertz)
        if not isinstance(found, SoundReader):
            found = SoundReader(path, rate_hertz)
            self._open[threading.get_ident(), rate_hertz] = (path, found)
        return found

    def close(self) -> None:
        """Close all files, of all threads."""
        for _, reader in self._open.values():
            reader.close()
        self._open.clear()

    def _kept(self, path: str, rate_hertz: int) -> VideoReader | SoundReader | None:
        """Return this thread's open reader of a file; one of another file is closed."""
        place = (threading.get_ident(), rate_hertz)
        if place in self._open and self._open[place][0] == path:
            return self._open[place][1]
        if place in self._open:
            self._open.pop(place)[1].close()
        return None


def gather(
    readers: Readers,
    clip: Clip,
    specs: Sequence[BackboneSpec],
    ready: Gathered | None = None,
) -> list[GivenViews | str]:
    """Return what encoders are given of a clip, or why there is nothing for them.

    Parameters
    ----------
    ready
        Frames for those of the encoders that see frames, where they were decoded before.
    """
    framed = [spec for spec in specs if spec.sees == "frames"]
    frames = iter(_frames(readers, clip, framed, ready) if framed else [])
    found: list[GivenViews | str] = []
    for spec in specs:
        if spec.sees == "frames":
            found.append(_with_text(next(frames), clip, spec))
        elif spec.sees == "sound":
            found.append(_sound(readers, clip, spec.sampling))
        else:
            found.append(_words(clip))
    return found


def _frames(
    readers: Readers,
    clip: Clip,
    specs: Sequence[BackboneSpec],
    ready: Gathered | None,
) -> list[GivenViews | str]:
    if is_words(clip.path):
        return ["it is words alone, without pictures"] * len(specs)
    notes: list[str] = []
    try:
        reader = readers.frames(clip.path)
        views, notes = ready or (gather_views(reader, clip, specs, notes), notes)
    except VideoError as error:
        return [str(error)] * len(specs)
    shown: list[GivenViews | str] = []
    for indices_VT, frames_VTHWC in views:
        seen = np.unique(indices_VT)
        shown.append(GivenViews(frames_VTHWC, seen, reader.pts_seconds[seen], "; ".join(notes)))
    return shown


def _sound(readers: Readers, clip: Clip, sampling: Sampling) -> GivenViews | str:
    """Return views [V, S] of the sound of a clip, at the centres of V equal parts of it."""
    if is_words(clip.path):
        return "it is words alone, without sound"
    rate, most = sampling.rate_hertz, sampling.clip_len * sampling.num_clips
    first = round(clip.start_seconds * rate)
    stop = None if clip.end_seconds is None else round(clip.end_seconds * rate)
    try:
        reader = readers.sound(clip.path, rate)
        near = first + most + 1
        heard_S = reader.samples(first, near if stop is None else min(stop, near))
        count = len(heard_S)
        if count > most:  # only a part of it is heard
            count = min(reader.count, reader.count if stop is None else stop) - first
        if not count:
            return f"{clip.path}: its sound ends before this clip"
        size = min(count, sampling.clip_len)
        parts = min(math.ceil(count / size), sampling.num_clips)
        middle_V = (np.arange(parts) + 0.5) / parts * count
        starts_V = np.clip(np.round(middle_V - size / 2).astype(np.int64), 0, count - size)
        if count > most:
            views = [reader.samples(first + at, first + at + size) for at in starts_V.tolist()]
        else:
            views = [heard_S[at : at + size] for at in starts_V.tolist()]
    except VideoError as error:
        return str(error)
    moments = first + ((np.arange(_MOMENTS) + 0.5) / _MOMENTS * count).astype(np.int64)
    cut = f"damaged, and silent: {counted(reader.damaged, 'packet')} of its sound"
    return GivenViews(np.stack(views), moments, moments / rate, cut if reader.damaged else "")


def _with_text(given: GivenViews | str, clip: Clip, spec: BackboneSpec) -> GivenViews | str:
    """Return views with what is said, for an encoder that reads it."""
    if isinstance(given, str) or not spec.reads:
        return given
    return replace(given, text=(clip.text or "").strip())


def _words(clip: Clip) -> GivenViews | str:
    text = (clip.text or "").strip()
    if not text:
        return NO_WORDS
    nothing = np.zeros(0, np.int64)
    return GivenViews(np.array([text]), nothing, nothing.astype(np.float64))

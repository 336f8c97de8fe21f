"""How long what is answered is, and what is said in it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from vidfit.contracts import Clip, is_words
from vidfit.errors import ManifestError, VideoError
from vidfit.manifest.subtitles import cues_beside, words_within
from vidfit.video import VideoReader
from vidfit.video.sound import SoundReader
from vidfit.views import Sees

_RATE_HERTZ = 16_000


@dataclass(frozen=True)
class Extent:
    """A video, a file of sound, or words alone: how long, and of how many frames."""

    path: str
    duration_seconds: float
    frame_count: int


def extent_of(path: str, senses: Collection[Sees]) -> Extent:
    """Return how long a file is: of its frames, or of its sound where a member hears it.

    Raises
    ------
    VideoError
        If it has nothing that the members see.
    """
    if is_words(path):
        return Extent(path, 0.0, 0)
    try:
        with VideoReader(path) as reader:  # kept, though closed: those to come share its index
            return Extent(path, reader.info.duration_seconds, reader.info.frame_count)
    except VideoError:
        if "sound" not in senses:
            raise
    with SoundReader(path, _RATE_HERTZ) as sound:
        return Extent(path, sound.stated_seconds or sound.count / _RATE_HERTZ, 0)


def with_text(clips: Sequence[Clip], senses: Collection[Sees], text: str) -> list[Clip]:
    """Return windows with what is said in each, where a member reads it.

    Parameters
    ----------
    text
        What is known to be said in all of them; it counts where there is one window, for it does
        not say when. Else subtitles beside the video do.

    Raises
    ------
    VideoError
        If subtitles are there and cannot be read.
    """
    if "words" not in senses:
        return list(clips)
    if text and len(clips) == 1:
        return [replace(clips[0], text=text)]
    try:
        cues = cues_beside(clips[0].path)
    except ManifestError as error:
        raise VideoError(str(error)) from error
    said = [words_within(cues, clip.start_seconds, clip.end_seconds) for clip in clips]
    return [replace(clip, text=words or None) for clip, words in zip(clips, said, strict=True)]

"""What is told of shots: some of an index, and those that are like a clip or say some words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from vidfit.contracts import Clip, Floats
from vidfit.serve.library import clip_ids
from vidfit.serve.shots.looking import SeenVectors
from vidfit.serve.shots.shelf import OpenIndex

if TYPE_CHECKING:
    from vidfit.jobs.search.query import Query
    from vidfit.jobs.search.value import Hit

FindBy = Literal["look", "motion", "words"]


@dataclass(frozen=True, slots=True)
class FoundShot:
    """A shot: a ``clip`` of its own, with a poster and a span, and the ``video`` that it is of.

    ``score`` is how like what was asked for it is, more is nearer; ``null`` where nothing was.
    ``text`` is what is said there, of words.
    """

    clip: str
    video: str
    name: str
    start_seconds: float
    end_seconds: float
    key_seconds: float
    score: float | None
    text: str


@dataclass(frozen=True, slots=True)
class ShotList:
    """Shots of an index: those that were asked for, the nearest first, or else some of all.

    ``has_words`` is whether there are subtitles to search, ``knows_words`` whether pictures are
    found by words, too. ``unreachable_count`` are videos of the index that lie outside of the
    folders that the server was started with, or are gone.
    """

    library: str
    by: Literal["look", "motion", "words", ""]
    video_count: int
    shot_count: int
    unreachable_count: int
    has_words: bool
    knows_words: bool
    asked: FoundShot | None
    shots: tuple[FoundShot, ...]


@dataclass(frozen=True)
class AskedShots:
    """What is asked for, and the vectors [Q, D] of it, by way."""

    asked: Query
    vectors: Mapping[str, Floats]


class Teller:
    """Makes shots of what an index finds; each is told under its id from then on.

    Parameters
    ----------
    names
        Of videos that are not in the index, by path.
    """

    def __init__(self, index: OpenIndex, names: Mapping[str, str]) -> None:
        self._names = {**index.names, **names}
        self.clips: dict[str, tuple[Clip, str]] = {}
        """Clips that were told, with their names, by id."""

    def shots(self, hits: Iterable[Hit], *, is_asked: bool) -> tuple[FoundShot, ...]:
        """Return hits as they are told."""
        found = tuple(hits)
        spans = [Clip(hit.path, hit.start_seconds, hit.end_seconds) for hit in found]
        wholes = [Clip(hit.path) for hit in found]
        told = []
        for hit, span, one, whole, video in zip(
            found, spans, clip_ids(spans), wholes, clip_ids(wholes), strict=True
        ):
            name = self._names[hit.path]
            self.clips[one] = span, f"{name} {hit.start_seconds:g} s"
            self.clips[video] = whole, name
            times = hit.start_seconds, hit.end_seconds, hit.key_seconds
            score = round(hit.score, 4) if is_asked else None
            told.append(FoundShot(one, video, name, *times, score, hit.text))
        return tuple(told)


def kept(index: OpenIndex, clip: Clip) -> AskedShots | None:
    """Return what an index has of a clip; ``None`` where it has nothing of it."""
    from vidfit.jobs.search.query import Query

    known = index.known(clip)
    if known is None:
        return None
    end = known.duration_seconds if clip.end_seconds is None else clip.end_seconds
    span = clip.start_seconds, end
    vectors = index.shots.vectors_of(known.digest, span)
    asked = Query("", "video", known.path, span, known.digest)
    return AskedShots(asked, vectors) if vectors else None


def seen(clip: Clip, looked: SeenVectors) -> AskedShots:
    """Return what was seen of a clip that the index has not."""
    from vidfit.jobs.search.query import Query

    span = clip.start_seconds, looked.end_seconds
    return AskedShots(Query("", "video", clip.path, span), arrays_of(looked))


def arrays_of(looked: SeenVectors) -> dict[str, Floats]:
    """Return vectors [Q, D], by way."""
    return {way: np.array(rows, np.float32) for way, rows in looked.vectors.items()}


def saying(index: OpenIndex, text: str, count: int) -> tuple[Hit, ...]:
    """Return the passages that say most of some words."""
    from vidfit.jobs.search.transcripts import found
    from vidfit.jobs.search.value import Hit

    return tuple(
        Hit(p.path, p.start_seconds, p.end_seconds, (p.start_seconds + p.end_seconds) / 2, score,
            p.text)
        for p, score in found(text, index.passages, count)
    )  # fmt: skip

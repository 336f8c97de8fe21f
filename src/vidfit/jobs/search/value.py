"""What `search` found: the shots that are most like what was asked for."""

from __future__ import annotations

from dataclasses import dataclass, field

from vidfit.contracts import Failure


@dataclass(frozen=True)
class Hit:
    """A shot of a video, where its key frame is, and how like it is: more is nearer.

    ``text`` is what is said there, where words were asked for. ``poster`` is a JPEG.
    """

    path: str
    start_seconds: float
    end_seconds: float
    key_seconds: float
    score: float
    text: str = ""
    poster: bytes = b""


@dataclass(frozen=True)
class Grown:
    """The state of the index: videos and shots that it has, and what was done now."""

    videos: int
    shots: int
    added: int = 0
    dropped: int = 0
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True)
class SearchResult:
    """The shots most like the query, the nearest first.

    Parameters
    ----------
    hits
        By way: ``look``, ``motion``, and for words ``words`` (what is said).
    by
        The way that is shown first.
    seconds
        Wall seconds of: the index, the query, and the comparison with all shots.
    """

    library: str
    query: str
    by: str
    hits: dict[str, tuple[Hit, ...]]
    index: Grown
    encoders: dict[str, str]
    seconds: dict[str, float] = field(default_factory=dict)

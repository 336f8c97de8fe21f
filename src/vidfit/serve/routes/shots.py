"""Shots of an index: some of them, those like a clip, and those that say some words."""

from __future__ import annotations

from dataclasses import dataclass

from vidfit.contracts import Clip
from vidfit.documents import FieldRule, Rules, within
from vidfit.serve.endpoint import Endpoint, Requested
from vidfit.serve.problems import ProblemError
from vidfit.serve.shots.shelf import OpenIndex
from vidfit.serve.shots.told import FindBy, ShotList, Teller, like, saying

_LONGEST_WORDS = 500
_MOST_SECONDS = 5e6
_SECONDS = FieldRule(
    lambda seconds: seconds is None or 0 <= seconds <= _MOST_SECONDS, f"0 to {_MOST_SECONDS:g}"
)


@dataclass(frozen=True, slots=True)
class ShotQuery:
    """What is looked for: what is like a ``clip``, whichever library it is of, or says a ``text``.

    Without either, some shots are sent, of one video each. Of the clip's video another part is
    meant where ``start`` and ``end`` are given, in seconds. ``by`` is how a clip is compared:
    ``look`` finds what looks alike, ``motion`` what moves alike.
    """

    clip: str | None = None
    start: float | None = None
    end: float | None = None
    text: str | None = None
    by: FindBy = "look"
    count: int = 24


RULES: Rules = {
    (ShotQuery, "count"): within(1, 500),
    (ShotQuery, "start"): _SECONDS,
    (ShotQuery, "end"): _SECONDS,
    (ShotQuery, "text"): FieldRule(
        lambda text: text is None or 0 < len(text.strip()) <= len(text) <= _LONGEST_WORDS,
        f"1 to {_LONGEST_WORDS} letters, not all blank",
    ),
}


def find(asked: Requested) -> ShotList:
    """Find shots of the index of a library."""
    libraries, query = asked.service.libraries, asked.query
    library = libraries.get(asked.path["library"])
    if query.clip is not None and query.text is not None:
        raise ProblemError(422, "a clip or words are looked for, not both; leave one away")
    index = asked.service.indexes.of(library)
    clip = None if query.clip is None else _clip(asked, index)
    teller = Teller(index)
    itself, is_asked = None, clip is not None or query.text is not None
    if clip is not None:
        hit, hits = like(index, clip, query.by, query.count)
        (itself,) = teller.shots([hit], is_asked=True)
    elif query.text is not None:
        hits = saying(index, query.text, query.count)
    else:
        hits = index.shots.some(index.videos, query.count)
    found = teller.shots(hits, is_asked=is_asked)
    libraries.lend(library, teller.clips)
    return ShotList(
        library.id,
        query.by if clip is not None else "words" if query.text is not None else "",
        len(index.videos),
        index.shot_count,
        index.unreachable_count,
        bool(index.passages),
        itself,
        found,
    )


def _clip(asked: Requested, index: OpenIndex) -> Clip:
    """Return the clip, or the part of its video, that is asked for."""
    query, libraries = asked.query, asked.service.libraries
    clip = index.by_id.get(query.clip) or libraries.clip(query.clip)[0]
    if query.start is None and query.end is None:
        return clip
    start = clip.start_seconds if query.start is None else query.start
    end = clip.end_seconds if query.end is None else query.end
    if end is not None and end <= start:
        raise ProblemError(422, f"the part ends at {end:g} s, before it begins at {start:g} s")
    return Clip(clip.path, start, end)


ENDPOINTS = (
    Endpoint(
        "GET", "/v1/libraries/{library}/shots", "Shots like a clip, or that say words", find,
        ShotList, query=ShotQuery,
    ),
)  # fmt: skip

"""Shots of an index: some of them, those like a clip, and those that say some words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from vidfit.contracts import Clip
from vidfit.documents import FieldRule, Rules, within
from vidfit.serve.endpoint import Endpoint, Requested
from vidfit.serve.problems import ProblemError, missing
from vidfit.serve.routes.clips import BeingMade
from vidfit.serve.shots.looking import LookTask, SeenVectors
from vidfit.serve.shots.shelf import OpenIndex
from vidfit.serve.shots.told import FindBy, ShotList, Teller, arrays_of, kept, saying, seen
from vidfit.serve.wire import json_of

if TYPE_CHECKING:
    from starlette.responses import Response

    from vidfit.jobs.search.value import Hit

_LONGEST_WORDS = 500
_MOST_SECONDS = 5e6
_SECONDS = FieldRule(
    lambda seconds: seconds is None or 0 <= seconds <= _MOST_SECONDS, f"0 to {_MOST_SECONDS:g}"
)


@dataclass(frozen=True, slots=True)
class ShotQuery:
    """What is looked for: what is like a ``clip``, whichever library it is of, or says a ``text``.

    Without either, some shots are sent, of one video each. Of the clip's video another part is
    meant where ``start`` and ``end`` are given, in seconds. ``by`` says how: of a clip ``look``
    finds what looks alike, ``motion`` what moves alike; of a text ``words`` finds what is said, and
    ``look`` what is seen, if the model of the index knows words.
    """

    clip: str | None = None
    start: float | None = None
    end: float | None = None
    text: str | None = None
    by: FindBy | None = None
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


def find(asked: Requested) -> ShotList | Response:
    """Find shots of the index of a library, or say that it is looked at what is asked for."""
    from starlette.responses import Response

    query, libraries = asked.query, asked.service.libraries
    library = libraries.get(asked.path["library"])
    index = asked.service.indexes.of(library)
    by = _way(query)
    try:
        itself, hits, names = _found(asked, index, by)
    except _WaitingError:
        content = json_of(BeingMade("waiting"))
        return Response(content, 202, {"retry-after": "1"}, "application/json")
    teller = Teller(index, names)
    of_asked = teller.shots([itself] if itself else [], is_asked=True)
    found = teller.shots(hits, is_asked=bool(by))
    libraries.lend(library, teller.clips)
    return ShotList(
        library.id,
        by,
        len(index.videos),
        index.shot_count,
        index.unreachable_count,
        bool(index.passages),
        index.knows_words,
        of_asked[0] if of_asked else None,
        found,
    )


class _WaitingError(Exception):
    """What is asked for is being looked at."""


def _way(query: ShotQuery) -> Literal["look", "motion", "words", ""]:
    """Return how is searched; raises ProblemError (422) for what has no meaning."""
    if query.clip is not None and query.text is not None:
        raise ProblemError(422, "a clip or words are looked for, not both; leave one away")
    if query.clip is None and query.text is None:
        return ""
    by = query.by or ("look" if query.text is None else "words")
    if by == ("words" if query.text is None else "motion"):
        kind, valid = ("a clip", "look, motion") if query.text is None else ("words", "words, look")
        raise ProblemError(422, f"{kind} cannot be looked for by {by}; valid are {valid}")
    return by


def _found(
    asked: Requested, index: OpenIndex, by: str
) -> tuple[Hit | None, tuple[Hit, ...], dict[str, str]]:
    """Return the clip that is asked for, the shots, and names of what is not in the index."""
    from vidfit.jobs.search.query import Query
    from vidfit.jobs.search.value import Hit

    query, names = asked.query, dict[str, str]()
    if not by:
        return None, index.shots.some(index.videos, query.count), names
    if by == "words":
        return None, saying(index, query.text, query.count), names
    if query.text is not None:
        vectors = arrays_of(_looked(asked, LookTask(index.folder, words=query.text)))
        words = Query(query.text, "words")
        return None, index.shots.nearest(by, vectors[by], words, index.videos, query.count), names
    clip, name = _clip(asked, index)
    of = kept(index, clip)
    if of is None:
        file = index.file(clip)
        if file is None:
            raise missing()
        task = LookTask(index.folder, str(file), clip.start_seconds, clip.end_seconds)
        of = seen(clip, _looked(asked, task))
        names = {} if clip.path in index.names else {clip.path: name}
    (start, end), vectors_QD = of.asked.span, of.vectors[by]
    itself = Hit(of.asked.path, start, end, (start + end) / 2, 1.0)
    return itself, index.shots.nearest(by, vectors_QD, of.asked, index.videos, query.count), names


def _looked(asked: Requested, task: LookTask) -> SeenVectors:
    """Return what was seen; raises ProblemError (422) where it cannot be looked at."""
    found = asked.service.looking.at(task)
    if found is None:
        raise _WaitingError
    if found.why:
        raise ProblemError(422, found.why)
    return found


def _clip(asked: Requested, index: OpenIndex) -> tuple[Clip, str]:
    """Return the clip, or the part of its video, that is asked for, and what it is called."""
    query, name = asked.query, ""
    clip = index.by_id.get(query.clip)
    if clip is None:
        clip, library = asked.service.libraries.clip(query.clip)
        name = library.names[library.place_of[query.clip]]
        name = name.removesuffix(f" {clip.start_seconds:g} s")
    if query.start is None and query.end is None:
        return clip, name
    start = clip.start_seconds if query.start is None else query.start
    end = clip.end_seconds if query.end is None else query.end
    if end is not None and end <= start:
        raise ProblemError(422, f"the part ends at {end:g} s, before it begins at {start:g} s")
    return Clip(clip.path, start, end), name


ENDPOINTS = (
    Endpoint(
        "GET", "/v1/libraries/{library}/shots", "Shots like a clip, or that say words", find,
        ShotList, query=ShotQuery, refusals=(202, 429),
    ),
)  # fmt: skip

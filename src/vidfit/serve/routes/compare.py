"""Two runs on the same clips, won, lost and by how much; and clips that look like one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vidfit.contracts import Clip
from vidfit.documents import Rules, within
from vidfit.label_kinds import names_in
from vidfit.serve.alike import AlikeList
from vidfit.serve.endpoint import Endpoint, Requested
from vidfit.serve.library import Library
from vidfit.serve.problems import ProblemError, missing
from vidfit.serve.routes.clips import BeingMade
from vidfit.serve.wire import json_of

if TYPE_CHECKING:
    from starlette.responses import Response


@dataclass(frozen=True, slots=True)
class CompareQuery:
    """Libraries of two runs."""

    first: str
    second: str


@dataclass(frozen=True, slots=True)
class AlikeQuery:
    """In the library of which run, and how many."""

    library: str
    count: int = 20


RULES: Rules = {(AlikeQuery, "count"): within(1, 1000)}


@dataclass(frozen=True, slots=True)
class ShareDifference:
    """A difference of shares with its 95 % interval; no interval of a single recording."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class RunComparison:
    """Clips that both runs answered: those that the second ``won``, and those that it ``lost``.

    ``first_accuracy`` and ``second_accuracy`` are the shares that each answers as they are
    labelled in the second run's report, ``difference`` is the second less the first.
    """

    first: str
    second: str
    clip_count: int
    recording_count: int
    first_accuracy: float
    second_accuracy: float
    won: tuple[str, ...]
    lost: tuple[str, ...]
    difference: ShareDifference


def compare(asked: Requested) -> RunComparison:
    """Compare two runs clip by clip."""
    from vidfit.metrics import paired_interval

    libraries = asked.service.libraries
    first, second = libraries.get(asked.query.first), libraries.get(asked.query.second)
    if "number" in (first.labels, second.labels):
        raise ProblemError(422, "answers that are numbers are not won or lost; compare classes")
    clips = _common(first, second)
    if not clips:
        raise ProblemError(422, "the two have no labelled clip in common that both answered")
    hits = {one: (_hit(first, one, clip), _hit(second, one, clip)) for one, clip in clips.items()}
    groups = [clip.recording for clip in clips.values()]
    gains = [int(b) - int(a) for a, b in hits.values()]
    found = paired_interval(gains, groups)
    return RunComparison(
        first.id,
        second.id,
        len(clips),
        len(set(groups)),
        sum(a for a, _ in hits.values()) / len(hits),
        sum(b for _, b in hits.values()) / len(hits),
        tuple(one for one, (a, b) in hits.items() if b and not a),
        tuple(one for one, (a, b) in hits.items() if a and not b),
        ShareDifference(float(found.value), _known(found.low), _known(found.high)),
    )


def alike(asked: Requested) -> AlikeList | Response:
    """Find the clips of a run that look like one of it."""
    from starlette.responses import Response

    library = asked.service.libraries.get(asked.query.library)
    clip = asked.path["clip"]
    if clip not in library.place_of:
        raise missing()
    found = asked.service.alike.nearest(library, clip, asked.query.count)
    if found is not None:
        return found
    content = json_of(BeingMade("waiting"))
    return Response(content, 202, {"retry-after": "1"}, "application/json")


def _common(first: Library, second: Library) -> dict[str, Clip]:
    """Return clips with a label that both runs answered, as the second has them."""
    pairs = zip(second.ids, second.clips, strict=True)
    return {
        one: clip
        for one, clip in pairs
        if clip.label is not None and one in first.answers and one in second.answers
    }


def _hit(library: Library, one: str, clip: Clip) -> bool:
    said = library.answers[one].predicted
    if library.labels == "several":
        return set(names_in(said)) == set(names_in(clip.label or ""))
    return said == clip.label


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


ENDPOINTS = (
    Endpoint(
        "GET", "/v1/clips/{clip}/similar", "Clips that look like it", alike, AlikeList,
        query=AlikeQuery, refusals=(202,),
    ),
    Endpoint("GET", "/v1/compare", "Two runs", compare, RunComparison, query=CompareQuery),
)  # fmt: skip

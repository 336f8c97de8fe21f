"""Spans of long videos: marked, altered, removed, taken back."""

from __future__ import annotations

from dataclasses import dataclass

from vidfit.documents import FieldRule, Rules, within
from vidfit.serve import spans
from vidfit.serve.endpoint import Endpoint, Requested
from vidfit.serve.problems import ProblemError
from vidfit.serve.routes.labels import LONGEST_LABEL
from vidfit.serve.spans import MarkedSpan, SpanWish
from vidfit.video.limits import FRAMES_MAX, SECONDS_MAX


@dataclass(frozen=True, slots=True)
class SpanList:
    """The spans of a clip that stand, by time."""

    spans: tuple[MarkedSpan, ...]


RULES: Rules = {
    (SpanWish, "start_seconds"): within(0, SECONDS_MAX),
    (SpanWish, "end_seconds"): within(0, SECONDS_MAX),
    (SpanWish, "start_frame"): within(0, FRAMES_MAX),
    (SpanWish, "end_frame"): within(0, FRAMES_MAX),
    (SpanWish, "label"): FieldRule(
        lambda text: 0 < len(text.strip()) == len(text) <= LONGEST_LABEL and text.isprintable(),
        f"1 to {LONGEST_LABEL} printable letters, no blank at either end",
    ),
}


def listed(asked: Requested) -> SpanList:
    """List the spans of a clip."""
    asked.service.libraries.clip(asked.path["clip"])
    return SpanList(tuple(spans.spans_of(asked.service.store, [asked.path["clip"]])))


def mark(asked: Requested) -> MarkedSpan:
    """Mark a span."""
    clip, _ = asked.service.libraries.clip(asked.path["clip"])
    _check(asked.body)
    return spans.mark(asked.service.store, asked.path["clip"], clip, asked.body, asked.person)


def alter(asked: Requested) -> MarkedSpan:
    """Give a span other edges or another label."""
    _check(asked.body)
    return spans.alter(asked.service.store, asked.path["span"], asked.body, asked.person)


def remove(asked: Requested) -> MarkedSpan:
    """Remove a span."""
    return spans.alter(asked.service.store, asked.path["span"], None, asked.person)


def undo(asked: Requested) -> MarkedSpan:
    """Take back the last change of a span."""
    return spans.take_back_span(asked.service.store, asked.path["span"], asked.person)


def _check(wish: SpanWish) -> None:
    if wish.end_seconds <= wish.start_seconds:
        raise ProblemError(422, "the span ends at or before its start")
    frames = (wish.start_frame, wish.end_frame)
    if (frames[0] is None) != (frames[1] is None):
        raise ProblemError(422, "give both start_frame and end_frame, or neither")
    if frames[0] is not None and frames[1] is not None and frames[1] < frames[0]:
        raise ProblemError(422, "the last frame lies before the first")


ENDPOINTS = (
    Endpoint("GET", "/v1/clips/{clip}/spans", "Spans of a clip", listed, SpanList),
    Endpoint(
        "POST", "/v1/clips/{clip}/spans", "Mark a span", mark, MarkedSpan, takes=SpanWish,
        status=201,
    ),
    Endpoint("PUT", "/v1/spans/{span}", "Alter a span", alter, MarkedSpan, takes=SpanWish),
    Endpoint("DELETE", "/v1/spans/{span}", "Remove a span", remove, MarkedSpan),
    Endpoint(
        "POST", "/v1/spans/{span}/undo", "Take back its last change", undo, MarkedSpan,
        refusals=(409,),
    ),
)  # fmt: skip

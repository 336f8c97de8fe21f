"""Spans of long videos that people marked: rows that are only ever added, as labels are."""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from vidfit.contracts import Clip
from vidfit.serve.labels import remember
from vidfit.serve.problems import ProblemError, missing
from vidfit.serve.store import Store

_COLUMNS = (
    "id, clip, seq, start_seconds, end_seconds, start_frame, end_frame, label, person, removed"
)


@dataclass(frozen=True, slots=True)
class SpanWish:
    """A span as a person marks it.

    Times are seconds from the first frame of the video; frames are numbered from 0, the last one
    is in the span. A rate is not kept: it is not the same throughout a video.
    """

    start_seconds: float
    end_seconds: float
    label: str
    start_frame: int | None = None
    end_frame: int | None = None


@dataclass(frozen=True, slots=True)
class MarkedSpan:
    """A span as it stands."""

    id: str
    clip: str
    seq: int
    start_seconds: float
    end_seconds: float
    start_frame: int | None
    end_frame: int | None
    label: str
    person: str
    removed: bool


def mark(store: Store, one: str, clip: Clip, wish: SpanWish, person: str) -> MarkedSpan:
    """Add a span to a clip; on disk when this returns."""
    span = MarkedSpan(
        secrets.token_hex(16), one, 0, wish.start_seconds, wish.end_seconds, wish.start_frame,
        wish.end_frame, wish.label, person, False,
    )  # fmt: skip

    def change(connection: sqlite3.Connection) -> MarkedSpan:
        remember(connection, one, clip)
        return _added(connection, span)

    return store.write(change)


def alter(store: Store, span_id: str, wish: SpanWish | None, person: str) -> MarkedSpan:
    """Give a span other edges or another label; without a wish, remove it.

    Raises
    ------
    ProblemError
        404 where there is no such span.
    """

    def change(connection: sqlite3.Connection) -> MarkedSpan:
        now = _versions(connection, span_id)[-1]
        if now.removed:
            raise missing()
        if wish is None:
            return _added(connection, replace(now, person=person, removed=True))
        return _added(
            connection,
            replace(
                now, start_seconds=wish.start_seconds, end_seconds=wish.end_seconds,
                start_frame=wish.start_frame, end_frame=wish.end_frame, label=wish.label,
                person=person,
            ),
        )  # fmt: skip

    return store.write(change)


def take_back_span(store: Store, span_id: str, person: str) -> MarkedSpan:
    """Return a span to what it was before its last change; a new one is removed.

    A row of what it was is added, so that undo after undo goes to and fro.

    Raises
    ------
    ProblemError
        404 where there is no such span; 409 where another person changed it last.
    """

    def change(connection: sqlite3.Connection) -> MarkedSpan:
        versions = _versions(connection, span_id)
        now = versions[-1]
        if now.person != person:
            raise ProblemError(409, f"{now.person} has changed it since; change it anew instead")
        before = versions[-2] if len(versions) > 1 else replace(now, removed=True)
        return _added(connection, replace(before, person=person))

    return store.write(change)


def spans_of(store: Store, clips: Sequence[str]) -> list[MarkedSpan]:
    """Return the spans of clips that stand, by time."""
    found: dict[str, MarkedSpan] = {}
    for clip in clips:
        query = f"SELECT {_COLUMNS} FROM spans WHERE clip = ? ORDER BY seq"
        found |= {row[0]: _span(row) for row in store.rows(query, (clip,))}
    standing = (span for span in found.values() if not span.removed)
    return sorted(standing, key=lambda span: (span.clip, span.start_seconds, span.seq))


def _versions(connection: sqlite3.Connection, span_id: str) -> list[MarkedSpan]:
    query = f"SELECT {_COLUMNS} FROM spans WHERE id = ? ORDER BY seq"
    found = [_span(row) for row in connection.execute(query, (span_id,))]
    if not found:
        raise missing()
    return found


def _span(row: Sequence[Any]) -> MarkedSpan:
    values = (*row[:-1], bool(row[-1]))
    return MarkedSpan(*values)


def _added(connection: sqlite3.Connection, span: MarkedSpan) -> MarkedSpan:
    added = connection.execute(
        "INSERT INTO spans(id, clip, person, start_seconds, end_seconds, start_frame, end_frame,"
        " label, removed, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            span.id, span.clip, span.person, span.start_seconds, span.end_seconds,
            span.start_frame, span.end_frame, span.label, span.removed, time.time(),
        ),
    )  # fmt: skip
    return replace(span, seq=added.lastrowid or 0)

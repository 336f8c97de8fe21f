"""Labels: given, taken back, listed, queued and exported."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vidfit.contracts import Clip
from vidfit.documents import FieldRule, Rules, within
from vidfit.serve import labels as given_labels
from vidfit.serve import queue
from vidfit.serve.endpoint import Endpoint, Nothing, Requested
from vidfit.serve.exports import MEDIA, Exported, ExportForm, export_labels, export_spans
from vidfit.serve.labels import GivenLabel, LabelBatch, LabelWish
from vidfit.serve.library import Library
from vidfit.serve.problems import ProblemError, missing
from vidfit.serve.queue import LONGEST_LEASE_SECONDS, QueueState, QueueWish
from vidfit.serve.spans import spans_of

if TYPE_CHECKING:
    from starlette.responses import Response

MOST_CLIPS = 10_000
MOST_ROWS = 2**63 - 1
"""That SQLite counts."""

LONGEST_LABEL = 200
_MOST_LEASED = 50


@dataclass(frozen=True, slots=True)
class UndoWish:
    """In which library your last batch is taken back."""

    library: str


@dataclass(frozen=True, slots=True)
class LabelQuery:
    """Whose labels, and after which row."""

    library: str
    since: int = 0


@dataclass(frozen=True, slots=True)
class LabelList:
    """What stands for clips whose rows changed, and the last row: ask for what comes after it."""

    seq: int
    rows: tuple[GivenLabel, ...]


@dataclass(frozen=True, slots=True)
class SkipWish:
    """A clip that is not to be shown to you again."""

    library: str
    clip: str


@dataclass(frozen=True, slots=True)
class ReleaseWish:
    """Clips that you do not want to label now."""

    clips: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ExportQuery:
    """In which form, and what."""

    form: ExportForm = "csv"
    what: Exported = "labels"


def _plain(text: str | None) -> bool:
    return text is None or (
        0 < len(text.strip()) == len(text) <= LONGEST_LABEL and text.isprintable()
    )


_IDS = FieldRule(lambda ids: 0 < len(ids) <= MOST_CLIPS, f"1 to {MOST_CLIPS:,} ids")
RULES: Rules = {
    (LabelWish, "clips"): _IDS,
    (ReleaseWish, "clips"): _IDS,
    (LabelQuery, "since"): within(0, MOST_ROWS),
    (LabelWish, "label"): FieldRule(
        _plain, f"1 to {LONGEST_LABEL} printable letters, no blank at either end"
    ),
    (QueueWish, "count"): FieldRule(lambda n: 1 <= n <= _MOST_LEASED, f"1 to {_MOST_LEASED}"),
    (QueueWish, "lease_seconds"): FieldRule(
        lambda s: 1 <= s <= LONGEST_LEASE_SECONDS, f"1 to {LONGEST_LEASE_SECONDS:g}"
    ),
}


def give(asked: Requested) -> LabelBatch:
    """Label clips; on disk when this answers."""
    library = asked.service.libraries.get(asked.body.library)
    clips = _clips(library, asked.body.clips)
    _check_label(asked.body, library)
    return given_labels.give(asked.service.store, clips, asked.body, asked.person)


def undo(asked: Requested) -> LabelBatch:
    """Take back your last batch that stands."""
    library = asked.service.libraries.get(asked.body.library)
    return given_labels.take_back(asked.service.store, library.ids, asked.person)


def listed(asked: Requested) -> LabelList:
    """List what stands for the clips of a library."""
    library = asked.service.libraries.get(asked.query.library)
    with asked.service.store.read() as connection:
        (last,) = connection.execute("SELECT coalesce(max(seq), 0) FROM labels").fetchone()
        found = given_labels.standing(connection, since=asked.query.since)
    here = tuple(row for one, row in found.items() if one in library.place_of)
    return LabelList(max([last, *(row.seq for row in here)]), here)


def next_clips(asked: Requested) -> QueueState:
    """Lease the next clips to label."""
    service, wish = asked.service, asked.body
    library = service.libraries.get(wish.library)
    order = service.order(library, wish.order)
    return queue.lease(service.store, library, order, wish, asked.person, service.closed)


def skip(asked: Requested) -> Response:
    """Skip a clip."""
    library = asked.service.libraries.get(asked.body.library)
    _clips(library, (asked.body.clip,))
    queue.skip(asked.service.store, asked.body.clip, asked.person)
    return _nothing()


def release(asked: Requested) -> Response:
    """Give leases back."""
    queue.release(asked.service.store, asked.body.clips, asked.person)
    return _nothing()


def export(asked: Requested) -> Response:
    """Send labels or spans as a file."""
    from starlette.responses import Response

    service, query = asked.service, asked.query
    library = service.libraries.get(asked.path["library"])
    if query.what == "labels":
        content = export_labels(library, service.given(library), query.form)
    else:
        spans = spans_of(service.store, library.ids)
        lengths = {one: service.length_seconds(one) for one in {span.clip for span in spans}}
        known = {one: seconds for one, seconds in lengths.items() if seconds is not None}
        content = export_spans(library, spans, query.form, known)
    ending, kind = MEDIA[query.form]
    name = f"{library.id}-{query.what}.{ending}"
    return Response(
        content, media_type=kind, headers={"content-disposition": f'attachment; filename="{name}"'}
    )


def _clips(library: Library, ids: tuple[str, ...]) -> dict[str, Clip]:
    """Return clips of a library by id; each is looked for."""
    places = {one: library.place_of.get(one) for one in ids}
    if None in places.values():
        raise missing()
    return {one: library.clips[place] for one, place in places.items() if place is not None}


def _check_label(wish: LabelWish, library: Library) -> None:
    """Refuse what is no label of the library's kind."""
    if wish.kind != "label":
        return
    if wish.label is None:
        raise ProblemError(422, "the body lacks the field 'label'; or give kind unsure or cleared")
    if library.labels != "number":
        return
    try:
        number = float(wish.label)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ProblemError(422, "the clips of this library are labelled with numbers; give one")


def _nothing() -> Response:
    from starlette.responses import Response

    return Response(status_code=204)


ENDPOINTS = (
    Endpoint("POST", "/v1/labels", "Label clips", give, LabelBatch, takes=LabelWish, status=201),
    Endpoint(
        "POST", "/v1/labels/undo", "Take back your last batch", undo, LabelBatch, takes=UndoWish,
        refusals=(409,),
    ),
    Endpoint("GET", "/v1/labels", "What stands", listed, LabelList, query=LabelQuery),
    Endpoint("POST", "/v1/queue", "Next clips", next_clips, QueueState, takes=QueueWish),
    Endpoint("POST", "/v1/queue/skip", "Skip", skip, Nothing, takes=SkipWish, status=204),
    Endpoint(
        "POST", "/v1/queue/release", "Give back", release, Nothing, takes=ReleaseWish, status=204
    ),
    Endpoint(
        "GET", "/v1/libraries/{library}/export", "Labels or spans as a file", export,
        ("text/csv", "application/json", "application/vnd.apache.parquet"), query=ExportQuery,
    ),
)  # fmt: skip

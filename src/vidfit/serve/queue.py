"""Which clip a person labels next, and that no two people are shown the same one.

``active``: what teaches most. The list of `vidfit label` goes first, in its order; then, in a
run, what its model doubts or contradicts. ``random``: in an order drawn once, which stands for
all clips. ``test``: another such order; what was labelled in it is the test split of what is
exported, and is in no other queue.
"""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

from vidfit.contracts import Clip, Failure
from vidfit.errors import StoreError
from vidfit.serve.labels import standing
from vidfit.serve.library import Library, ModelAnswer, clip_ids
from vidfit.serve.store import Store

QueueOrder = Literal["active", "random", "test"]

PROPOSED = "to-label.csv"
"""What `vidfit label` writes."""

_WHY = "why"

LONGEST_LEASE_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class QueueWish:
    """What a person wants to label."""

    library: str
    order: QueueOrder = "active"
    count: int = 2
    lease_seconds: float = 120.0


@dataclass(frozen=True, slots=True)
class QueueItem:
    """A clip that is leased to a person ``until`` then (seconds since 1970), and why this one."""

    clip: str
    why: str
    predicted: str | None
    probability: float | None
    until: float


@dataclass(frozen=True, slots=True)
class QueueState:
    """What is leased, how many clips are ``left`` beside, and how many were ``done`` here."""

    items: tuple[QueueItem, ...]
    order: QueueOrder
    left: int
    done: int


@dataclass(frozen=True, slots=True)
class Reasoned:
    """A clip in an order, and why it stands there."""

    clip: str
    why: str


class ClosedClips:
    """Clips for which something stands; kept up from row to row, by the thread that writes."""

    def __init__(self) -> None:
        self._seq = 0
        self._closed: set[str] = set()

    def forget(self) -> None:
        """Begin anew."""
        self._seq, self._closed = 0, set()

    def as_of_now(self, connection: sqlite3.Connection) -> set[str]:
        """Return the clips that need no label any more; not to be changed."""
        for clip, row in standing(connection, since=self._seq).items():
            self._seq = max(self._seq, row.seq)
            (self._closed.discard if row.kind == "none" else self._closed.add)(clip)
        return self._closed


def lease(
    store: Store, library: Library, order: Sequence[Reasoned], wish: QueueWish, person: str,
    closed: ClosedClips,
) -> QueueState:  # fmt: skip
    """Lease the next clips to a person; those that are leased to them already come first."""

    def change(connection: sqlite3.Connection) -> QueueState:
        now = time.time()
        until = now + min(wish.lease_seconds, LONGEST_LEASE_SECONDS)
        connection.execute("DELETE FROM leases WHERE until < ?", (now,))
        leased = dict(connection.execute("SELECT clip, person FROM leases"))
        query = "SELECT clip FROM skips WHERE person = ?"
        over = closed.as_of_now(connection)
        out = over.union(clip for (clip,) in connection.execute(query, (person,)))
        out.update(clip for clip, who in leased.items() if who != person)
        free = [one for one in order if one.clip not in out]
        taken = [*(one for one in free if one.clip in leased)][: wish.count]
        taken += islice((one for one in free if one.clip not in leased), wish.count - len(taken))
        rows = [(one.clip, person, until) for one in taken]
        connection.executemany("INSERT OR REPLACE INTO leases VALUES (?, ?, ?)", rows)
        items = tuple(_item(one, library.answers.get(one.clip), until) for one in taken)
        done = sum(map(over.__contains__, library.ids))
        return QueueState(items, wish.order, len(free) - len(items), done)

    try:
        return store.write(change)
    except StoreError:  # what was seen in a transaction that failed is not there
        closed.forget()
        raise


def _item(one: Reasoned, answer: ModelAnswer | None, until: float) -> QueueItem:
    if answer is None:
        return QueueItem(one.clip, one.why, None, None, until)
    return QueueItem(one.clip, one.why, answer.predicted, answer.probability, until)


def release(store: Store, clips: Iterable[str], person: str) -> None:
    """Give leases back."""
    rows = [(clip, person) for clip in clips]
    query = "DELETE FROM leases WHERE clip = ? AND person = ?"
    store.write(lambda connection: connection.executemany(query, rows) and None)


def skip(store: Store, clip: str, person: str) -> None:
    """Do not show a clip to a person again."""

    def change(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT OR IGNORE INTO skips VALUES (?, ?)", (clip, person))
        query = "DELETE FROM leases WHERE clip = ? AND person = ?"
        connection.execute(query, (clip, person))

    store.write(change)


# ---------------------------------------------------------------- orders


def ordered(library: Library, order: QueueOrder, proposed: Path | None) -> list[Reasoned]:
    """Return all clips of a library in an order.

    Parameters
    ----------
    proposed
        A list that `vidfit label` wrote of these clips.
    """
    if order != "active":
        drawn = sorted(library.ids, key=lambda one: _drawn(one, order))
        return [Reasoned(one, "drawn at random") for one in drawn]
    first = list(_proposed(proposed, library)) if proposed else []
    found = {one.clip: one for one in first}
    rest = [one for one in library.ids if one not in found and one not in library.failed]
    if library.answers:
        clips = dict(zip(library.ids, library.clips, strict=True))
        rest.sort(key=lambda one: _doubt(library.answers.get(one), clips[one]))
        reasons = {one: _why(library.answers.get(one), clips[one]) for one in rest}
    else:
        by_label = {one: clip.label for one, clip in zip(library.ids, library.clips, strict=True)}
        rest.sort(key=lambda one: (by_label[one] is not None, _drawn(one, "random")))
        reasons = {one: "it has a label" if by_label[one] else "it has no label" for one in rest}
    return [*first, *(Reasoned(one, reasons[one]) for one in rest)]


def _drawn(one: str, order: str) -> str:
    """Return a number that is drawn once for each clip and order."""
    return hashlib.sha256(f"{order}\0{one}".encode()).hexdigest()


def _doubt(answer: ModelAnswer | None, clip: Clip) -> float:
    """Return how sure the model is of the label, or of its answer where there is no label."""
    if answer is None:
        return 2.0
    sure = answer.of_label if clip.label is not None else answer.probability
    return 2.0 if sure is None else sure


def _why(answer: ModelAnswer | None, clip: Clip) -> str:
    if answer is None:
        return "the model has not seen it"
    sure = "" if answer.probability is None else f", {100 * answer.probability:.0f} %"
    if clip.label is not None and answer.predicted != clip.label:
        return f"it is labelled {clip.label}, the model says {answer.predicted}{sure}"
    return f"the model says {answer.predicted}{sure}"


def _proposed(path: Path, library: Library) -> Iterable[Reasoned]:
    """Yield the clips of a list of `vidfit label`, in its order."""
    from vidfit.manifest.lists import read_list

    listing = read_list(path.absolute())
    reasons = dict(_reasons(path))
    for one in clip_ids(listing.clips):
        if one in library.place_of:
            yield Reasoned(one, reasons.get(one, "vidfit label proposes it"))


def _reasons(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the ids of clips of a list of `vidfit label`, each with why it is proposed."""
    from vidfit.manifest.columns import clip_of, find_columns, text_of
    from vidfit.manifest.sheets import open_sheet

    sheet = open_sheet(path)
    if sheet is None or _WHY not in sheet.names:
        return
    for row in sheet.rows({**find_columns(sheet.names), _WHY: _WHY}):
        if isinstance(row, Failure):
            continue
        _, cells = row
        place, why = text_of(cells.get("path")), text_of(cells.get(_WHY))
        if place and why:
            with suppress(ValueError):  # the row is in no list of clips
                (one,) = clip_ids([clip_of(place, cells, None)])
                yield one, why

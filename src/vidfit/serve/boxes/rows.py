"""Boxes that people drew, moved and removed: rows that are only ever added, as labels are.

The first change of a frame takes over all boxes that were listed of it, as rows of their own in
the same transaction. From then on its rows alone say what is there, whatever the list or the run
says that the frame is looked at in. Taking back is a later row.
"""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from vidfit.boxes import Box
from vidfit.contracts import Clip
from vidfit.serve.boxes.book import listed_id
from vidfit.serve.labels import remember
from vidfit.serve.problems import ProblemError, missing
from vidfit.serve.store import Store

LEASE_SECONDS = 120.0
"""How long a frame is one person's after they opened or changed it."""

BoxAct = Literal["listed", "drawn", "removed", "looked"]

_COLUMNS = (
    "seq, id, frame, person, kind, label, left_pixels, top_pixels, right_pixels, bottom_pixels,"
    " ignored, batch"
)
_STANDS = "kind != 'undo' AND NOT EXISTS (SELECT 1 FROM boxes u WHERE u.undoes = b.seq)"


@dataclass(frozen=True, slots=True)
class FramePlace:
    """A frame of a file: the ``file`` by its id and as a clip, and the number of the frame."""

    file: str
    clip: Clip
    frame: int

    @property
    def lease(self) -> str:
        """Name under which it is leased."""
        return f"{self.file}/{self.frame}"


@dataclass(frozen=True, slots=True)
class DrawnBox:
    """A box as it stands, in pixels of the frame; ``person`` is nobody where it is listed."""

    id: str
    label: str
    left: float
    top: float
    right: float
    bottom: float
    ignored: bool
    person: str


@dataclass(frozen=True, slots=True)
class DrawnFrame:
    """What stands of a frame: its boxes, and who looked at it last, if anybody did."""

    boxes: tuple[DrawnBox, ...]
    person: str


@dataclass(frozen=True, slots=True)
class FrameLease:
    """Who is at a frame, and until when (seconds since 1970)."""

    person: str
    until: float


@dataclass(frozen=True, slots=True)
class _BoxRow:
    seq: int
    id: str
    frame: int
    person: str
    kind: BoxAct
    box: Box | None
    batch: str


def listed_boxes(place: FramePlace, listed: Sequence[Box]) -> tuple[DrawnBox, ...]:
    """Return listed boxes under the ids that they are taken over with."""
    return tuple(
        _drawn(listed_id(place.file, place.frame, n), box, "") for n, box in enumerate(listed)
    )


def change(
    store: Store,
    place: FramePlace,
    listed: Sequence[Box],
    acts: Sequence[tuple[str, Box | None]],
    person: str,
) -> None:
    """Add rows for boxes; on disk when this returns.

    Parameters
    ----------
    listed
        What the list says of the frame.
    acts
        Id and box of each that is drawn or altered; no box for one that is removed. A new one has
        an empty id. Without any, the frame is right as it is.

    Raises
    ------
    ProblemError
        404 where a box is not there; 409 where the frame is another person's now.
    """
    batch = secrets.token_hex(16)

    def write(connection: sqlite3.Connection) -> None:
        _take_lease(connection, place, person, insist=True)
        remember(connection, place.file, place.clip)
        there = {one.id for one in _taken_over(connection, place, listed, person)}
        for box_id, box in acts:
            if box_id and box_id not in there:
                raise missing()
            kind: BoxAct = "removed" if box is None else "drawn"
            _add(connection, place, (box_id or secrets.token_hex(16), kind, box), person, batch)
        if not acts:
            _add(connection, place, ("", "looked", None), person, batch)

    store.write(write)


def take_back_boxes(store: Store, place: FramePlace, person: str) -> None:
    """Take back the last change of a person to a frame that still stands.

    Raises
    ------
    ProblemError
        404 where there is none; 409 where another person changed one of its boxes since, or the
        frame is theirs now.
    """

    def write(connection: sqlite3.Connection) -> None:
        _take_lease(connection, place, person, insist=True)
        rows = _rows(connection, place.file, place.frame)
        mine = [row for row in rows if row.person == person and row.kind != "listed"]
        if not mine:
            raise ProblemError(404, "you have changed nothing in this frame that stands")
        last = [row for row in mine if row.batch == mine[-1].batch]
        for row in last:
            later = [one for one in rows if one.id == row.id and one.seq > row.seq]
            if row.id and any(one.person != person for one in later):
                raise ProblemError(
                    409, f"{later[-1].person} has changed it since; alter it instead"
                )
            _add(connection, place, (row.id, "undo", None), person, row.batch, row.seq)

    store.write(write)


def lease_frame(store: Store, place: FramePlace, person: str) -> FrameLease:
    """Lease a frame to a person, unless it is another's; return whose it is."""
    return store.write(lambda connection: _take_lease(connection, place, person, insist=False))


def holder_of(store: Store, place: FramePlace) -> str:
    """Return who is at a frame now; nobody where none is."""
    query = "SELECT person FROM leases WHERE clip = ? AND until >= ?"
    return next((str(person) for (person,) in store.rows(query, (place.lease, time.time()))), "")


def drawn_frames(store: Store, files: Iterable[str]) -> dict[tuple[str, int], DrawnFrame]:
    """Return what stands of the frames of files that people changed, by file and number."""
    found: dict[tuple[str, int], DrawnFrame] = {}
    with store.read() as connection:
        (anything,) = connection.execute("SELECT EXISTS (SELECT 1 FROM boxes)").fetchone()
        for file in files if anything else ():
            by_frame: dict[int, list[_BoxRow]] = defaultdict(list)
            for row in _rows(connection, file):
                by_frame[row.frame].append(row)
            found |= {(file, number): _standing(rows) for number, rows in by_frame.items()}
    return {key: one for key, one in found.items() if one.person}


# ---------------------------------------------------------------- rows


def _rows(connection: sqlite3.Connection, file: str, frame: int | None = None) -> list[_BoxRow]:
    """Return the rows of a file, or of a frame of it, that stand."""
    which = "" if frame is None else " AND frame = ?"
    query = f"SELECT {_COLUMNS} FROM boxes b WHERE clip = ?{which} AND {_STANDS} ORDER BY seq"
    values = (file,) if frame is None else (file, frame)
    return [_row(values) for values in connection.execute(query, values)]


def _row(values: Sequence[Any]) -> _BoxRow:
    seq, box_id, frame, person, kind, label, left, top, right, bottom, ignored, batch = values
    box = None if label is None else Box(label, left, top, right, bottom, ignored=bool(ignored))
    return _BoxRow(seq, box_id, frame, person, kind, box, batch)


def _standing(rows: Iterable[_BoxRow]) -> DrawnFrame:
    boxes: dict[str, DrawnBox] = {}
    last = ""
    for row in rows:
        last = last if row.kind == "listed" else row.person
        if row.box is not None:
            boxes[row.id] = _drawn(row.id, row.box, "" if row.kind == "listed" else row.person)
        elif row.kind == "removed":
            boxes.pop(row.id, None)
    return DrawnFrame(tuple(boxes.values()), last)


def _taken_over(
    connection: sqlite3.Connection, place: FramePlace, listed: Sequence[Box], person: str
) -> tuple[DrawnBox, ...]:
    """Return the boxes that stand; those that are listed become rows, unless there are rows."""
    query = "SELECT EXISTS (SELECT 1 FROM boxes WHERE clip = ? AND frame = ?)"
    (begun,) = connection.execute(query, (place.file, place.frame)).fetchone()
    if not begun:
        for n, box in enumerate(listed):
            one = listed_id(place.file, place.frame, n)
            _add(connection, place, (one, "listed", box), person, "")
    return _standing(_rows(connection, place.file, place.frame)).boxes


def _add(
    connection: sqlite3.Connection,
    place: FramePlace,
    what: tuple[str, str, Box | None],
    person: str,
    batch: str,
    undoes: int | None = None,
) -> None:
    box_id, kind, box = what
    edges = (None,) * 4 if box is None else box.edges
    label, ignored = (None, False) if box is None else (box.label, box.ignored)
    facts = (box_id, place.file, place.frame, person, kind, label, *edges, ignored, undoes, batch)
    connection.execute(
        "INSERT INTO boxes(id, clip, frame, person, kind, label, left_pixels, top_pixels,"
        " right_pixels, bottom_pixels, ignored, undoes, batch, at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*facts, time.time()),
    )


def _take_lease(
    connection: sqlite3.Connection, place: FramePlace, person: str, *, insist: bool
) -> FrameLease:
    """Lease a frame, or return whose it is; who insists is refused where it is another's."""
    now = time.time()
    query = "SELECT person, until FROM leases WHERE clip = ? AND until >= ?"
    held = connection.execute(query, (place.lease, now)).fetchone()
    if held and held[0] != person:
        if insist:
            raise ProblemError(409, f"{held[0]} is at this frame; ask again when they have left it")
        return FrameLease(*held)
    until = now + LEASE_SECONDS
    row = (place.lease, person, until)
    connection.execute("INSERT OR REPLACE INTO leases VALUES (?, ?, ?)", row)
    return FrameLease(person, until)


def _drawn(box_id: str, box: Box, person: str) -> DrawnBox:
    return DrawnBox(box_id, box.label, *box.edges, box.ignored, person)


def plain_box(drawn: DrawnBox) -> Box:
    """Return a box without its history."""
    edges = drawn.left, drawn.top, drawn.right, drawn.bottom
    return Box(drawn.label, *edges, ignored=drawn.ignored)

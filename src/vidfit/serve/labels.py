"""Labels that people gave: rows that are only ever added; taking one back is a later row.

What stands for a clip is its last row that was not taken back.
"""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from vidfit.contracts import Clip
from vidfit.serve.problems import ProblemError
from vidfit.serve.store import Store

LabelAct = Literal["label", "unsure", "cleared"]
LabelState = Literal["label", "unsure", "cleared", "none"]
SampleOf = Literal["", "active", "random", "test"]

_COLUMNS = "seq, clip, kind, label, person, accepted, sample, at"


@dataclass(frozen=True, slots=True)
class GivenLabel:
    """What stands for a clip, of what was given here.

    Parameters
    ----------
    kind
        ``"label"``; ``"unsure"``: a person looked and cannot tell; ``"cleared"``: it has none,
        whatever the list says; ``"none"``: nothing that was given here stands.
    accepted
        Whether the model's answer was taken.
    sample
        The queue that it came from: what was drawn at ``random`` stands for the rest, what was
        chosen does not.
    """

    seq: int
    clip: str
    kind: LabelState
    label: str | None
    person: str
    accepted: bool
    sample: SampleOf
    at: float


@dataclass(frozen=True, slots=True)
class LabelBatch:
    """Rows that were given, and are taken back, together."""

    batch: str
    rows: tuple[GivenLabel, ...]


@dataclass(frozen=True, slots=True)
class LabelWish:
    """What a person says of clips."""

    library: str
    clips: tuple[str, ...]
    kind: LabelAct = "label"
    label: str | None = None
    accepted: bool = False
    sample: SampleOf = ""


def give(
    store: Store, clips: Mapping[str, Clip], wish: LabelWish, person: str, batch: str | None = None
) -> LabelBatch:
    """Add a row for each clip, and end the leases on them; on disk when this returns."""
    batch = batch or secrets.token_hex(16)
    label = wish.label if wish.kind == "label" else None

    def change(connection: sqlite3.Connection) -> LabelBatch:
        now, rows = time.time(), []
        for one, clip in clips.items():
            remember(connection, one, clip)
            facts = (one, person, wish.kind, label, batch, wish.sample, wish.accepted, now)
            added = connection.execute(
                "INSERT INTO labels(clip, person, kind, label, batch, sample, accepted, at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                facts,
            )
            connection.execute("DELETE FROM leases WHERE clip = ?", (one,))
            given = (added.lastrowid or 0, one, wish.kind, label, person, wish.accepted)
            rows.append(GivenLabel(*given, wish.sample, now))
        return LabelBatch(batch, tuple(rows))

    return store.write(change)


def take_back(store: Store, among: Sequence[str], person: str) -> LabelBatch:
    """Take back the last batch of a person, of these clips, that still stands.

    Raises
    ------
    ProblemError
        404 where there is none; 409 where another person has labelled one of them since.
    """
    ids = set(among)

    def change(connection: sqlite3.Connection) -> LabelBatch:
        batch = next(
            (
                batch
                for batch, clip in connection.execute(
                    "SELECT batch, clip FROM labels l WHERE person = ? AND kind != 'undo' AND NOT"
                    " EXISTS (SELECT 1 FROM labels u WHERE u.undoes = l.seq) ORDER BY seq DESC",
                    (person,),
                )
                if clip in ids
            ),
            None,
        )
        if batch is None:
            raise ProblemError(404, "you have given no label here that stands")
        rows = connection.execute(
            "SELECT seq, clip FROM labels WHERE batch = ? AND kind != 'undo'", (batch,)
        ).fetchall()
        for seq, clip in rows:
            later = connection.execute(
                "SELECT person FROM labels l WHERE clip = ? AND seq > ? AND kind != 'undo' AND NOT"
                " EXISTS (SELECT 1 FROM labels u WHERE u.undoes = l.seq)",
                (clip, seq),
            ).fetchone()
            if later and later[0] != person:
                raise ProblemError(409, f"{later[0]} has labelled it since; label it anew instead")
            connection.execute(
                "INSERT INTO labels(clip, person, kind, undoes, batch, sample, accepted, at)"
                " VALUES (?, ?, 'undo', ?, ?, '', 0, ?)",
                (clip, person, seq, batch, time.time()),
            )
        states = standing(connection, clips=[clip for _, clip in rows])
        return LabelBatch(batch, tuple(states.values()))

    return store.write(change)


def standing(
    connection: sqlite3.Connection, *, clips: Iterable[str] | None = None, since: int = 0
) -> dict[str, GivenLabel]:
    """Return what stands for clips, by id, as of those whose rows changed after ``since``."""
    # Rows are only added: a clip that changed after a row has its last row after it.
    changed = "SELECT clip, max(seq) FROM labels WHERE seq > ? GROUP BY clip"
    last: dict[str, int] = dict(connection.execute(changed, (since,)))
    wanted = last if clips is None else {clip: last[clip] for clip in clips if clip in last}
    query = (
        f"SELECT {_COLUMNS} FROM labels l WHERE kind != 'undo' AND NOT EXISTS"
        " (SELECT 1 FROM labels u WHERE u.undoes = l.seq)"
    )
    found: dict[str, GivenLabel] = {}
    if len(wanted) > _FEW:
        rows: Iterable[Any] = connection.execute(f"{query} ORDER BY seq")
    else:
        rows = (
            row
            for clip in wanted
            for row in connection.execute(f"{query} AND clip = ? ORDER BY seq", (clip,))
        )
    for seq, clip, kind, label, person, accepted, sample, at in rows:
        if clip in wanted:
            facts = (kind, label, person, bool(accepted), sample, at)
            found[clip] = GivenLabel(max(seq, wanted[clip]), clip, *facts)
    for clip, seq in wanted.items():
        found.setdefault(clip, GivenLabel(seq, clip, "none", None, "", False, "", 0.0))
    return found


_FEW = 500
"""Clips up to which each is looked up by itself."""


def label_of(clip: Clip, given: GivenLabel | None) -> str | None:
    """Return the label that a clip has: the one given here, or else that of its list."""
    if given is None or given.kind == "none":
        return clip.label
    return given.label if given.kind == "label" else None


def remember(connection: sqlite3.Connection, one: str, clip: Clip) -> None:
    """Keep what an id means, so that a label can be found again when folders have moved."""
    path = clip.path.encode("utf-8", "backslashreplace").decode()
    row = (one, path, clip.start_seconds, clip.end_seconds)
    connection.execute("INSERT OR IGNORE INTO clips VALUES (?, ?, ?, ?)", row)

"""What the server must not lose, in one SQLite file: labels, leases, spans, jobs, keys.

One thread writes, so that no two transactions meet ("database is locked"); what is asked while it
commits is committed together next, so that many people do not wait for one disk flush each.
``synchronous=FULL``: what was acknowledged is there after a power cut (SQLite, "PRAGMA
synchronous").
"""

from __future__ import annotations

import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from vidfit.errors import StoreError

Result = TypeVar("Result")
Change = Callable[[sqlite3.Connection], Result]
"""What is done in a transaction; what it raises undoes it, and goes to who asked."""

VERSION = 2
_TOGETHER = 64
"""Most changes of one transaction."""

ADDED_ONLY = frozenset({"labels", "spans", "boxes"})
"""Tables that are logs of what people said: no row of them is altered or removed."""

_SCHEMA = """
CREATE TABLE clips(
    id TEXT PRIMARY KEY, path TEXT NOT NULL, start_seconds REAL NOT NULL, end_seconds REAL
) STRICT, WITHOUT ROWID;
CREATE TABLE labels(
    seq INTEGER PRIMARY KEY AUTOINCREMENT, clip TEXT NOT NULL, person TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('label', 'unsure', 'cleared', 'undo')),
    label TEXT, undoes INTEGER REFERENCES labels(seq), batch TEXT NOT NULL,
    sample TEXT NOT NULL, accepted INTEGER NOT NULL, at REAL NOT NULL
) STRICT;
CREATE INDEX labels_of_clip ON labels(clip, seq);
CREATE INDEX labels_of_person ON labels(person, seq);
CREATE UNIQUE INDEX undone_once ON labels(undoes) WHERE undoes IS NOT NULL;
CREATE TABLE leases(
    clip TEXT PRIMARY KEY, person TEXT NOT NULL, until REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE skips(
    clip TEXT NOT NULL, person TEXT NOT NULL, PRIMARY KEY (clip, person)
) STRICT, WITHOUT ROWID;
CREATE TABLE spans(
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, clip TEXT NOT NULL,
    person TEXT NOT NULL, start_seconds REAL, end_seconds REAL,
    start_frame INTEGER, end_frame INTEGER, label TEXT, removed INTEGER NOT NULL, at REAL NOT NULL
) STRICT;
CREATE INDEX spans_of_clip ON spans(clip, seq);
CREATE INDEX span_rows ON spans(id, seq);
CREATE TABLE sessions(
    digest TEXT PRIMARY KEY, person TEXT NOT NULL, until REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE keys(
    digest TEXT PRIMARY KEY, person TEXT NOT NULL, at REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE jobs(
    id TEXT PRIMARY KEY, person TEXT NOT NULL, asked TEXT NOT NULL, arguments TEXT NOT NULL,
    state TEXT NOT NULL, pid INTEGER, born TEXT, at REAL NOT NULL, begun REAL, ended REAL,
    status INTEGER
) STRICT, WITHOUT ROWID;
CREATE TABLE assets(
    id TEXT PRIMARY KEY, person TEXT NOT NULL, name TEXT NOT NULL, bytes INTEGER NOT NULL,
    sha256 TEXT, state TEXT NOT NULL, why TEXT NOT NULL, at REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE replies(
    person TEXT NOT NULL, key TEXT NOT NULL, request TEXT NOT NULL, reply TEXT NOT NULL,
    at REAL NOT NULL, PRIMARY KEY (person, key)
) STRICT, WITHOUT ROWID;
"""

_SINCE = {
    2: """
CREATE TABLE boxes(
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, clip TEXT NOT NULL,
    frame INTEGER NOT NULL, person TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('listed', 'drawn', 'removed', 'looked', 'undo')),
    label TEXT, left_pixels REAL, top_pixels REAL, right_pixels REAL, bottom_pixels REAL,
    ignored INTEGER NOT NULL, undoes INTEGER REFERENCES boxes(seq), batch TEXT NOT NULL,
    at REAL NOT NULL
) STRICT;
CREATE INDEX boxes_of_frame ON boxes(clip, frame, seq);
CREATE UNIQUE INDEX box_undone_once ON boxes(undoes) WHERE undoes IS NOT NULL;
""",
}
"""Version -> what it added to the one before; `_SCHEMA` is the first."""


class Store:
    """The database of a server, open until `close`.

    Raises
    ------
    StoreError
        If it cannot be opened, is damaged, or was written by a newer vidfit.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._asked: queue.SimpleQueue[tuple[Change[Any], Future[Any]] | None] = queue.SimpleQueue()
        self._lock, self._closed = threading.Lock(), False
        self._idle: queue.LifoQueue[sqlite3.Connection] = queue.LifoQueue()
        try:
            self._writer = _opened(path)
            _prepare(self._writer, path)
            _keep_rows(self._writer)
        except sqlite3.Error as error:
            raise StoreError(
                f"cannot open {path}: {error}; is the disk full, or the file no database of vidfit?"
            ) from error
        self._thread = threading.Thread(target=self._write_all, name="labels", daemon=True)
        self._thread.start()

    def write(self, change: Change[Result]) -> Result:
        """Make a change and return what it returns, once it is on disk.

        Raises
        ------
        StoreError
            If the disk is full, or the store is closed.
        """
        done: Future[Result] = Future()
        with self._lock:
            if self._closed:
                raise StoreError("the server is stopping; ask again when it is back")
            self._asked.put((change, done))
        return done.result()

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Give a connection that sees all that was acknowledged; it changes nothing."""
        try:
            connection = self._idle.get_nowait()
        except queue.Empty:
            connection = _opened(self.path)
            connection.execute("PRAGMA query_only = ON")
        try:
            yield connection
        finally:
            self._idle.put(connection)

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        with self.read() as connection:
            return connection.execute(query, values).fetchall()

    def close(self) -> None:
        """Finish what was asked, and close the file."""
        with self._lock:
            self._closed = True
            self._asked.put(None)
        self._thread.join()
        while not self._idle.empty():
            self._idle.get().close()
        self._writer.close()

    def _write_all(self) -> None:
        while (first := self._asked.get()) is not None:
            batch = [first]
            while len(batch) < _TOGETHER and not self._asked.empty():
                following = self._asked.get()
                if following is None:
                    self._asked.put(None)
                    break
                batch.append(following)
            self._write_batch(batch)

    def _write_batch(self, batch: Sequence[tuple[Change[Any], Future[Any]]]) -> None:
        outcomes: list[tuple[Future[Any], Any, BaseException | None]] = []
        try:
            self._writer.execute("BEGIN IMMEDIATE")
            for change, done in batch:
                self._writer.execute("SAVEPOINT one")
                try:
                    outcomes.append((done, change(self._writer), None))
                except Exception as error:  # goes to who asked
                    self._writer.execute("ROLLBACK TO one")
                    outcomes.append((done, None, error))
                self._writer.execute("RELEASE one")
            self._writer.execute("COMMIT")
        except sqlite3.Error as error:
            if self._writer.in_transaction:
                self._writer.rollback()
            lost = StoreError(f"cannot write {self.path}: {error}; free space, then ask again")
            outcomes = [(done, None, lost) for _, done in batch]
        for done, result, failure in outcomes:
            done.set_result(result) if failure is None else done.set_exception(failure)


def _keep_rows(connection: sqlite3.Connection) -> None:
    """Have changes of `ADDED_ONLY` fail on a connection."""
    connection.execute("PRAGMA recursive_triggers = ON")  # or REPLACE would remove unseen
    for table in ADDED_ONLY:
        for act in ("UPDATE", "DELETE"):
            connection.execute(
                f"CREATE TEMP TRIGGER {table}_{act} BEFORE {act} ON main.{table}"
                f" BEGIN SELECT RAISE(ABORT, 'rows of {table} are only added'); END"
            )


def _opened(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA trusted_schema = OFF")
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise StoreError(f"{path} was written by a newer vidfit; install that one")
    steps = [_SCHEMA] if version == 0 else []
    steps += [_SINCE[later] for later in range(max(version, 1) + 1, VERSION + 1)]
    if steps:
        connection.executescript(f"BEGIN;{''.join(steps)}PRAGMA user_version = {VERSION};COMMIT;")
    path.chmod(0o600)

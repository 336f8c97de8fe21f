"""Who asks: sessions of browsers and keys of programs.

Both are 256 random bits, so that a plain SHA-256 is kept of them and nobody can log in by what
lies on disk.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from vidfit.errors import VidfitError
from vidfit.serve.problems import ProblemError
from vidfit.serve.store import Store

SESSION_SECONDS = 30 * 24 * 3600.0
LOGINS, LOGIN_SECONDS = 5, 60.0
"""Failed log-ins of one address, and in which time; more must wait."""

KEY_PREFIX = "vidfit_"
_LONGEST_NAME = 64
_ADDRESSES = 10_000


@dataclass(frozen=True, slots=True)
class Entered:
    """A secret for who logged in, and as whom."""

    secret: str
    person: str


class People:
    """Sessions and keys of a store.

    Parameters
    ----------
    token
        The secret of the address that the server printed.
    now
        Clock of what expires, in seconds.
    """

    def __init__(self, store: Store, token: str, now: Callable[[], float] = time.time) -> None:
        self._store, self._token, self._now = store, token, now
        self._failed: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def enter(self, token: str, person: str, address: str) -> Entered:
        """Open a session for who knows the token.

        Raises
        ------
        ProblemError
            401 for another token; 429 after `LOGINS` of them within a minute; 422 for a name that
            is none.
        """
        self._check_rate(address)
        if not hmac.compare_digest(_digest(token), _digest(self._token)):
            with self._lock:
                self._failed.setdefault(address, deque()).append(self._now())
            raise ProblemError(
                401, "this token is not the server's; open the address that it printed at start"
            )
        try:
            name = checked_name(person)
        except VidfitError as error:
            raise ProblemError(422, str(error)) from error
        secret, until = secrets.token_urlsafe(32), self._now() + SESSION_SECONDS

        def change(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM sessions WHERE until < ?", (self._now(),))
            row = (_digest(secret), name, until)
            connection.execute("INSERT INTO sessions VALUES (?, ?, ?)", row)

        self._store.write(change)
        return Entered(secret, name)

    def leave(self, secret: str) -> None:
        """End a session."""
        row = (_digest(secret),)
        self._store.write(
            lambda c: c.execute("DELETE FROM sessions WHERE digest = ?", row) and None
        )

    def of_session(self, secret: str) -> str | None:
        """Return whose session it is, or nothing."""
        query = "SELECT person FROM sessions WHERE digest = ? AND until > ?"
        rows = self._store.rows(query, (_digest(secret), self._now()))
        return rows[0][0] if rows else None

    def of_key(self, key: str) -> str | None:
        """Return whose key it is, or nothing."""
        rows = self._store.rows("SELECT person FROM keys WHERE digest = ?", (_digest(key),))
        return rows[0][0] if rows else None

    def _check_rate(self, address: str) -> None:
        now = self._now()
        with self._lock:
            if len(self._failed) > _ADDRESSES:
                self._failed.clear()
            times = self._failed.get(address, deque())
            while times and times[0] <= now - LOGIN_SECONDS:
                times.popleft()
            if len(times) >= LOGINS:
                wait = max(1, round(times[0] + LOGIN_SECONDS - now))
                raise ProblemError(
                    429, f"{LOGINS} log-ins failed within a minute; wait", retry_seconds=wait
                )


def make_key(store: Store, person: str) -> str:
    """Make a key for a program; it is shown once, and kept as its digest.

    Raises
    ------
    VidfitError
        If the name is none.
    """
    key = KEY_PREFIX + secrets.token_urlsafe(32)
    row = (_digest(key), checked_name(person), time.time())
    store.write(lambda c: c.execute("INSERT INTO keys VALUES (?, ?, ?)", row) and None)
    return key


def remove_keys(store: Store, person: str) -> int:
    """Forget the keys and end the sessions of a name; return how many there were."""

    def change(connection: sqlite3.Connection) -> int:
        tables = ("keys", "sessions")
        queries = (f"DELETE FROM {table} WHERE person = ?" for table in tables)
        return sum(connection.execute(query, (person,)).rowcount for query in queries)

    return store.write(change)


def checked_name(name: str) -> str:
    """Return the name of a person; raises VidfitError where it is none."""
    name = name.strip()
    if not (0 < len(name) <= _LONGEST_NAME and name.isprintable()):
        raise VidfitError(f"a name has 1 to {_LONGEST_NAME} printable letters")
    return name


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()

"""Jobs: commands of vidfit in processes of their own, which outlive the page and the server.

A job is a folder and a row. The folder says how it ended (`job_child`), so that a server that was
killed knows, when it is back, what its jobs did meanwhile.
"""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from vidfit.documents import json_in, read_json, to_json
from vidfit.errors import VidfitError
from vidfit.files import write_whole
from vidfit.serve.job_child import COMMAND, ENDED, EVENTS
from vidfit.serve.problems import ProblemError, missing
from vidfit.serve.store import Store

JobState = Literal["waiting", "running", "done", "failed", "stopped"]
OVER: frozenset[JobState] = frozenset({"done", "failed", "stopped"})

_LOOK_SECONDS = 0.3
_TAIL_BYTES = 16_384
_INTERRUPTED = 130
_STOP = "stop"
"""File that says that somebody wanted it to end."""

_FORESEEN = (VidfitError, sqlite3.Error, OSError)
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job as it is kept; ``asked`` is what it was asked by, times are seconds since 1970."""

    id: str
    person: str
    asked: dict[str, Any]
    state: JobState
    at: float
    begun: float | None
    ended: float | None
    status: int | None


@dataclass(frozen=True, slots=True)
class JobProgress:
    """What a job told last: the stage it is in, how much of it is done, and a line."""

    stage: str = ""
    done: int = 0
    total: int = 0
    said: str = ""


class Jobs:
    """The jobs of a folder; a thread begins those that wait, and sees how they end.

    Parameters
    ----------
    at_a_time
        How many run at once; of none, what waits does not begin, and what runs is seen to its end.
    when_done
        Told the id of a job that has written its output.
    """

    def __init__(
        self, store: Store, folder: Path, at_a_time: int, when_done: Callable[[str], None]
    ) -> None:
        self._store, self._at_a_time, self._when_done = store, at_a_time, when_done
        self.folder = folder
        self._wake = threading.Event()
        self._over = False
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._stopping: set[str] = set()
        self._thread = threading.Thread(target=self._watch, name="jobs", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def close(self) -> None:
        """Stop watching; what runs goes on."""
        self._over = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(10)

    # ------------------------------------------------------------ asked

    def add(
        self,
        asked: dict[str, Any],
        person: str,
        prepare: Callable[[Path], Sequence[str]],
        *,
        most_waiting: int,
        key: str = "",
    ) -> JobRow:
        """Add a job, or return the one that the same key has added.

        Parameters
        ----------
        prepare
            Writes into the job's folder what it needs; returns the arguments of ``vidfit``.
        key
            What a client gives, so that it may ask again when it has heard nothing.

        Raises
        ------
        ProblemError
            422 where the key has been used for another request; 429 where too many wait.
        """
        request = hashlib.sha256(to_json(asked, sort_keys=True).encode()).hexdigest()
        if key and (known := self._known(person, key, request)):
            return self.get(known)
        job_id = secrets.token_hex(16)
        folder = self.folder / job_id
        folder.mkdir(parents=True)
        try:
            arguments = list(prepare(folder))
            write_whole(folder / COMMAND, to_json(arguments).encode())
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

        def change(connection: sqlite3.Connection) -> str:
            if key:
                query = "SELECT request, reply FROM replies WHERE person = ? AND key = ?"
                if row := connection.execute(query, (person, key)).fetchone():
                    return _same(row, request)
                reply = (person, key, request, job_id, time.time())
                connection.execute("INSERT INTO replies VALUES (?, ?, ?, ?, ?)", reply)
            query = "SELECT count(*) FROM jobs WHERE person = ? AND state IN ('waiting', 'running')"
            (count,) = connection.execute(query, (person,)).fetchone()
            if count >= most_waiting:
                raise ProblemError(
                    429, f"{count} of your jobs wait or run; wait for one", retry_seconds=30
                )
            connection.execute(
                "INSERT INTO jobs(id, person, asked, arguments, state, at)"
                " VALUES (?, ?, ?, ?, 'waiting', ?)",
                (job_id, person, to_json(asked), to_json(arguments), time.time()),
            )
            return job_id

        added = ""
        try:
            added = self._store.write(change)
        finally:
            if added != job_id:
                shutil.rmtree(folder, ignore_errors=True)
        self._wake.set()
        return self.get(added)

    def _known(self, person: str, key: str, request: str) -> str:
        query = "SELECT request, reply FROM replies WHERE person = ? AND key = ?"
        rows = self._store.rows(query, (person, key))
        return _same(rows[0], request) if rows else ""

    def get(self, job_id: str) -> JobRow:
        """Return a job; raises ProblemError (404) where there is none."""
        rows = self._store.rows(f"SELECT {_COLUMNS} FROM jobs WHERE id = ?", (job_id,))
        if not rows:
            raise missing()
        return _row(rows[0])

    def all(self) -> list[JobRow]:
        """Return all jobs, the newest first."""
        return [
            _row(row) for row in self._store.rows(f"SELECT {_COLUMNS} FROM jobs ORDER BY at DESC")
        ]

    def stop(self, job_id: str) -> JobRow:
        """Have a job end; it can be resumed.

        Raises
        ------
        ProblemError
            404 where there is none; 409 where it is over.
        """
        job = self.get(job_id)
        if job.state in OVER:
            raise ProblemError(409, f"the job is {job.state}")
        (self.folder / job_id / _STOP).touch()
        self._moved(job_id, "waiting", "stopped")
        self._wake.set()
        return self.get(job_id)

    def resume(self, job_id: str) -> JobRow:
        """Have the same command run again: it goes on from what it has kept.

        Raises
        ------
        ProblemError
            404 where there is none; 409 where it has not stopped or failed.
        """
        job = self.get(job_id)
        (self.folder / job_id / _STOP).unlink(missing_ok=True)
        if not any(self._moved(job_id, state, "waiting") for state in ("stopped", "failed")):
            raise ProblemError(409, f"the job is {job.state}; resumed is what stopped or failed")
        self._wake.set()
        return self.get(job_id)

    def progress(self, job_id: str) -> JobProgress:
        """Return what a job told last."""
        found: dict[str, Any] = {"stage": "", "done": 0, "total": 0, "said": ""}
        for event in _last_events(self.folder / job_id / EVENTS):
            if event.get("event") == "stage":
                found |= {"stage": str(event.get("stage")), "done": 0}
            elif event.get("event") == "note":
                found["said"] = str(event.get("text"))
            for name in ("done", "total"):
                if type(event.get(name)) is int:
                    found[name] = event[name]
        return JobProgress(**found)

    # ------------------------------------------------------------ watched

    def _watch(self) -> None:
        told: set[str] = set()
        while not self._over:
            failed = self._look()
            for error in failed:
                if repr(error) not in told:  # a full disk is full at each look
                    cause = None if isinstance(error, _FORESEEN) else error
                    _LOG.error("jobs: %s", error, exc_info=cause)
            told = {repr(error) for error in failed}
            self._wake.wait(_LOOK_SECONDS)
            self._wake.clear()

    def _look(self) -> list[Exception]:
        """Look at each job; return what failed: it holds up no other, and is tried again."""
        failed: list[Exception] = []

        def look_at(job_ids: Sequence[str], act: Callable[[str], None]) -> None:
            for job_id in job_ids:
                try:
                    act(job_id)
                except Exception as error:  # told by who watches
                    failed.append(error)

        try:
            look_at(self._of_state("running"), self._see)
            free = self._at_a_time - len(self._of_state("running"))
            look_at(self._of_state("waiting")[: max(0, free)], self._begin)
        except sqlite3.Error as error:
            failed.append(error)
        return failed

    def _see(self, job_id: str) -> None:
        """Note the end of a job that runs."""
        folder, child = self.folder / job_id, self._children.get(job_id)
        alive = child.poll() is None if child else self._is_alive(job_id)
        if alive:
            if (folder / _STOP).exists() and job_id not in self._stopping:
                self._stopping.add(job_id)
                self._interrupt(job_id)
            return
        self._children.pop(job_id, None)
        self._stopping.discard(job_id)
        try:
            status = int(read_json(folder / ENDED)["status"])
        except (OSError, ValueError, KeyError, TypeError):
            status = -signal.SIGKILL  # with the machine, or by somebody
        wanted = (folder / _STOP).exists() or status == _INTERRUPTED
        state: JobState = "done" if status == 0 else "stopped" if wanted else "failed"
        try:
            if state == "done":
                self._when_done(job_id)
        finally:  # a result that cannot be shown is there all the same
            query = "UPDATE jobs SET state = ?, ended = ?, status = ?, pid = NULL WHERE id = ?"
            row = (state, time.time(), status, job_id)
            self._store.write(lambda connection: connection.execute(query, row) and None)

    def _begin(self, job_id: str) -> None:
        folder = self.folder / job_id
        if not self._moved(job_id, "waiting", "running"):
            return
        paths = os.pathsep.join(str(Path(path).absolute()) for path in sys.path if path)
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", "vidfit.serve.job_child", str(folder.resolve())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": paths},
            start_new_session=True,
        )
        self._children[job_id] = child
        query = (
            "UPDATE jobs SET pid = ?, born = ?, begun = ?, ended = NULL, status = NULL WHERE id = ?"
        )
        row = (child.pid, _born(child.pid), time.time(), job_id)
        self._store.write(lambda connection: connection.execute(query, row) and None)

    def _interrupt(self, job_id: str) -> None:
        rows = self._store.rows("SELECT pid FROM jobs WHERE id = ?", (job_id,))
        child = self._children.get(job_id)
        if child is not None:
            child.send_signal(signal.SIGINT)
        elif rows and rows[0][0] and self._is_alive(job_id):
            with suppress(ProcessLookupError):
                os.kill(rows[0][0], signal.SIGINT)

    def _is_alive(self, job_id: str) -> bool:
        """Whether the process that a job was begun in is there: itself, no later one."""
        ((pid, born),) = self._store.rows("SELECT pid, born FROM jobs WHERE id = ?", (job_id,))
        return pid is not None and _born(pid) == born != ""

    def _of_state(self, state: JobState) -> list[str]:
        query = "SELECT id FROM jobs WHERE state = ? ORDER BY at"
        return [job_id for (job_id,) in self._store.rows(query, (state,))]

    def _moved(self, job_id: str, before: JobState, after: JobState) -> bool:
        again = ", ended = NULL, status = NULL" if after == "waiting" else ""
        query = f"UPDATE jobs SET state = ?{again} WHERE id = ? AND state = ?"
        row = (after, job_id, before)
        return self._store.write(lambda connection: connection.execute(query, row).rowcount) == 1


_COLUMNS = "id, person, asked, state, at, begun, ended, status"


def _row(row: Sequence[Any]) -> JobRow:
    return JobRow(row[0], row[1], json_in(row[2]), *row[3:])


def _same(row: Sequence[str], request: str) -> str:
    if row[0] != request:
        raise ProblemError(422, "this Idempotency-Key was used for another request; take a new one")
    return row[1]


def _born(pid: int) -> str:
    """Return when a process began, as its system counts; nothing where there is none.

    Field 22 of ``/proc/PID/stat`` (proc_pid_stat(5)); zombies are none. Elsewhere its being there
    is all that is known.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        if Path("/proc/self/stat").exists():
            return ""
        with suppress(OSError):
            os.kill(pid, 0)
            return "there"
        return ""
    fields = text.rpartition(")")[2].split()
    return "" if fields[0] in "ZX" else fields[19]


def _last_events(path: Path) -> list[dict[str, Any]]:
    """Return the events at the end of a file."""
    try:
        with path.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, size - _TAIL_BYTES))
            lines = stream.read().split(b"\n")
    except OSError:
        return []
    whole = lines[1 if size > _TAIL_BYTES else 0 : -1]
    found = []
    for line in whole:
        with suppress(ValueError):
            found.append(json_in(line))
    return [event for event in found if isinstance(event, dict)]

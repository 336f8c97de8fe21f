"""What an index is asked by and has not seen: looked at once, apart from the server, and kept."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vidfit.serve.line_child import ChildClockError, ChildError, LineChild
from vidfit.serve.problems import ProblemError

CLOCK_SECONDS = 120.0
_REST_SECONDS = 300.0
"""After the last question, until the models are given back."""

MOST_WAITING = 16
_KEPT = 64


@dataclass(frozen=True, slots=True)
class LookTask:
    """An index, and a span of a file or words."""

    index: Path
    path: str = ""
    start_seconds: float = 0.0
    end_seconds: float | None = None
    words: str = ""

    def sent(self) -> Mapping[str, Any]:
        """Return it as it is sent to the process."""
        if self.words:
            return {"index": str(self.index), "words": self.words}
        times = {"start_seconds": self.start_seconds, "end_seconds": self.end_seconds}
        return {"index": str(self.index), "path": self.path, **times}


@dataclass(frozen=True, slots=True)
class SeenVectors:
    """Vectors [Q, D] by way and where the span ends, or why there are none."""

    vectors: Mapping[str, list[list[float]]]
    end_seconds: float = 0.0
    why: str = ""


class Looking:
    """Has tasks done one after another, in a thread; safe to use from several threads."""

    def __init__(self) -> None:
        self._child = LineChild("vidfit.serve.shots.child")
        self._lock, self._turn = threading.Lock(), threading.Lock()
        self._found: OrderedDict[LookTask, SeenVectors | None] = OrderedDict()
        self._resting: threading.Timer | None = None

    def at(self, task: LookTask) -> SeenVectors | None:
        """Return what was seen; ``None`` while it is looked at.

        Raises
        ------
        ProblemError
            429 where too many wait.
        """
        with self._lock:
            if task in self._found:
                found = self._found[task]
                if found is not None and found.why:  # told once; asked again, it is tried again
                    del self._found[task]
                return found
            waiting = sum(found is None for found in self._found.values())
            if waiting >= MOST_WAITING:
                raise ProblemError(
                    429, f"{waiting} questions are looked at; wait for one", retry_seconds=5
                )
            self._found[task] = None
            done = [one for one, found in self._found.items() if found is not None]
            for one in done[: max(0, len(self._found) - _KEPT)]:
                del self._found[one]
        threading.Thread(target=self._look, args=(task,), daemon=True).start()
        return None

    def close(self) -> None:
        """Stop; what is looked at is given up."""
        if self._resting:
            self._resting.cancel()
        self._child.kill()

    def _look(self, task: LookTask) -> None:
        with self._turn:
            try:
                said = self._child.ask(task.sent(), CLOCK_SECONDS)
                found = SeenVectors(
                    said.get("vectors", {}), said.get("end_seconds", 0.0), said.get("why", "")
                )
            except ChildClockError:
                found = SeenVectors(
                    {}, why=f"it took more than {CLOCK_SECONDS:.0f} s; ask a part of it"
                )
            except (ChildError, OSError):
                found = SeenVectors({}, why="what looks at it broke down")
            if self._resting:
                self._resting.cancel()
            self._resting = threading.Timer(_REST_SECONDS, self._rest)
            self._resting.daemon = True
            self._resting.start()
        with self._lock:
            self._found[task] = found

    def _rest(self) -> None:
        if self._turn.acquire(blocking=False):
            try:
                self._child.rest()
            finally:
                self._turn.release()

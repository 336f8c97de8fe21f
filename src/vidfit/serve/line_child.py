"""A process apart from the server that answers a line of JSON with one.

What a crafted file does to a decoder, or a large model to memory, it does there.
"""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from vidfit.documents import json_in, to_json


class ChildError(Exception):
    """There is no answer."""


class ChildClockError(ChildError):
    """It took too long, and was killed."""


class ChildDiedError(ChildError):
    """It died over the task."""


class ChildOverError(ChildError):
    """It was ended for good."""


class LineChild:
    """Runs ``python -m module``, and starts it again where it died.

    Parameters
    ----------
    module, arguments
        What is run: it reads a task a line, and writes an answer a line.
    """

    def __init__(self, module: str, *arguments: str) -> None:
        self._command = ["-P", "-m", module, *arguments]
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._over = False

    def ask(self, task: Mapping[str, Any], clock_seconds: float) -> Any:  # noqa: ANN401
        """Return the answer to a task; one is asked at a time.

        Raises
        ------
        ChildError
            Of the kind that says why there is none.
        """
        process = self._started()
        if process is None or process.stdin is None or process.stdout is None:
            raise ChildOverError
        line: bytes | None = b""
        with suppress(OSError):
            os.write(process.stdin.fileno(), to_json(task).encode() + b"\n")
            line = _line(process.stdout.fileno(), clock_seconds)
        if line:
            return json_in(line)
        with self._lock:
            if self._over:
                raise ChildOverError
            self._end()
        raise ChildClockError if line is None else ChildDiedError

    def rest(self) -> None:
        """End the process until it is asked again: what it holds in memory is given back."""
        with self._lock:
            self._end()

    def kill(self) -> None:
        """End the process for good."""
        with self._lock:
            self._over = True
            self._end()

    def _started(self) -> subprocess.Popen[bytes] | None:
        with self._lock:
            if self._over:
                return None
            if self._process is None or self._process.poll() is not None:
                paths = os.pathsep.join(path for path in sys.path if path)
                self._process = subprocess.Popen(
                    [sys.executable, *self._command],
                    bufsize=0,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    env={**os.environ, "PYTHONPATH": paths, "OPENBLAS_NUM_THREADS": "1"},
                )
            return self._process

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe:
                    pipe.close()
            self._process = None


def _line(number: int, clock_seconds: float) -> bytes | None:
    """Return a line of a pipe; nothing where it ends, ``None`` where the clock runs out."""
    until, found = time.monotonic() + clock_seconds, b""
    with selectors.DefaultSelector() as selector:
        selector.register(number, selectors.EVENT_READ)
        while not found.endswith(b"\n"):
            if not selector.select(max(0.0, until - time.monotonic())):
                return None
            read = os.read(number, 65536)
            if not read:
                return b""
            found += read
    return found

"""Work in a process of its own, which says its answer as the last line of its output.

What goes wrong there, such as memory that runs out, goes wrong there.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended.

    Parameters
    ----------
    status
        As the system gives it: 0, or below 0 the signal that ended it.
    answer
        The last line of its output, or nothing.
    said
        The last line of its errors, or its status in words.
    """

    status: int
    answer: str
    said: str


def run_module(
    module: str,
    arguments: Sequence[str] = (),
    *,
    question: str | None = None,
    environment: Mapping[str, str] | None = None,
    timeout_seconds: float | None = None,
) -> Ended:
    """Run ``python -m module`` with this process' import paths, and wait for its end.

    Nothing is imported from the working directory: a ``json.py`` that lies there is not run.

    Parameters
    ----------
    question
        What it can read from its input.
    environment
        Variables beside those of this process.

    Raises
    ------
    TimeoutError
        If it has not ended by then; it is killed.
    """
    paths = os.pathsep.join(path for path in sys.path if path)
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", module, *arguments],
            input=question,
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": paths, **(environment or {})},
            timeout=timeout_seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise TimeoutError(f"{module} did not end within {timeout_seconds:.0f} s") from error
    return Ended(
        done.returncode,
        (done.stdout.strip().splitlines() or [""])[-1],
        (done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"])[-1],
    )

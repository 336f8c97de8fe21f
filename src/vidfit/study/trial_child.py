"""Asks a child process to try a model: what goes wrong there, goes wrong there."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from vidfit.errors import ModelError

PATIENCE_SECONDS = 600
"""On the clock, whatever the child says of its own limits."""


def try_in_child(directory: Path, own: Sequence[str] = ()) -> None:
    """Open a model and answer noise with it in a child with limits (`vidfit.study.trial`).

    Raises
    ------
    ModelError
        With what was wrong.
    """
    # Never what lies in the working directory (-P): `json.py` beside a model would be run.
    command = [sys.executable, "-P", "-m", "vidfit.study.trial", str(directory), *own]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "CUDA_VISIBLE_DEVICES": "",
        "HF_HUB_OFFLINE": "1",
    }
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, env=environment, timeout=PATIENCE_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise ModelError(_refusal(directory, "did not end")) from error
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        raise ModelError(_refusal(directory, _ending(done.returncode))) from None
    if answer["error"]:
        raise ModelError(answer["error"])


def _refusal(directory: Path, ending: str) -> str:
    return (
        f"{directory} was tried in a process of its own, which {ending}: do not trust it, or give "
        "the machine more memory if you know where it is from"
    )


def _ending(status: int) -> str:
    if -status == getattr(signal, "SIGXCPU", 0):
        return "took longer than its size allows"
    if status < 0:
        return f"was ended by {signal.Signals(-status).name}, as when memory runs out"
    return f"ended with status {status}"

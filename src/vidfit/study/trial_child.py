"""Asks a child process to try a model: what goes wrong there, goes wrong there."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from pathlib import Path

from vidfit.children import run_module
from vidfit.documents import json_in
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
    offline = {"CUDA_VISIBLE_DEVICES": "", "HF_HUB_OFFLINE": "1"}
    try:
        ended = run_module(
            "vidfit.study.trial",
            [str(directory), *own],
            environment=offline,
            timeout_seconds=PATIENCE_SECONDS,
        )
    except TimeoutError as error:
        raise ModelError(_refusal(directory, "did not end")) from error
    try:
        answer = json_in(ended.answer)
    except ValueError:
        raise ModelError(_refusal(directory, _ending(ended.status))) from None
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

"""Asks a child process (`vidfit.planning.probe`), and keeps what does not change on disk."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal

from vidfit.children import run_module
from vidfit.documents import json_in, to_json
from vidfit.errors import BackboneError, StoreError
from vidfit.files import cache_folder, write_whole
from vidfit.hardware import hardware
from vidfit.planning.memory import Sizes
from vidfit.plans import Layout, Recipe
from vidfit.runtime.cache import version

Kind = Literal["dry", "real"]

KEPT_SECONDS = 24 * 3600
"""Times that were measured are kept for a day: they change with what else the machine does."""

_PACKAGES = ("vidfit", "torch", "transformers")


@dataclass(frozen=True)
class Question:
    """What a child is asked.

    Parameters
    ----------
    target
        ``module:function`` that makes a `vidfit.planning.trial.Trainee` of ``arguments``,
        which JSON must be able to hold.
    threads
        Of torch, when it runs with numbers.
    code
        Modules that training loads: before a run with numbers, as code takes memory, too.
    """

    target: str
    arguments: Mapping[str, Any]
    recipe: Recipe
    threads: int = 1
    code: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dry:
    """What a run without numbers tells of a layout."""

    peak_bytes: int
    flops_a_clip: float


@dataclass(frozen=True, slots=True)
class Real:
    """What a run with numbers tells.

    Parameters
    ----------
    base_bytes
        Resident before the network was made: interpreter, libraries, code of training.
    taken_bytes
        By how much resident memory rose, at most.
    micro_seconds, update_seconds
        The fastest micro-batch and update: what else runs disturbs them least.
    """

    base_bytes: int
    taken_bytes: int
    micro_seconds: float
    update_seconds: float


def dry_runs(
    question: Question, layouts: Sequence[Layout], folder: Path | None = None
) -> tuple[dict[str, int], list[Dry]]:
    """Return the subject's facts, and what each layout takes, without computing numbers.

    Parameters
    ----------
    folder
        Of answers to the same question; ``None`` keeps none.

    Raises
    ------
    BackboneError
        If the network cannot be made, or cannot run on shapes alone.
    """
    request = _request(question, "dry", layouts)
    path = folder / f"{_key(request)}.json" if folder else None
    answer = _kept(path)
    if answer is None:
        answer = _ask(request)
        _keep(path, answer)
    return answer["facts"], [Dry(**run) for run in answer["runs"]]


def real_run(
    question: Question,
    layout: Layout,
    limit_bytes: int = 0,
    timeout_seconds: float | None = None,
    folder: Path | None = None,
) -> tuple[dict[str, int], Real]:
    """Return the subject's facts, and what a layout takes on this machine.

    Parameters
    ----------
    limit_bytes
        That the process may hold, so that it dies alone and not with the machine; 0 for any.
    timeout_seconds
        After which it is ended.
    folder
        Of answers of the last day; ``None`` keeps none.

    Raises
    ------
    BackboneError
        If the network cannot be made or run, or memory does not suffice.
    TimeoutError
        If it took too long.
    """
    request = {**_request(question, "real", [layout]), "limit_bytes": limit_bytes}
    path = folder / f"{_key(request)}.json" if folder else None
    answer = _kept(path, KEPT_SECONDS)
    if answer is None:
        answer = _ask(request, timeout_seconds)
        _keep(path, answer)
    return answer["facts"], Real(**answer["runs"][0])


def default_folder() -> Path:
    """Return ``vidfit/plans`` in the user's cache folder."""
    return cache_folder("plans")


def _request(question: Question, kind: Kind, layouts: Sequence[Layout]) -> dict[str, Any]:
    return {
        "kind": kind,
        "target": question.target,
        "arguments": dict(question.arguments),
        "recipe": asdict(question.recipe),
        "threads": question.threads,
        "code": question.code if kind == "real" else (),
        "layouts": [asdict(layout) for layout in layouts],
    }


def _ask(request: Mapping[str, Any], timeout_seconds: float | None = None) -> dict[str, Any]:
    try:
        ended = run_module(
            "vidfit.planning.probe", question=to_json(request), timeout_seconds=timeout_seconds
        )
    except TimeoutError as error:
        raise TimeoutError(f"a run for the plan took over {timeout_seconds:.0f} s") from error
    if ended.status == 0:
        answer: dict[str, Any] = json_in(ended.answer)
        return answer
    how = "on shapes alone" if request["kind"] == "dry" else "a few steps"
    raise BackboneError(
        f"The process that ran {how} for the plan failed: {ended.said}. If memory was short, close "
        "other programs or choose a smaller network; else try the network with the regime 'probe'."
    )


def _key(request: Mapping[str, Any]) -> str:
    machine = hardware().processor if request["kind"] == "real" else ""
    threads = request["threads"] if request["kind"] == "real" else 1
    facts = {
        **request,
        "threads": threads,
        "versions": {name: version(name) for name in _PACKAGES},
        "machine": machine,
        "answer": [field.name for kind in (Sizes, Dry, Real) for field in fields(kind)],
    }
    return hashlib.sha256(to_json(facts, sort_keys=True).encode()).hexdigest()[:32]


def _kept(path: Path | None, seconds: float = math.inf) -> dict[str, Any] | None:
    """Return an answer that is not older than a number of seconds."""
    if path is None or not path.is_file() or time.time() - path.stat().st_mtime > seconds:
        return None
    try:
        answer: dict[str, Any] = json_in(path.read_text(encoding="utf-8"))
    except ValueError:  # damaged: it is asked anew and written over
        return None
    return answer if isinstance(answer, dict) and answer.keys() >= {"facts", "runs"} else None


def _keep(path: Path | None, answer: Mapping[str, Any]) -> None:
    """Write an answer; where that cannot be done it is asked for again another time."""
    if path is not None:
        with suppress(StoreError):
            write_whole(path, to_json(answer).encode())

"""Asks a child process (`vidfit.planning.probe`), and keeps what does not change on disk."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from vidfit.errors import BackboneError
from vidfit.plans import Layout, Recipe
from vidfit.runtime.cache import default_folder as engines_folder

Kind = Literal["dry", "real"]

_RETURNED_BYTES = 2**16
"""Blocks from this size on are mapped, and so given back when they are freed."""

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
    """What a run with numbers tells; ``peak_bytes`` is the allocator's, 0 where not traced."""

    resident_bytes: int
    micro_seconds: float
    update_seconds: float
    peak_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Effort:
    """How a run with numbers is measured.

    Parameters
    ----------
    traced
        Whether to take the allocator's peak, in two steps more.
    limit_bytes
        That the process may hold; 0 for any.
    returning
        Whether freed memory goes back to the system at once: slower, but what is resident then
        follows the tensors.
    """

    steps: int = 3
    clock: Literal["wall", "cpu"] = "wall"
    traced: bool = True
    limit_bytes: int = 0
    returning: bool = False


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


def real_runs(
    question: Question, layouts: Sequence[Layout], effort: Effort = Effort()
) -> tuple[dict[str, int], list[Real]]:
    """Return the subject's facts, and what each layout takes on this machine.

    Raises
    ------
    BackboneError
        If the network cannot be made or run, or memory does not suffice.
    """
    answer = _ask({**_request(question, "real", layouts), **asdict(effort)})
    return answer["facts"], [Real(**run) for run in answer["runs"]]


def default_folder() -> Path:
    """Return ``vidfit/plans`` in the user's cache folder."""
    return engines_folder().with_name("plans")


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


def _ask(request: Mapping[str, Any]) -> dict[str, Any]:
    # Of the parent's paths, too: a target may lie in a test or a script.
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    if request.get("returning"):
        environment["MALLOC_MMAP_THRESHOLD_"] = str(_RETURNED_BYTES)
    done = subprocess.run(
        [sys.executable, "-P", "-m", "vidfit.planning.probe"],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    if done.returncode == 0:
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer
    last = (done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"])[-1]
    how = "on shapes alone" if request["kind"] == "dry" else "a few steps"
    raise BackboneError(
        f"The process that ran {how} for the plan failed: {last}. If memory was short, close "
        "other programs or choose a smaller network; else try the network with the regime 'probe'."
    )


def _key(request: Mapping[str, Any]) -> str:
    facts = {**request, "threads": 1, "versions": _versions()}
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]


def _versions() -> dict[str, str]:
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = ""
    return found


def _kept(path: Path | None) -> dict[str, Any] | None:
    if path is None or not path.is_file():
        return None
    try:
        answer: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:  # damaged: it is asked anew and written over
        return None
    return answer


def _keep(path: Path | None, answer: Mapping[str, Any]) -> None:
    if path is not None:
        write_text(path, json.dumps(answer))


def write_text(path: Path, text: str) -> None:
    """Write a file under a temporary name, then rename it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}-{uuid.uuid4().hex}")
    try:
        with temporary.open("w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)

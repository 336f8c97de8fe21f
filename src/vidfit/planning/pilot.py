"""A job taken whole with a few steps, to see what it holds and takes.

``python -m vidfit.planning.pilot < request.json``: a process of its own, as only a fresh one tells
how much memory it came to hold, and what takes all of it takes itself with it.
"""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from vidfit import errors
from vidfit.children import run_module
from vidfit.documents import json_in, to_json
from vidfit.hardware import forget_peak, peak_bytes

STEPS = 10
"""Of each network."""


@dataclass(frozen=True, slots=True)
class Piloted:
    """What a job took.

    Parameters
    ----------
    peak_bytes
        The most memory that its process held, libraries and all.
    clock_seconds, cpu_seconds
        From its start to its end.
    learning_cpu_seconds
        Of ``cpu_seconds``, those of steps of training.
    """

    peak_bytes: int
    clock_seconds: float
    cpu_seconds: float
    learning_cpu_seconds: float


def pilot(run: str, options: Any, source: str, output: Path) -> Piloted:  # noqa: ANN401
    """Run a job with `STEPS` in place of its own.

    Parameters
    ----------
    run
        ``module:function``, called with source, output and options; what it returns has
        ``learning_seconds``.
    options
        A dataclass with ``steps``, of fields that JSON can hold, paths and tuples.

    Raises
    ------
    BudgetError
        If its process came to no end, as when memory ran out.
    VidfitError
        What the job itself refuses.
    """
    kind = type(options)
    given = {
        field.name: str(value) if isinstance(value, Path) else value
        for field in fields(options)
        if (value := getattr(options, field.name)) != field.default
    }
    request = {
        "run": run, "options": f"{kind.__module__}:{kind.__name__}", "source": source,
        "given": {**given, "steps": STEPS}, "output": str(output),
    }  # fmt: skip
    ended = run_module("vidfit.planning.pilot", question=to_json(request))
    answer = json_in(ended.answer) if ended.answer.startswith("{") else {}
    if "refused" in answer:
        raise getattr(errors, answer["kind"])(answer["refused"])
    if ended.status != 0 or not answer:
        raise errors.BudgetError(
            f"A trial of {STEPS} steps came to no end: {ended.said}. If memory was short, close "
            "other programs, or give fewer clips or smaller frames."
        )
    return Piloted(**answer)


def main() -> None:
    """Answer the request on standard input with JSON on standard output."""
    request = json_in(sys.stdin.read())
    answer_to, sys.stdout = sys.stdout, sys.stderr  # what a library prints is no answer
    options = _named(request["options"])
    forget_peak()
    began = time.perf_counter()
    try:
        report = _named(request["run"])(
            request["source"], Path(request["output"]), _options(options, request["given"])
        )
        answer = asdict(
            Piloted(
                peak_bytes(),
                time.perf_counter() - began,
                time.process_time(),
                report.learning_seconds,
            )
        )
    except errors.VidfitError as error:
        answer = {"kind": type(error).__name__, "refused": str(error)}
    answer_to.write(to_json(answer) + "\n")


def _options(kind: Any, given: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """Return options as they were before JSON."""
    typed = {field.name: str(field.type) for field in fields(kind)}
    found = {
        name: Path(value)
        if typed[name].startswith("Path") and value is not None
        else tuple(value)
        if isinstance(value, list)
        else value
        for name, value in given.items()
    }
    return kind(**found)


def _named(target: str) -> Any:  # noqa: ANN401
    module, _, name = target.partition(":")
    return getattr(importlib.import_module(module), name)


if __name__ == "__main__":
    main()

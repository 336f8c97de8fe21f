"""One measurement of `vidfit benchmark`, in a process of its own: engines share nothing.

Reads a question as JSON on standard input, and writes the answer as the last line of its output.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from vidfit import backbones as zoo
from vidfit.contracts import Backbone, Frames, GraphBackbone, TorchBackbone
from vidfit.documents import json_in, to_json
from vidfit.errors import BackboneError
from vidfit.hardware import resident_bytes
from vidfit.jobs.benchmark.value import BatchTiming, EngineRun
from vidfit.runtime import Accelerated, accelerate
from vidfit.runtime.roof import Roof

OWN = "own"
"""The engine of members without a network."""

_LEAST_RUNS, _MOST_RUNS = 5, 400
_PATIENCE_SECONDS = 6.0


def measure_engine(
    directory: Path, engine: str, threads: int, batches: tuple[int, ...], seconds: float
) -> EngineRun:
    """Open a saved backbone on an engine and time batches of random views.

    Parameters
    ----------
    directory
        That `vidfit.backbones.save` wrote.
    engine
        Key of ``vidfit.runtime.ENGINES``, or `OWN`.
    seconds
        For each batch, about; a larger one whose five runs would take longer than that, and than
        6 seconds, is left out.
    """
    started = time.perf_counter()
    try:
        found = zoo.restore(directory)
        network = isinstance(found, TorchBackbone | GraphBackbone)
        if network == (engine == OWN):
            return EngineRun(engine, threads, failure="it has no network" * (engine != OWN))
        backbone = accelerate(found, engine=engine, threads=threads) if network else found
    except BackboneError as error:
        return EngineRun(engine, threads, failure=str(error))
    opened_seconds = time.perf_counter() - started
    timings = time_batches(backbone, batches, seconds)
    fast = backbone if isinstance(backbone, Accelerated) else None
    return EngineRun(
        engine,
        threads,
        frames=fast.frames if fast else 0,
        parity=fast.parity if fast else 0.0,
        open_seconds=opened_seconds,
        resident_bytes=resident_bytes(),
        timings=timings,
    )


def time_batches(
    backbone: Backbone, batches: tuple[int, ...], seconds: float
) -> tuple[BatchTiming, ...]:
    """Time batches by rising size, until one would take too long."""
    spec = backbone.spec
    size = (spec.preprocessing.height_pixels, spec.preprocessing.width_pixels)
    shape = (max(batches), spec.sampling.clip_len, *size, 3)
    frames_BTHWC = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    timings: list[BatchTiming] = []
    for views in sorted(batches):
        if timings:
            one = timings[0].median_seconds
            if _LEAST_RUNS * views * one > max(seconds, _PATIENCE_SECONDS):
                break
        timings.append(_time_batch(backbone.forward, frames_BTHWC[:views], seconds))
    return tuple(timings)


def _time_batch(
    forward: Callable[[Frames], object], frames_BTHWC: Frames, seconds: float
) -> BatchTiming:
    forward(frames_BTHWC)  # sets up what runs of this size need
    taken: list[float] = []
    cpu, started = time.process_time(), time.perf_counter()
    while len(taken) < _LEAST_RUNS or (
        len(taken) < _MOST_RUNS and time.perf_counter() - started < seconds
    ):
        before = time.perf_counter()
        forward(frames_BTHWC)
        taken.append(time.perf_counter() - before)
    cpu_seconds = (time.process_time() - cpu) / len(taken)
    median, p95 = np.quantile(taken, [0.5, 0.95])
    return BatchTiming(len(frames_BTHWC), len(taken), float(median), float(p95), cpu_seconds)


def _answer(question: dict[str, Any]) -> EngineRun | Roof:
    if "engine" not in question:
        from vidfit.runtime.roof import measure_roof

        return measure_roof(question["threads"])
    for name in question["own"]:
        zoo.load(name)
    return measure_engine(
        Path(question["directory"]),
        question["engine"],
        question["threads"],
        tuple(question["batches"]),
        question["seconds"],
    )


if __name__ == "__main__":
    answer = _answer(json_in(sys.stdin.read()))
    print(to_json(asdict(answer)))  # noqa: T201  (the answer)

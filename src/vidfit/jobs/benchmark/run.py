"""Measure a model on every engine of this machine, beside what the machine can do at most.

Each engine runs in a process of its own, so that memory and threads are its own; processes run
one after the other.
"""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from vidfit.children import run_module
from vidfit.contracts import Backbone, Clip, TorchBackbone
from vidfit.errors import VidfitError
from vidfit.features.outcome import features_of
from vidfit.features.senses import Readers, gather
from vidfit.hardware import describe, hardware
from vidfit.jobs.benchmark.child import OWN
from vidfit.jobs.benchmark.options import BenchmarkOptions
from vidfit.jobs.benchmark.value import (
    BatchTiming,
    Benchmark,
    BenchmarkedMember,
    ClipWay,
    EngineRun,
)
from vidfit.jobs.benchmark.write import write_benchmark
from vidfit.jobs.predict.predictor import Predictor, load
from vidfit.model import member_directory
from vidfit.progress import SILENT, Progress
from vidfit.runtime import Accelerated
from vidfit.runtime.opened import GRAPH_ENGINES
from vidfit.runtime.roof import Roof

BATCHES = (1, 2, 4, 8)
_PACKAGES = ("vidfit", "numpy", "onnxruntime", "openvino", "torch")
_CLIP_REPEATS = 5


def run_benchmark(
    model: Path,
    output: Path,
    options: BenchmarkOptions | None = None,
    progress: Progress | None = None,
) -> Benchmark:
    """Measure a model, and write ``benchmark.json`` and ``benchmark.svg``.

    Parameters
    ----------
    model
        Directory that `fit` wrote.
    output
        Folder for the files; made when missing.

    Raises
    ------
    ModelError
        If the model is incomplete or altered.
    BackboneError
        If a member cannot run here, or the process that measures it fails.
    VideoError
        If the video cannot be read.
    """
    options = options or BenchmarkOptions()
    options.check()
    before = os.getloadavg()[0]
    predictor = load(model, options.backbones)
    threads = sorted({1, hardware().cores})
    plans = [_engines(backbone, options) for backbone in predictor.backbones]
    progress = progress or SILENT
    progress.start("benchmark", len(threads) * (1 + sum(map(len, plans))))
    roofs = []
    for count in threads:
        roofs.append(Roof(**_ask({"threads": count})))
        progress.advance()
    members = []
    for i, backbone in enumerate(predictor.backbones):
        runs = []
        for engine, count in ((e, t) for e in plans[i] for t in threads):
            runs.append(_run(member_directory(model, i), engine, count, options))
            progress.advance()
        members.append(_member(backbone, tuple(runs)))
    found = Benchmark(
        model=str(model),
        machine=describe(),
        versions={package: metadata.version(package) for package in _PACKAGES},
        load=(before, os.getloadavg()[0]),
        roofs=tuple(roofs),
        members=tuple(members),
        clip=_clip_way(predictor, options.video) if options.video else None,
    )
    write_benchmark(found, output)
    return found


def _engines(backbone: Backbone, options: BenchmarkOptions) -> list[str]:
    """Return the engines that can run a member."""
    if not isinstance(backbone, Accelerated):
        return [OWN]
    graph = sorted(GRAPH_ENGINES)
    if not isinstance(backbone.base, TorchBackbone):
        return graph
    return [*graph, "torch", *(["compile"] if options.compiled else [])]


def _member(backbone: Backbone, runs: tuple[EngineRun, ...]) -> BenchmarkedMember:
    spec = backbone.spec
    traffic: Mapping[int, int] = {}
    if isinstance(backbone, Accelerated) and isinstance(backbone.base, TorchBackbone):
        from vidfit.jobs.benchmark.traffic import traffic_bytes

        traffic = traffic_bytes(backbone.base, BATCHES)
    return BenchmarkedMember(
        name=spec.name,
        architecture=spec.architecture,
        sampling=str(spec.sampling),
        num_clips=spec.sampling.num_clips,
        parameters=spec.parameters,
        gmacs_per_view=spec.gmacs_per_view,
        chosen=backbone.engine if isinstance(backbone, Accelerated) else OWN,
        runs=runs,
        traffic_bytes=traffic,
    )


# ---------------------------------------------------------------- processes


def _run(directory: Path, engine: str, threads: int, options: BenchmarkOptions) -> EngineRun:
    question = {
        "directory": str(directory),
        "engine": engine,
        "threads": threads,
        "batches": BATCHES,
        "seconds": options.seconds,
        "own": options.backbones,
    }
    try:
        facts = _ask(question)
    except VidfitError as error:
        return EngineRun(engine, threads, failure=str(error))
    timings = tuple(BatchTiming(**timing) for timing in facts.pop("timings"))
    return EngineRun(**facts, timings=timings)


def _ask(question: Mapping[str, Any]) -> dict[str, Any]:
    """Ask a child, with this process' import paths and as many threads as are asked for."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    threads = dict.fromkeys(names, str(question["threads"]))
    ended = run_module(
        "vidfit.jobs.benchmark.child", question=json.dumps(question), environment=threads
    )
    if ended.status or not ended.answer:
        raise VidfitError(
            f"the process that measures failed: {ended.said}. If memory was short, close other "
            "programs."
        )
    answer: dict[str, Any] = json.loads(ended.answer)
    return answer


# ---------------------------------------------------------------- a clip


def _clip_way(predictor: Predictor, video: Path) -> ClipWay:
    """Time the way of a clip in this thread, as `predict` goes it, all members asked."""
    specs = [backbone.spec for backbone in predictor.backbones]
    decodes, heads = [], []
    members: dict[str, list[float]] = {spec.name: [] for spec in specs}
    for _ in range(1 + _CLIP_REPEATS):
        started = time.perf_counter()
        with Readers() as readers:
            found = gather(readers, Clip(str(video)), specs)
        decodes.append(time.perf_counter() - started)
        features = {}
        for backbone, seen in zip(predictor.backbones, found, strict=True):
            started = time.perf_counter()
            one = features_of(backbone, seen)
            members[backbone.spec.name].append(time.perf_counter() - started)
            features[backbone.spec.name] = one
        started = time.perf_counter()
        predictor.answer(features)
        heads.append(time.perf_counter() - started)
    return ClipWay(
        video=video.name,
        repeats=_CLIP_REPEATS,
        decode_seconds=_later(decodes),
        member_seconds={name: _later(taken) for name, taken in members.items()},
        head_seconds=_later(heads),
    )


def _later(taken: list[float]) -> float:
    """Return the median without the first, which warms caches up."""
    return statistics.median(taken[1:])

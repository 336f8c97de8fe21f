"""What a clip takes in each stage, and what Spark's driver takes, on this machine."""

from __future__ import annotations

import os
import statistics
import tracemalloc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time
from typing import Any
from unittest.mock import patch

import numpy as np

from benchmarks._cluster_model import Overhead
from vidfit.contracts import Backbone, Clip, ClipFeatures, Seconds
from vidfit.evaluate import near_duplicates
from vidfit.features import FeatureStore
from vidfit.features.digests import file_digest
from vidfit.features.extract import Extracted, extract
from vidfit.features.fingerprint import VERSIONS, to_tokens
from vidfit.features.views import gather_views
from vidfit.launch import spark
from vidfit.launch.spark import OnSpark
from vidfit.progress import SILENT, Progress
from vidfit.video import VideoReader
from vidfit.work import Found, Given, Workload

READ, DECODE, WRITE = "read and sha256", "decode", "write features"
_ROWS_A_FILE = 32
_FRAMES = 8
HASHES_BYTES = 4 * _FRAMES * (4 * VERSIONS + 1)
"""Hashes of a clip as `near_duplicates` takes them, float32."""

_PARTS = 4096


@dataclass
class Pass:
    """CPU seconds of each clip by stage, [M] each, and how many cores were busy."""

    seconds: dict[str, Seconds]
    cores_busy: float


def one_pass(
    clips: Sequence[Clip], encoders: Sequence[Backbone], sets: Mapping[str, Sequence[str]], to: Path
) -> Pass:
    """Take all clips through all stages, one after the other, on one core at a time."""
    stages = [READ, *(f"{DECODE} for {name}" for name in sets), *(e.spec.name for e in encoders)]
    taken = {name: np.zeros(len(clips)) for name in [*stages, WRITE]}
    rows: dict[str, dict[str, ClipFeatures]] = {encoder.spec.name: {} for encoder in encoders}
    cpu, wall = process_time(), perf_counter()
    for m, clip in enumerate(clips):
        with _taken(taken[READ], m):
            digest = file_digest(clip.path)
        for name, members in sets.items():
            chosen = [encoder for encoder in encoders if encoder.spec.name in members]
            with _taken(taken[f"{DECODE} for {name}"], m), VideoReader(clip.path) as reader:
                views = gather_views(reader, clip, [encoder.spec for encoder in chosen])
                pts = reader.pts_seconds
            if len(chosen) == len(encoders):
                whole = views
        for encoder, (indices, frames) in zip(encoders, whole, strict=True):
            with _taken(taken[encoder.spec.name], m):
                tokens_BND = encoder.forward(frames)
            tokens_ND = tokens_BND.reshape(-1, tokens_BND.shape[-1])
            seen = np.unique(indices)
            rows[encoder.spec.name][digest] = ClipFeatures(tokens_ND, seen, pts[seen], 0.0)
    cores_busy = (process_time() - cpu) / (perf_counter() - wall)
    began = process_time()
    _write(FeatureStore(to), encoders, rows)
    taken[WRITE] += (process_time() - began) / len(clips)
    return Pass(taken, cores_busy)


class _taken:  # noqa: N801  (reads as a word)
    """Add the CPU seconds of a block to a place of an array."""

    def __init__(self, into_M: Seconds, place: int) -> None:
        self.into_M, self.place = into_M, place

    def __enter__(self) -> None:
        self.began = process_time()

    def __exit__(self, *_: object) -> None:
        self.into_M[self.place] += process_time() - self.began


def _write(
    store: FeatureStore,
    encoders: Iterable[Backbone],
    rows: Mapping[str, Mapping[str, ClipFeatures]],
) -> None:
    """Write as `extract` does, a few clips a file."""
    for encoder in encoders:
        named = list(rows[encoder.spec.name].items())
        for i in range(0, len(named), _ROWS_A_FILE):
            store.write(encoder.spec, dict(named[i : i + _ROWS_A_FILE]))


# ---------------------------------------------------------------- the driver


@dataclass(frozen=True)
class Nothing:
    """A task that gives an answer to each clip without looking at it."""

    item: type[Clip] = Clip
    result: type[Extracted] = Extracted

    def open(self, workers: int) -> Callable[[Iterable[Clip]], Iterator[Extracted]]:
        """Return what answers as if three encoders had run."""

        def work(clips: Iterable[Clip]) -> Iterator[Extracted]:
            seconds = {"motion": 0.01, "efficientnet-lite0": 0.05, "transnetv2": 0.02}
            for clip in clips:
                yield Extracted(clip, "0" * 64, "", 0.05, seconds, {})

        return work


PATH = "/data/archive/camera-0042/2026-11-27/part-{:09d}.mp4"


def overhead(place: OnSpark, counts: Sequence[tuple[int, int]], rounds: int) -> Overhead:
    """Return what Spark takes for a clip and for a part, by least squares over no-op runs.

    In an embedded Spark driver and executors are one process of Java. What it takes to hand out
    parts is that of parts without Python that write nothing: a bound from above.

    Parameters
    ----------
    counts
        Clips, and clips of a part, of each run.
    """
    list(place.map(Nothing(), [Clip(PATH.format(i)) for i in range(64)]))
    runs = [(*count, _phases(place, *count)) for _ in range(rounds) for count in counts]
    facts = [(clips, -(-clips // size)) for clips, size, _ in runs]
    alone = _slopes(facts, [phases.alone_seconds for *_, phases in runs])
    cores = _slopes([(1, *fact) for fact in facts], [p.job_cpu_seconds for *_, p in runs])
    _parts(place, _PARTS)
    return Overhead(
        item_driver_seconds=alone[0],
        part_driver_seconds=alone[1],
        item_core_seconds=cores[1],
        part_core_seconds=cores[2],
        dispatch_seconds=statistics.median(_parts(place, _PARTS) for _ in range(rounds)),
    )


def _parts(place: OnSpark, count: int) -> float:
    """Return the CPU seconds of Java for a part that does nothing, from hand-out to its end."""
    began = tree_cpu_seconds()
    place.session.range(0, count, 1, count).write.format("noop").mode("overwrite").save()
    return (tree_cpu_seconds() - began) / count


def _slopes(facts: Sequence[tuple[int, ...]], seconds: Sequence[float]) -> list[float]:
    """Fit seconds as a sum of facts times rates that are not negative."""
    from scipy.optimize import nnls

    weights = 1 / np.asarray(seconds)  # relative errors count alike
    rates, _ = nnls(np.asarray(facts, float) * weights[:, None], np.ones(len(seconds)))
    return [float(rate) for rate in rates]


@dataclass(frozen=True)
class _Phases:
    """CPU seconds: of the driver alone, writing items and reading results; of all, between."""

    alone_seconds: float
    job_cpu_seconds: float


def _phases(place: OnSpark, clips: int, size: int) -> _Phases:
    written = cpu = 0.0

    def items() -> Iterator[Clip]:
        nonlocal written, cpu
        for i in range(clips):
            yield Clip(PATH.format(i))
        written, cpu = process_time(), tree_cpu_seconds()

    began = process_time()
    with patch.object(spark, "LARGEST_PART", size):
        results = place.map(Nothing(), items())
        next(results)
        worked, cpu = process_time(), tree_cpu_seconds() - cpu
        count = 1 + sum(1 for _ in results)
    assert count == clips  # noqa: S101
    return _Phases(written - began + process_time() - worked, cpu)


def tree_cpu_seconds() -> float:
    """Return CPU seconds of this process and all that it started, Java and its workers too."""
    facts: dict[int, tuple[int, float]] = {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended
            fields = file.read_text().rpartition(")")[2].split()
            ticks = sum(map(int, fields[11:15]))
            facts[int(file.parent.name)] = int(fields[1]), ticks / os.sysconf("SC_CLK_TCK")
    tree = {os.getpid()}
    while more := {pid for pid, (parent, _) in facts.items() if parent in tree} - tree:
        tree |= more
    return sum(facts[pid][1] for pid in tree if pid in facts)


# ---------------------------------------------------------------- memory and pairs


class Ready:
    """A place where all is done already: what is left of `extract` is the driver's."""

    workers = 1

    def map(
        self, task: Workload[Given, Found], items: Iterable[Given], progress: Progress = SILENT
    ) -> Iterator[Found]:
        """Yield answers that hold copies of the clips, as from other processes."""
        for clip in items:
            assert isinstance(clip, Clip)  # noqa: S101
            copy: Any = Clip(str(clip.path), clip.start_seconds)
            yield Extracted(copy, f"{clip.start_seconds:064.0f}", "", 0.1, {"motion": 0.1}, {})  # type: ignore[misc]

    def processes(
        self, module: str, arguments: Sequence[str], count: int, look: Callable[[], bool]
    ) -> None:
        """Run nothing."""
        raise NotImplementedError(f"{module} is not run where all is done")


def driver_of_extract(paths: Sequence[str], clips: int, store: FeatureStore) -> dict[str, float]:
    """Return seconds and bytes that `extract` itself takes for a clip: its list and its answers."""

    def listed() -> list[Clip]:
        return [Clip("".join(paths[i % len(paths)]), float(i)) for i in range(clips)]

    given = listed()
    began = process_time()
    extract(given, [], store, Ready())
    seconds = process_time() - began
    tracemalloc.start()
    kept = [(given := listed()), extract(given, [], store, Ready())]
    memory, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del kept
    return {"seconds": seconds / clips, "bytes": memory / clips, "peak bytes": peak / clips}


def known(store: FeatureStore, encoder: Backbone, files: int) -> dict[str, float]:
    """Return what a worker takes to know what is in the store: `FeatureStore.held`."""
    tokens_ND = np.random.default_rng(0).normal(size=(8, 1280)).astype(np.float32)
    seen = np.arange(8)
    for number in range(files):
        some = (f"{number * _ROWS_A_FILE + i:064x}" for i in range(_ROWS_A_FILE))
        features = ClipFeatures(tokens_ND, seen, seen / 25, 0.1)
        store.write(encoder.spec, dict.fromkeys(some, features))
    began = process_time()
    store.held(encoder.spec)
    seconds = process_time() - began
    tracemalloc.start()
    kept = store.held(encoder.spec)
    memory, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del kept
    return {"seconds a file": seconds / files, "bytes": memory / files / _ROWS_A_FILE}


def compare_seconds(clips: int) -> float:
    """Return seconds of one core for a clip of so many that are compared with one another."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 2**64, (clips, _FRAMES, VERSIONS), np.uint64)
    contrast = np.full(_FRAMES, 50.0, np.float32)
    hashes = [to_tokens(codes_NV, contrast) for codes_NV in codes]
    names = [str(number) for number in range(clips)]
    began = process_time()
    near_duplicates(names, names, hashes)
    return (process_time() - began) / clips

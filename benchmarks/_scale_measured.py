"""All that `benchmarks.scale` measures, and the model held against the clock."""

from __future__ import annotations

import os
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from itertools import count
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks import _cluster_model as model
from benchmarks import _cluster_stages as stages
from benchmarks._cluster_model import Cluster, Overhead, PerClip
from benchmarks._cluster_tail import Fleet, part_clips, simulate
from benchmarks._harness import load
from vidfit import backbones as zoo
from vidfit.contracts import Backbone, Clip, Seconds
from vidfit.features import FeatureStore
from vidfit.features.digests import spec_key
from vidfit.features.extract import extract
from vidfit.features.joining import FEW
from vidfit.hardware import hardware
from vidfit.launch import Here, launcher
from vidfit.launch.spark import PARTS_A_WORKER, OnSpark
from vidfit.runtime import accelerate
from vidfit.video import VideoReader
from vidfit.work import Launcher

SETS = {
    "motion": ("motion",),
    "efficientnet-lite0": ("efficientnet-lite0",),
    "all three": ("motion", "efficientnet-lite0", "transnetv2"),
}
_FLUSH_CLIPS, _FLUSH_SECONDS = 32, 5.0
"""How often `extract` writes a file: after so many clips, or so long."""

_NO_OPS = ((8192, 256), (4096, 64), (1024, 16))
_QUICK_NO_OPS = ((4096, 256), (1024, 64))


@dataclass(frozen=True)
class Check:
    """The model against the least disturbed run: seconds, and cores that others took."""

    name: str
    workers: int
    predicted_wall: float
    simulated_wall: float
    wall: float
    predicted_cpu: float
    cpu: float
    others: float
    cores: int

    @property
    def wall_error(self) -> float:
        """Predicted over measured time, less 1."""
        return self.predicted_wall / self.wall - 1

    @property
    def simulated_error(self) -> float:
        """The same with the tail, which the model leaves out."""
        return self.simulated_wall / self.wall - 1

    @property
    def cpu_error(self) -> float:
        """The same of CPU seconds, which others on the machine disturb less."""
        return self.predicted_cpu / self.cpu - 1

    @property
    def left_error(self) -> float:
        """The same of the time, with the cores that others left in place of the workers."""
        left = min(self.workers, max(self.cores - self.others, 0.1))
        return self.predicted_wall * self.workers / left / self.wall - 1


@dataclass(frozen=True)
class Measured:
    """A clip on this machine, by stage.

    ``seconds_M`` are those of each measured clip by all encoders, largest file first.
    """

    rounds: int
    cores_busy: float
    stages: dict[str, float]
    stored_bytes: dict[str, float]
    read_bytes: float
    video_seconds: float
    seconds_M: Seconds
    overhead: Overhead
    listing: dict[str, float]
    known: dict[str, float]
    compare_seconds: float
    checks: tuple[Check, ...]

    @property
    def driven(self) -> Overhead:
        """Spark's overhead with what `extract` itself does with each clip, in the driver."""
        both = self.overhead.item_driver_seconds + self.listing["seconds"]
        return replace(self.overhead, item_driver_seconds=both)

    def per_clip(self, name: str) -> PerClip:
        """Return what a clip takes by one set of encoders."""
        written = sum(self.stored_bytes[one] for one in SETS[name])
        share = written / sum(self.stored_bytes.values())
        core_seconds = (
            self.stages[stages.READ]
            + self.stages[f"{stages.DECODE} for {name}"]
            + sum(self.stages[one] for one in SETS[name])
            + self.stages[stages.WRITE] * share
        )
        return PerClip(core_seconds, self.read_bytes, written, self.video_seconds)

    def files_a_clip(self, name: str) -> float:
        """Return files of the store that a clip makes."""
        in_time = _FLUSH_SECONDS / self.per_clip(name).core_seconds
        return len(SETS[name]) / min(_FLUSH_CLIPS, max(1.0, in_time))

    def figures(self) -> dict[str, Any]:
        """Return all of it as JSON takes it."""
        errors = [
            {
                "error": c.wall_error,
                "error with the tail": c.simulated_error,
                "error on cores left": c.left_error,
                "CPU error": c.cpu_error,
            }
            for c in self.checks
        ]
        return {**asdict(replace(self, seconds_M=np.empty(0))), "errors": errors,
                "seconds_M": self.seconds_M.tolist()}  # fmt: skip

    @classmethod
    def read(cls, figures: Mapping[str, Any]) -> Measured:
        """Return what `figures` gave."""
        facts = {field.name: figures[field.name] for field in fields(cls)}
        facts |= {
            "seconds_M": np.array(figures["seconds_M"]),
            "overhead": Overhead(**figures["overhead"]),
            "checks": tuple(Check(**check) for check in figures["checks"]),
        }
        return cls(**facts)


def measured(paths: Sequence[Path], rounds: int, scratch: Path) -> Measured:
    """Measure stages, extractions and Spark in turn, so that all see the same disturbances."""
    paths = sorted(paths, key=lambda path: -path.stat().st_size)
    clips = [Clip(str(path)) for path in paths]
    encoders = [accelerate(zoo.load(name)) for name in SETS["all three"]]
    stores = (scratch / f"store-{number}" for number in count())
    place = launcher("spark", workers=2, scratch=scratch / "spark")
    assert isinstance(place, OnSpark)  # noqa: S101
    cold = _extract(clips[:: max(1, len(clips) // 16)][:16], encoders, next(stores), place).cpu
    places: dict[str, Launcher] = {"1 worker": Here(1), "2 workers": Here(2), "Spark, 2": place}
    passes, runs = [], []
    for number in range(rounds):
        passes.append(stages.one_pass(clips, encoders, SETS, scratch / f"pass-{number}"))
        for name, where in places.items():
            runs.append((name, _extract(clips, encoders, next(stores), where)))
        print(f"  round {number + 1} of {rounds}, {load()}")
    quick = rounds == 1
    overhead = stages.overhead(place, _QUICK_NO_OPS if quick else _NO_OPS, min(rounds, 3))
    place.session.stop()
    listing = stages.driver_of_extract(
        [clip.path for clip in clips], 20_000, FeatureStore(next(stores))
    )
    taken = {n: np.median([one.seconds[n] for one in passes], 0) for n in passes[0].seconds}
    found = Measured(
        rounds=rounds,
        cores_busy=statistics.median(one.cores_busy for one in passes),
        stages={name: float(seconds_M.mean()) for name, seconds_M in taken.items()},
        stored_bytes=_stored_bytes(FeatureStore(scratch / "pass-0"), encoders, len(clips)),
        read_bytes=float(np.mean([path.stat().st_size for path in paths])),
        video_seconds=_mean_seconds(paths),
        seconds_M=_whole(taken),
        overhead=overhead,
        listing=listing,
        known=stages.known(FeatureStore(next(stores)), encoders[1], FEW),
        compare_seconds=statistics.median(stages.compare_seconds(4096) for _ in range(rounds)),
        checks=(),
    )
    start_seconds = max(0.0, cold - _predicted(found, "Spark, 2", 16)[1]) / place.workers
    checks = tuple(_check(found, name, len(clips), runs, where) for name, where in places.items())
    return replace(found, overhead=replace(overhead, start_seconds=start_seconds), checks=checks)


def _whole(taken: dict[str, Seconds]) -> Seconds:
    names = (stages.READ, f"{stages.DECODE} for all three", *SETS["all three"], stages.WRITE)
    whole_M: Seconds = np.sum([taken[name] for name in names], 0)
    return whole_M


@dataclass(frozen=True)
class _Run:
    """An extraction: time, CPU seconds of all its processes, and cores that others took."""

    wall: float
    cpu: float
    others: float


def _extract(
    clips: Sequence[Clip], encoders: Sequence[Backbone], store: Path, place: Launcher
) -> _Run:
    busy, cpu, began = _busy_seconds(), stages.tree_cpu_seconds(), perf_counter()
    done = extract(clips, encoders, FeatureStore(store), place)
    wall, cpu = perf_counter() - began, stages.tree_cpu_seconds() - cpu
    assert done.computed == len(clips)  # noqa: S101
    return _Run(wall, cpu, max(0.0, (_busy_seconds() - busy - cpu) / wall))


def _busy_seconds() -> float:
    """Return CPU seconds that all processes of the machine have taken."""
    user, nice, system = map(int, Path("/proc/stat").read_text().split()[1:4])
    return (user + nice + system) / os.sysconf("SC_CLK_TCK")


def _predicted(found: Measured, name: str, clips: int) -> tuple[float, float]:
    """Return time and CPU seconds by the model; nothing in it was taken from an extraction."""
    workers = 1 if name == "1 worker" else 2
    size = float(max(1, -(-clips // (PARTS_A_WORKER * workers))))
    over = found.overhead if name.startswith("Spark") else Overhead()
    over = replace(over, item_driver_seconds=over.item_driver_seconds + found.listing["seconds"])
    cluster = Cluster(1, workers, float("inf"), float("inf"))
    clip = found.per_clip("all three")
    wall = model.seconds(clips, clip, over, cluster, size)
    served = model.limits(clip, over, replace(cluster, cores=1), size)
    return wall, clips / served[model.CORES]


def _simulated(found: Measured, name: str, workers: int) -> float:
    """Return the time by the clips' own seconds in their order, dealt out as it is done here."""
    clips = len(found.seconds_M)
    over = found.overhead if name.startswith("Spark") else Overhead()
    size = part_clips(clips, workers, clips, PARTS_A_WORKER) if over.part_core_seconds else 1
    starts = np.arange(0, clips, size)
    seconds_P = np.add.reduceat(found.seconds_M + over.item_core_seconds, starts)
    run = simulate(
        seconds_P + over.part_core_seconds,
        Fleet(1, workers, dispatch_seconds=over.dispatch_seconds),
        np.random.default_rng(0),
    )
    alone = clips * (over.item_driver_seconds + found.listing["seconds"])
    return run.seconds + alone + len(starts) * over.part_driver_seconds


def _check(
    found: Measured, name: str, clips: int, runs: Sequence[tuple[str, _Run]], place: Launcher
) -> Check:
    wall, cpu = _predicted(found, name, clips)
    # Of several runs the one that others on the machine disturbed least.
    mine = min((run for of, run in runs if of == name), key=lambda run: run.others)
    return Check(
        name=name,
        workers=place.workers,
        predicted_wall=wall,
        simulated_wall=_simulated(found, name, place.workers),
        wall=mine.wall,
        predicted_cpu=cpu,
        cpu=mine.cpu,
        others=mine.others,
        cores=hardware().cores,
    )


def _stored_bytes(
    store: FeatureStore, encoders: Sequence[Backbone], clips: int
) -> dict[str, float]:
    return {
        encoder.spec.name: sum(
            file.stat().st_size for file in (store.root / spec_key(encoder.spec)).glob("part-*")
        )
        / clips
        for encoder in encoders
    }


def _mean_seconds(paths: Sequence[Path]) -> float:
    lengths = []
    for path in paths:
        with VideoReader(str(path)) as reader:
            lengths.append(reader.info.duration_seconds)
    return float(np.mean(lengths))

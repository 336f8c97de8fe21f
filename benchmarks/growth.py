"""Time and memory for each clip, from 100 to 10,000 clips or more: both should stay as they are.

Short clips (12 frames of 64 x 48) of two motions, each with content of its own; beyond the first
1,000 they differ in a number that lies beside the frames. Four jobs, each
in a process of its own: features here and on an embedded Spark, into a new store; answers of a
fitted model; by-video shards. By name a fifth, a whole fit, which holds a vector of each clip, and
so has no bar. Before the clock runs each has worked on a few other clips, so
that loading and the start of workers do not count. Memory is the peak of the process, and of the
largest Python worker of Spark.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._harness import arguments, environment, finish, load, table
from vidfit import backbones as zoo
from vidfit.features import FeatureStore
from vidfit.features.extract import extract
from vidfit.hardware import hardware, peak_bytes
from vidfit.jobs.fit.options import FitOptions
from vidfit.jobs.fit.run import run_fit
from vidfit.jobs.predict.many import predict_many
from vidfit.jobs.predict.predictor import load as open_model
from vidfit.jobs.shard.options import ShardOptions
from vidfit.jobs.shard.run import run_shard
from vidfit.launch import launcher
from vidfit.manifest import iter_clips, read_manifest
from vidfit.runtime import accelerate
from vidfit.video import write_video
from vidfit.work import Launcher

BAR = 0.10
BACKBONES = ("efficientnet-lite0@1",)
"""Cheap, so that what comes beside it shows."""
JOBS = ("features", "features on Spark", "answers", "shards")
QUICK_JOBS = ("features", "shards")
FIT = "fit"
_WARM = 24
_DRAWN = 1000
"""Clips that are encoded; 100,000 would take ten minutes of the processor."""


@dataclass(frozen=True)
class Run:
    """What a job took on so many clips."""

    clips: int
    wall_seconds: float
    peak_bytes: int


def main() -> None:
    options = _options()
    if options.child:
        job, clips, folder = options.child
        print(json.dumps(asdict(_job(job, Path(clips), Path(folder)))))
        return
    most = 1000 if options.quick else options.most
    sizes = tuple(size for size in (100, 1000, 10_000, 100_000) if size <= most)
    rounds = 1 if options.quick else options.rounds
    start = environment()
    with tempfile.TemporaryDirectory(dir=options.scratch) as scratch:
        folder = Path(scratch)
        for size in (_WARM, *sizes):
            _write_clips(folder / f"clips-{size}", size)
        jobs = options.job or (QUICK_JOBS if options.quick else JOBS)
        if "answers" in jobs:
            run_fit(folder / "clips-100", folder / "fit", FitOptions(backbones=BACKBONES))
        runs = {job: {size: _repeated(job, size, folder, rounds) for size in sizes} for job in jobs}
    figures = {
        job: {str(size): [asdict(run) for run in of_size] for size, of_size in of_job.items()}
        for job, of_job in runs.items()
    }
    growth = {job: _growth(of_job) for job, of_job in runs.items()}
    _show(runs, growth)
    headline, met = _headline(runs, growth)
    finish(options, {"runs": figures, "growth": growth}, start, headline, met=met)


def _options() -> argparse.Namespace:
    parser = arguments(__doc__)
    parser.add_argument(
        "--most", type=int, default=10_000, choices=(1000, 10_000, 100_000), help="clips (10,000)"
    )
    parser.add_argument("--rounds", type=int, default=3, help="repeats of up to 1,000 clips")
    parser.add_argument("--scratch", type=Path, help="where clips and stores are written")
    parser.add_argument(
        "--job", choices=(*JOBS, FIT), action="append", help="default: all but fit; quick two"
    )
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    return parser.parse_args()


def _write_clips(folder: Path, count: int) -> None:
    """Write clips of texture that drifts, a tenth of them from each recording of a class."""
    drawn: list[bytes] = []
    for i in range(count):
        path = folder / ("left", "right")[i % 2] / f"take{'abcdefghij'[i // 2 % 10]}_{i}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        if i < _DRAWN:
            _draw(path, np.random.default_rng((count, i)), -2 if i % 2 == 0 else 2)
            drawn.append(path.read_bytes())
        else:  # a free box (ISO/IEC 14496-12), which no decoder looks into
            path.write_bytes(drawn[i % _DRAWN] + struct.pack(">I4sQ", 16, b"free", i))


def _draw(path: Path, rng: np.random.Generator, step: int) -> None:
    texture = np.kron(rng.integers(0, 256, (12, 16, 3)), np.ones((4, 4, 1))).astype(np.uint8)
    frames = (np.roll(texture, step * t, axis=1) for t in range(12))
    write_video(path, frames, 12.5, options={"crf": "23", "preset": "ultrafast"})


def _repeated(job: str, size: int, folder: Path, rounds: int) -> list[Run]:
    """Run a job in new processes, the largest size once."""
    runs = []
    for _ in range(rounds if size <= 1000 else 1):
        command = [sys.executable, "-m", "benchmarks.growth", "--child", job]
        command += [str(folder / f"clips-{size}"), str(folder)]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        if ended.returncode:
            raise SystemExit(ended.stderr[-2000:])
        runs.append(Run(**json.loads(ended.stdout.splitlines()[-1])))
        print(f"  {job}, {size} clips: {runs[-1].wall_seconds:.1f} s, {load()}")
    return runs


def _job(job: str, clips: Path, folder: Path) -> Run:
    work = {
        "features": lambda: _features(folder, "here"),
        "features on Spark": lambda: _features(folder, "spark"),
        "answers": lambda: _answers(folder),
        "shards": lambda: _shards(folder),
        FIT: lambda: _fits(folder),
    }[job]()
    work(folder / f"clips-{_WARM}")
    with _Workers() as workers:
        began = time.perf_counter()
        count = work(clips)
        seconds = time.perf_counter() - began
    return Run(count, seconds, max(peak_bytes(), workers.peak_bytes))


Work = Callable[[Path], int]


def _features(folder: Path, on: str) -> Work:
    place = launcher(on, scratch=folder / "scratch")
    encoders = [accelerate(zoo.load(name)) for name in BACKBONES]

    def work(clips: Path) -> int:
        store = FeatureStore(folder / "features")
        done = extract(read_manifest(clips).clips, encoders, store, place)
        assert done.computed == len(done.digests), done.failures  # noqa: S101
        shutil.rmtree(store.root)
        return done.computed

    return work


def _answers(folder: Path) -> Work:
    place: Launcher = launcher(scratch=folder / "scratch")
    model = open_model(folder / "fit" / "model")
    return lambda clips: sum(1 for _ in predict_many(model, iter_clips(clips), place))


def _shards(folder: Path) -> Work:
    def work(clips: Path) -> int:
        output = folder / "shards"
        made = run_shard(clips, output, ShardOptions(workers=hardware().cores))
        shutil.rmtree(output)
        return sum(clips for clips, _ in made.splits.values())

    return work


def _fits(folder: Path) -> Work:
    def work(clips: Path) -> int:
        output = folder / "fitted"
        report = run_fit(clips, output, FitOptions(backbones=BACKBONES))
        shutil.rmtree(output)
        return report.clip_count

    return work


class _Workers:
    """Watches the memory of Spark's Python workers."""

    def __init__(self) -> None:
        self.peak_bytes, self._stop = 0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> _Workers:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.2):
            found = subprocess.run(
                ["pgrep", "-f", "pyspark.daemon"], capture_output=True, text=True, check=False
            )
            for pid in found.stdout.split():
                self.peak_bytes = max(self.peak_bytes, _resident(int(pid)))


def _resident(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:  # it has ended
        return 0
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("VmRSS")), 0)


def _medians(runs: list[Run]) -> tuple[float, float]:
    """Return seconds a clip and peak bytes."""
    seconds = statistics.median(run.wall_seconds / run.clips for run in runs)
    return seconds, statistics.median(run.peak_bytes for run in runs)


def _growth(of_job: dict[int, list[Run]]) -> dict[str, float]:
    """Return how much the largest size takes over the smallest, for each clip."""
    (first, least), (last, most) = _medians(of_job[min(of_job)]), _medians(of_job[max(of_job)])
    return {"seconds": last / first - 1, "memory": most / least - 1}


def _show(runs: dict[str, dict[int, list[Run]]], growth: dict[str, Any]) -> None:
    rows = []
    for job, of_job in runs.items():
        for size, of_size in of_job.items():
            seconds, memory = _medians(of_size)
            rows.append((job, f"{size:,}", f"{seconds * 1e3:.2f} ms", f"{memory / 1e6:.0f} MB"))
        found = growth[job]
        rows.append(("", "growth", f"{found['seconds']:+.1%}", f"{found['memory']:+.1%}"))
    table(("job", "clips", "a clip", "peak"), rows)


def _headline(
    runs: dict[str, dict[int, list[Run]]], growth: dict[str, dict[str, float]]
) -> tuple[str, bool]:
    said, met = [], True
    if flat := [found for job, found in growth.items() if job != FIT]:
        worst = {key: max(found[key] for found in flat) for key in ("seconds", "memory")}
        sizes = next(iter(runs.values()))
        said.append(
            f"from {min(sizes):,} to {max(sizes):,} clips: time a clip grows by at most "
            f"{worst['seconds']:+.1%}, memory by {worst['memory']:+.1%} (bar {BAR:.0%})"
        )
        met = max(worst.values()) <= BAR
    if of_fit := runs.get(FIT):
        least, most = min(of_fit), max(of_fit)
        more = _medians(of_fit[most])[1] - _medians(of_fit[least])[1]
        said.append(f"a fit holds {more / (most - least) / 1e3:.1f} kB a clip")
    return "; ".join(said), met


if __name__ == "__main__":
    main()

"""Spark against this machine alone: the same report, what it costs, and after a kill.

``vidfit fit`` on the surveillance clips, from nothing to report, on the same cores: in threads
here, and in an embedded Spark (``--on spark``). The first fit on Spark pays for Python workers
that start and open the encoders; the later ones show what Spark itself costs. Then a standalone
cluster of two workers with one core each, of which one executor is killed with SIGKILL in the
middle of extraction and of prediction.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._clips import SURVEILLANCE
from benchmarks._harness import arguments, environment, finish, load, median_ratio, table
from vidfit import backbones as zoo
from vidfit.contracts import Clip
from vidfit.features import FeatureStore
from vidfit.features.extract import extract
from vidfit.hardware import hardware
from vidfit.jobs.fit.options import FitOptions
from vidfit.jobs.fit.run import run_fit
from vidfit.jobs.predict.many import predict_many
from vidfit.jobs.predict.predictor import load as open_model
from vidfit.launch import Here, launcher
from vidfit.launch.spark import OnSpark
from vidfit.manifest import read_manifest
from vidfit.reported import Report
from vidfit.runtime import accelerate
from vidfit.testing.spark import Cluster, cluster

BAR = 1.25
"""A fit on Spark may take so many times as long as one here, after the start."""

BACKBONES = ("motion", "efficientnet-lite0", "transnetv2")


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    start = environment()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        cost = _cost(folder, 1 if options.quick else options.rounds)
        killed = _killed(folder, 60 if options.quick else 10_000)
    figures = {"fit": cost, "killed executors": killed}
    _show(cost, killed)
    headline, met = _headline(cost, killed)
    finish(options, figures, start, headline, met=met)


def _cost(folder: Path, rounds: int) -> dict[str, Any]:
    """Fit here and on Spark in turn; each into a new folder."""
    began = time.perf_counter()
    place = launcher("spark", scratch=folder / "scratch")
    session_seconds = time.perf_counter() - began
    cold, _ = _fit(folder / "cold", "spark")
    here, there, equal = [], [], []
    for number in range(rounds):
        seconds, report = _fit(folder / f"here-{number}", "here")
        here.append(seconds)
        seconds, other = _fit(folder / f"there-{number}", "spark")
        there.append(seconds)
        equal.append(_facts(report) == _facts(other))
        print(f"  round {number + 1} of {rounds}: here {here[-1]:.1f} s, Spark {seconds:.1f} s, "
              f"{load()}")  # fmt: skip
    assert isinstance(place, OnSpark)  # noqa: S101
    features = _equal_features(folder / "here-0", folder / "there-0")
    place.session.stop()
    return {
        "cores": hardware().cores, "session start seconds": session_seconds,
        "first fit seconds": cold, "here seconds": here, "Spark seconds": there,
        "ratio": median_ratio(there, here), "reports equal": all(equal),
        "features equal": features,
    }  # fmt: skip


def _fit(output: Path, on: str) -> tuple[float, Report]:
    began = time.perf_counter()
    report = run_fit(SURVEILLANCE, output, FitOptions(backbones=BACKBONES, on=on))
    return time.perf_counter() - began, report


def _facts(report: Report) -> dict[str, Any]:
    """Return a report without what was measured of time and of the machine."""
    candidates = [replace(c, seconds_per_clip=0.0) for c in report.candidates]
    kept = replace(report, stages=(), machine={}, provenance={}, candidates=tuple(candidates))
    return asdict(kept)


def _equal_features(one: Path, other: Path) -> bool:
    stores = FeatureStore(one / "features"), FeatureStore(other / "features")
    for backbone in map(zoo.load, BACKBONES):
        first, second = (dict(store.rows(backbone.spec)) for store in stores)
        if first.keys() != second.keys() or not first:
            return False
        if not all(np.array_equal(first[k].tokens_ND, second[k].tokens_ND) for k in first):
            return False
    return True


def _killed(folder: Path, most: int) -> dict[str, Any]:
    """Kill an executor of a cluster in the middle of extraction, and of prediction."""
    clips = read_manifest(SURVEILLANCE).clips[:most]
    encoders = [accelerate(zoo.load(name)) for name in BACKBONES]
    with cluster(folder / "cluster") as made:
        place = launcher(made.address, scratch=folder / "cluster-scratch")
        assert isinstance(place, OnSpark)  # noqa: S101
        store = FeatureStore(folder / "features")
        parts = len(BACKBONES) * 4
        _kill(made, lambda: len(list(store.root.rglob("part-*.parquet"))) >= parts)
        done = extract(clips, encoders, store, place)
        model = open_model(folder / "here-0" / "model")
        paths = [clip.path for clip in clips]
        temporary = folder / "cluster-scratch"
        _kill(made, lambda: len(list(temporary.rglob("part-*.parquet"))) >= 2)
        there = list(predict_many(model, paths, place))
        place.session.stop()
    here = list(predict_many(model, paths, Here(hardware().cores)))
    differ = sum(a != b for a, b in zip(there, here, strict=True))
    return {
        "clips": len(clips), **_lost(clips, done.digests, store, encoders),
        "answers": len(there), "answers that differ": differ,
    }  # fmt: skip


def _kill(made: Cluster, when: Callable[[], bool]) -> None:
    def run() -> None:
        while not when():
            time.sleep(0.05)
        print(f"  killed executor {made.kill_executor()}")

    threading.Thread(target=run, daemon=True).start()


def _lost(
    clips: tuple[Clip, ...], digests: dict[Clip, str], store: FeatureStore, encoders: list[Any]
) -> dict[str, int]:
    rows = {b.spec.name: [digest for digest, _ in store.rows(b.spec)] for b in encoders}
    wanted = set(digests.values())
    twice = sum(n - 1 for found in rows.values() for n in Counter(found).values())
    return {
        "clips lost": len(clips) - len(digests),
        "rows lost": sum(len(wanted - set(found)) for found in rows.values()),
        "rows written twice": twice,
    }


def _show(cost: dict[str, Any], killed: dict[str, Any]) -> None:
    print(f"session started in {cost['session start seconds']:.1f} s; "
          f"first fit on Spark {cost['first fit seconds']:.1f} s")  # fmt: skip
    rows = [
        (f"round {number + 1}", f"{here:.1f} s", f"{there:.1f} s", f"{there / here:.2f}")
        for number, (here, there) in enumerate(
            zip(cost["here seconds"], cost["Spark seconds"], strict=True)
        )
    ]
    table(("fit", "here", "Spark", "ratio"), rows)
    table(("killed executor", "count"), [(name, str(count)) for name, count in killed.items()])


def _headline(cost: dict[str, Any], killed: dict[str, Any]) -> tuple[str, bool]:
    same = cost["reports equal"] and cost["features equal"]
    wrong = sum(count for name, count in killed.items() if name not in ("clips", "answers"))
    return (
        f"fit on Spark: {cost['ratio']:.2f} of the time here after the start (bar {BAR}), the same "
        f"features and report: {'yes' if same else 'NO'}; killed executors: {wrong} rows or "
        "answers lost, doubled or changed (bar 0)",
        same and not wrong and cost["ratio"] <= BAR,
    )


if __name__ == "__main__":
    main()

"""What ten million clips would take: a clip's cost measured, a cluster by model and simulation.

Stages of a clip are measured here on one core. From them follow, by arithmetic, the clips a second
of a described cluster; the model is held against `extract` on this machine. A simulation tells what
uneven parts and lost executors cost. No cluster, no network and no shared storage were measured.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import _clips
from benchmarks import _cluster_model as model
from benchmarks import _scale_shown as shown
from benchmarks._cluster_model import Cluster, Overhead, PerClip
from benchmarks._cluster_stages import HASHES_BYTES
from benchmarks._cluster_tail import Fleet, part_clips, part_seconds, simulate
from benchmarks._harness import arguments, environment, finish, load, table
from benchmarks._scale_measured import SETS, Measured, measured
from vidfit.features.joining import FEW
from vidfit.launch.spark import LARGEST_PART, PARTS_A_WORKER

BAR = 0.15
"""The model may be so far off the measured time of `extract`."""

EXECUTORS = tuple(4**power for power in range(6))
CLIPS = (10**4, 10**5, 10**6, 10**7)
MANY = 10**7


def main() -> None:
    options = _options()
    start = environment()
    if not _clips.SURVEILLANCE.is_dir():
        raise SystemExit(f"{_clips.SURVEILLANCE} is not there; it holds the clips to measure on")
    paths = _clips.folder(_clips.SURVEILLANCE, options.count)
    print(f"{start['machine']['processor']}, {start['machine']['cores']} cores, {start['load']}")
    print(_clips.describe(paths))
    if options.measured:
        found = Measured.read(json.loads(options.measured.read_text())["figures"]["measured"])
        print(f"as it was measured: {options.measured}")
    else:
        with tempfile.TemporaryDirectory() as scratch:
            found = measured(paths, options.rounds, Path(scratch))
        print(f"measured; {load()}")
    whole = found.per_clip("all three")
    shown.stages(found)
    shown.checks(found)
    throughput = _throughput(whole, found.driven, options)
    shown.throughput(throughput, options)
    tails = _tails(found, options)
    shown.tails(tails, options)
    bill = {name: _bill(found, name, options) for name in SETS}
    shown.bill(bill, MANY * found.video_seconds / 3600, options.price_per_core_hour)
    infeasible = _limits_of_today(found)
    if options.plot:
        shown.plot(throughput, tails, options.plot)
    figures = {
        "measured": found.figures(), "throughput": throughput, "tail": tails,
        "ten million clips": bill, "not feasible": infeasible,
    }  # fmt: skip
    headline, met = _headline(found, throughput, bill)
    finish(options, figures, start, headline, met=met)


def _options() -> argparse.Namespace:
    parser = arguments(__doc__)
    parser.add_argument("--count", type=int, help="clips to measure on (48; quick 12)")
    parser.add_argument("--rounds", type=int, help="interleaved rounds (4; quick 1)")
    parser.add_argument(
        "--measured", type=Path, metavar="JSON", help="of an earlier run, by --json"
    )
    parser.add_argument("--cores", type=int, default=8, help="cores of an executor (8)")
    parser.add_argument("--storage", type=float, default=5.0, help="GB/s that all share (5)")
    parser.add_argument("--network", type=float, default=10.0, help="Gbit/s of an executor (10)")
    parser.add_argument("--losses", type=float, default=0.05, help="of an executor, an hour (0.05)")
    parser.add_argument("--price-per-core-hour", type=float, metavar="PRICE", help="yours")
    parser.add_argument("--plot", type=Path, metavar="PNG", help="draw throughput and efficiency")
    options = parser.parse_args()
    options.count = options.count or (12 if options.quick else 48)
    options.rounds = options.rounds or (1 if options.quick else 4)
    return options


def _cluster(executors: int, options: argparse.Namespace) -> Cluster:
    return Cluster(executors, options.cores, 1e9 * options.storage, 1e9 * options.network / 8)


def _throughput(
    clip: PerClip, overhead: Overhead, options: argparse.Namespace
) -> list[dict[str, Any]]:
    """Return clips a second by executors, of parts of the largest size."""
    found = []
    for executors in EXECUTORS:
        cluster = _cluster(executors, options)
        served = model.limits(clip, overhead, cluster, LARGEST_PART)
        seconds = model.seconds(MANY, clip, overhead, cluster, LARGEST_PART)
        found.append(
            {"executors": executors, **served, "whole": MANY / seconds,
             "first": model.saturated(served)}
        )  # fmt: skip
    return found


def _tails(measures: Measured, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Return the efficiency of simulated runs, with parts by rule and of 256 clips."""
    found = []
    seconds_M, overhead = measures.seconds_M, measures.overhead
    for clips in CLIPS:
        look = clips * measures.files_a_clip("all three") * measures.known["seconds a file"]
        for executors in EXECUTORS:
            slots = executors * options.cores
            by_rule = part_clips(clips, slots, LARGEST_PART, PARTS_A_WORKER)
            row: dict[str, Any] = {"clips": clips, "executors": executors, "part": by_rule}
            for name, size, losses in (
                ("by rule", by_rule, options.losses),
                ("largest", LARGEST_PART, options.losses),
                ("none lost", by_rule, 0.0),
                ("many lost", by_rule, 20 * options.losses),
            ):
                rng = np.random.default_rng([clips, executors, size])
                fleet = Fleet(
                    executors, options.cores, losses, start_seconds=overhead.start_seconds,
                    dispatch_seconds=overhead.dispatch_seconds, look_seconds=look,
                )  # fmt: skip
                work_P = part_seconds(seconds_M, clips, size, rng)
                run = simulate(work_P + overhead.part_core_seconds, fleet, rng)
                row[name] = float(work_P.sum()) / slots / run.seconds
                row[f"{name}, lost parts"] = run.lost_parts
            found.append(row)
    return found


def _bill(found: Measured, name: str, options: argparse.Namespace) -> dict[str, float]:
    """Return what ten million clips take by one set of encoders."""
    clip, over = found.per_clip(name), found.driven
    driver = over.item_driver_seconds + over.part_driver_seconds / LARGEST_PART
    bill = {
        "core-hours": MANY / 3600 / model.limits(
            clip, over, replace(_cluster(1, options), cores=1), LARGEST_PART)[model.CORES],
        "stored GB": MANY * clip.written_bytes / 1e9,
        "read TB": MANY * clip.read_bytes / 1e12,
        "driver hours": MANY * driver / 3600,
        "driver GB": MANY * found.listing["bytes"] / 1e9,
        "files": MANY * found.files_a_clip(name),
    }  # fmt: skip
    for cores in (32, 256):
        cluster = _cluster(-(-cores // options.cores), options)
        seconds = model.seconds(MANY, clip, over, cluster, LARGEST_PART)
        bill[f"hours on {cores} cores"] = seconds / 3600
    return bill


def _limits_of_today(found: Measured) -> dict[str, float]:
    """Show and return what ten million clips, all of them, ask of the code as it is."""
    encoders = len(SETS["all three"])
    files = MANY * found.files_a_clip("all three")
    look = files * found.known["seconds a file"]
    facts = {
        "near-duplicates, core-seconds": MANY * found.compare_seconds,
        "their hashes in the driver, GB": MANY * HASHES_BYTES / 1e9,
        "known clips, in each worker of a job that goes on, GB": (
            encoders * MANY * found.known["bytes"] / 1e9
        ),
        "CPU seconds of each worker to read them": look,
        "the same of 256 workers, core-hours": 256 * look / 3600,
        "parts of one Spark job": -(-MANY // LARGEST_PART),
        "files in one folder of the store": 2 * files / encoders / FEW + FEW,
    }
    print()
    table(("ten million clips as it is", ""), [(k, f"{v:,.0f}") for k, v in facts.items()])
    return facts


def _headline(
    found: Measured,
    throughput: Sequence[Mapping[str, Any]],
    bill: Mapping[str, Mapping[str, float]],
) -> tuple[str, bool]:
    worst = max(found.checks, key=lambda check: abs(check.wall_error))
    left = max(abs(check.left_error) for check in found.checks)
    first = next((f for f in throughput if f["first"] != model.CORES), None)
    gives = f"{first['first']} from {first['executors']} executors" if first else "cores throughout"
    return (
        f"ten million clips: {bill['all three']['core-hours']:,.0f} core-hours; first to give out: "
        f"{gives}; the model is at most {abs(worst.wall_error):.0%} off the clock here "
        f"({worst.name}; bar {BAR:.0%}), {left:.0%} on the cores that others left",
        abs(worst.wall_error) <= BAR,
    )


if __name__ == "__main__":
    main()

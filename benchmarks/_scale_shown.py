"""The tables and the picture of `benchmarks.scale`."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import _cluster_model as model
from benchmarks._harness import table
from benchmarks._scale_measured import Measured

Rows = Sequence[Mapping[str, Any]]


def stages(found: Measured) -> None:
    print(
        f"\none core at a time ({found.cores_busy:.2f} busy), medians of {found.rounds} rounds; "
        f"a clip lasts {found.video_seconds:.2f} s on average"
    )
    hour = 3600 / found.video_seconds
    rows = [
        (name, f"{1e3 * seconds:.2f}", f"{hour * seconds:.0f}")
        for name, seconds in found.stages.items()
    ]
    table(("stage", "CPU, ms a clip", "CPU, s a video-hour"), rows)
    stored = ", ".join(f"{name} {n / 1e3:.1f}" for name, n in found.stored_bytes.items())
    o, listing = found.overhead, found.listing
    print(f"\nread {found.read_bytes / 1e3:.0f} kB a clip; stored, kB a clip: {stored}")
    print(
        f"Spark, a clip: driver {1e6 * o.item_driver_seconds:.0f} us, core "
        f"{1e6 * o.item_core_seconds:.0f} us; a part: driver {1e3 * o.part_driver_seconds:.1f} ms, "
        f"core {1e3 * o.part_core_seconds:.0f} ms, at most {1e3 * o.dispatch_seconds:.1f} ms to the"
        f" next; start {o.start_seconds:.0f} s"
    )
    print(
        f"extract itself: driver {1e6 * listing['seconds']:.0f} us and {listing['bytes']:.0f} B a "
        f"clip; near-duplicates: {1e6 * found.compare_seconds:.0f} us a clip"
    )


def checks(found: Measured) -> None:
    print()
    rows = [
        (
            check.name,
            f"{check.wall:.1f} s",
            f"{check.predicted_wall:.1f} s",
            f"{check.wall_error:+.0%}",
            f"{check.simulated_error:+.0%}",
            f"{check.left_error:+.0%}",
            f"{check.cpu_error:+.0%}",
            f"{check.others:.2f}",
        )
        for check in found.checks
    ]
    headers = ("extract", "clock", "model", "error", "with the tail", "on cores left", "CPU")
    table((*headers, "cores that others took"), rows)


def throughput(found: Rows, options: argparse.Namespace) -> None:
    print(
        f"\nclips a second; executors of {options.cores} cores and {options.network:g} Gbit/s, "
        f"{options.storage:g} GB/s shared (described, not measured)"
    )
    names = (model.CORES, model.STORAGE, model.NETWORK, model.DRIVER, "whole")
    table(
        ("executors", *names, "first to give out"),
        [
            (str(f["executors"]), *(f"{f[name]:,.0f}" for name in names), str(f["first"]))
            for f in found
        ],
    )


def tails(found: Rows, options: argparse.Namespace) -> None:
    print(
        f"\nefficiency: ideal over simulated time, start included, {options.losses:g} losses an "
        "executor-hour; parts by the rule of a list | of the largest size"
    )
    executors = list(dict.fromkeys(f["executors"] for f in found))
    sizes = list(dict.fromkeys(f["clips"] for f in found))
    rows = [
        (
            f"{clips:,} clips",
            *(f"{f['by rule']:.0%} | {f['largest']:.0%}" for f in found if f["clips"] == clips),
        )
        for clips in sizes
    ]
    most = [f for f in found if f["clips"] == sizes[-1]]
    for name, losses in (("none lost", 0.0), ("many lost", 20 * options.losses)):
        cells = (f"{f[name]:.0%}" for f in most)
        rows.append((f"{sizes[-1]:,}, {losses:g} losses", *cells))
    rows.append((f"{sizes[-1]:,}, parts lost", *(f"{f['by rule, lost parts']}" for f in most)))
    table(("executors", *map(str, executors)), rows)


def bill(found: Mapping[str, Mapping[str, float]], hours: float, price: float | None) -> None:
    print(f"\nten million clips, {hours:,.0f} hours of video")
    rows = [
        (name, *(f"{by[name]:,.{2 * (by[name] < 10)}f}" for by in found.values()))
        for name in next(iter(found.values()))
    ]
    if price is not None:
        prices = (f"{price * by['core-hours']:,.2f}" for by in found.values())
        rows.append((f"price at {price:g} a core-hour", *prices))
    table(("", *found), rows)


def plot(served: Rows, tails: Rows, to: Path) -> None:
    """Draw clips a second, and efficiency, against executors."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    executors = [f["executors"] for f in served]
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    for name in (model.CORES, model.STORAGE, model.NETWORK, model.DRIVER):
        values = [f[name] for f in served]
        left.plot(executors, values, linestyle=":", linewidth=1.6, label=f"{name} alone")
    whole = [f["whole"] for f in served]
    left.plot(executors, whole, color="black", linewidth=2.8, label="whole")
    left.set(xscale="log", yscale="log", ylim=(min(whole) / 2, 30 * max(whole)))
    left.set(xlabel="executors", ylabel="clips a second", title="What a cluster would do (model)")
    for clips in dict.fromkeys(f["clips"] for f in tails):
        rows = [f for f in tails if f["clips"] == clips]
        shares = [100 * f["by rule"] for f in rows]
        (line,) = right.plot(executors, shares, marker="o", label=f"{clips:,} clips")
        many = [100 * f["many lost"] for f in rows]
        right.plot(executors, many, color=line.get_color(), linestyle=":", linewidth=1.2)
    right.set(xscale="log", ylim=(0, 102), xlabel="executors", ylabel="efficiency, %")
    right.set(title="What the tail leaves (simulated; dotted: 20 times the losses)")
    for axes in (left, right):
        axes.set_xticks(executors, [str(n) for n in executors])
        axes.minorticks_off()
        axes.legend(frameon=False)
    figure.savefig(to, dpi=110)

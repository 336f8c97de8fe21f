"""Plans under real limits of memory: who dies, what is used, and how long each way takes.

Each row is a random limit and a network. Several ways choose a micro-batch under it; two optimizer
steps of two micro-batches then run under that limit, in a process of their own and one thread.
From the largest micro-batch that any way found, larger ones are run in steps of 5 % until one dies:
the last that lived is the largest possible, of which the share is shown.

- plan: as `vidfit plan`, begins with the prediction from shapes, halves what dies and closes the
  gap, with 5 % of the memory left free in each run.
- halve: as accelerate's ``find_executable_batch_size``, from 256 clips, halved until one lives.

The limit is ``RLIMIT_DATA``: what a process holds for itself, written or not. Linux ignores limits
on resident memory, and one on addresses would count libraries that lie on disk. The heap is
padded by 1 MiB instead of 64.
"""

from __future__ import annotations

import argparse
import ctypes
import math
import os
import random
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch

from benchmarks._harness import arguments, environment, finish, load, table
from benchmarks._plan_subjects import trainee
from vidfit.planning.child import Question
from vidfit.planning.choice import MARGIN
from vidfit.planning.halving import even_sizes, largest_alive
from vidfit.planning.measured import Known, look, small_layout
from vidfit.planning.memory import LOST, Resident
from vidfit.planning.trial import take_steps
from vidfit.plans import Layout, Recipe
from vidfit.runtime import malloc

QUICK = ("transformer",)
KINDS = ("lite0", "resnet", "vit", "videomae", "transformer", "lstm")
USED, STEP = 0.85, 0.05
MANY_CLIPS, LARGE = 4096, 256
OURS = "plan"
ROOM_BYTES = (128 * 2**20, 480 * 2**20)
MIB = 2**20
RECIPE = Recipe()
Way = Callable[["Runs", Known], tuple[int, bool]]


def main() -> None:
    options = _options()
    start = environment()
    torch.set_num_threads(1)
    malloc.tune()
    malloc.share_heap()
    ctypes.CDLL(None).mallopt(malloc.M_TOP_PAD, MIB)
    rng = random.Random(0)
    # Each worker forks its runs; one thread each, as in the laws.
    with (
        ProcessPoolExecutor(options.workers, get_context("fork")) as pool,
        tempfile.TemporaryDirectory() as kept,
    ):
        used = QUICK if options.quick else KINDS
        known = dict(zip(used, pool.map(_known, used, [Path(kept)] * len(used)), strict=True))
        kinds = [used[number % len(used)] for number in range(options.plans)]
        limits = [int(_limit(known[kind], rng.uniform(*ROOM_BYTES))) for kind in kinds]
        rows = []
        until = [time.monotonic() + 60 * options.minutes] * len(kinds)
        for row in pool.map(_row, kinds, [known[kind] for kind in kinds], limits, until):
            if row is None:
                continue
            rows.append(row)
            print(f"  {len(rows)}: {row}, {load()}", flush=True)
    _show(rows)
    figures = {"plans": rows, "ways": {name: _summary(rows, name) for name in WAYS}}
    ours = figures["ways"][OURS]
    headline = (
        f"{ours['died']} of {len(rows)} plans died (bar 0); micro-batch of the largest possible: "
        f"least {ours['least']:.0%} (bar {USED:.0%}), median {ours['median']:.0%}; "
        f"{ours['runs']:.1f} runs and {ours['seconds']:.0f} s a plan"
    )
    finish(options, figures, start, headline, met=not ours["died"] and ours["least"] >= USED)


def _limit(known: Known, room_bytes: float) -> float:
    return known.resident.base_bytes + known.resident.taken(room_bytes)


def _summary(rows: Sequence[dict[str, Any]], name: str) -> dict[str, float]:
    ways = [row["ways"][name] for row in rows]
    alive = [way["share"] for way in ways if not way["died"]]
    return {
        "died": sum(way["died"] for way in ways),
        "median": statistics.median(alive),
        "least": min(alive),
        "at the bar": sum(share >= USED for share in alive) / len(ways),
        "runs": statistics.mean(way["runs"] for way in ways),
        "seconds": statistics.mean(way["seconds"] for way in ways),
    }


def _known(kind: str, folder: Path) -> Known:
    """Return the laws of a network by shapes, with what one small run holds beside tensors."""
    question = Question("benchmarks._plan_subjects:trainee", {"kind": kind}, RECIPE)
    started = time.perf_counter()
    known = look(question, "fp32", folder, here=False)
    small = small_layout(known, MANY_CLIPS, "fp32")
    beside = _held(kind, small, None) - LOST * known.peak_bytes(small)
    print(f"  {kind}: {time.perf_counter() - started:.0f} s for its laws", flush=True)
    return replace(known, resident=Resident(0.0, beside))


def _row(kind: str, known: Known, limit: int, until: float) -> dict[str, Any] | None:
    """Return what each way chooses under a limit, what that took, and how much more would live.

    ``None`` when the time is over.
    """
    if time.monotonic() > until:
        return None
    ways = {name: _timed(kind, limit, choose_way, known) for name, choose_way in WAYS.items()}
    for way in ways.values():
        way["died"] = bool(way["chosen"]) and not _lives(kind, limit, way)
    most = {again: _most(kind, limit, again, list(ways.values())) for again in (False, True)}
    for way in ways.values():
        # Rightly choosing none is all of it.
        best = most[way["checkpointing"]] if way["chosen"] else max(most.values())
        way["share"] = 0.0 if way["died"] else way["chosen"] / best if best else 1.0
    return {"kind": kind, "limit_bytes": limit, "most": most[False], "ways": ways}


class Runs:
    """Runs of a network under a limit, counted."""

    def __init__(self, kind: str, limit: int) -> None:
        self.kind, self.limit, self.count = kind, limit, 0

    def held(self, layout: Layout, share: float = 1.0) -> float:
        """Return what a process holds; infinite when it dies with a share of the limit."""
        self.count += 1
        return _held(self.kind, replace(layout, accumulation=2), int(share * self.limit))


def _timed(kind: str, limit: int, way: Way, known: Known) -> dict[str, Any]:
    runs = Runs(kind, limit)
    started = time.perf_counter()
    micro_batch, checkpointing = way(runs, known)
    return {
        "chosen": micro_batch,
        "checkpointing": checkpointing,
        "runs": runs.count,
        "seconds": time.perf_counter() - started,
    }


def _halved(runs: Runs, known: Known) -> tuple[int, bool]:
    """As accelerate: from a large micro-batch, halved until one lives."""
    for again in sorted(known.peaks):
        micro_batch = LARGE
        while micro_batch:
            if runs.held(Layout(micro_batch, checkpointing=again)) < math.inf:
                return micro_batch, again
            micro_batch //= 2
    return 0, False


def _bisected(runs: Runs, known: Known) -> tuple[int, bool]:
    """As `vidfit plan`: from the prediction, halved, then bisected, with some memory left free."""
    room = (1 - MARGIN) * runs.limit - known.resident.base_bytes
    for again in sorted(known.peaks):
        sizes = even_sizes(MANY_CLIPS)
        peaks = [known.resident.taken(known.peaks[again].at(size)) for size in sizes]
        guess = max((s for s, peak in zip(sizes, peaks, strict=True) if peak <= room), default=1)
        found = largest_alive(MANY_CLIPS, guess, partial(_lives_with_less, runs, again))
        if found:
            return found, again
    return 0, False


def _lives_with_less(runs: Runs, again: bool, micro_batch: int) -> bool:
    return runs.held(Layout(micro_batch, checkpointing=again), 1 - MARGIN) < math.inf


WAYS: dict[str, Way] = {OURS: _bisected, "halve": _halved}


def _lives(kind: str, limit: int, way: dict[str, Any]) -> bool:
    layout = Layout(way["chosen"], accumulation=2, checkpointing=way["checkpointing"])
    return _held(kind, layout, limit) < math.inf


def _most(kind: str, limit: int, again: bool, ways: list[dict[str, Any]]) -> int:
    """Return the largest micro-batch that lives, or 0: from the largest that any way found."""
    alive = [w["chosen"] for w in ways if w["checkpointing"] == again and not w["died"]]
    low = max(alive, default=0)
    if not low and any(w["chosen"] for w in ways):
        return 0  # no way took it, so that no share is of it

    def lives(micro_batch: int) -> bool:
        layout = Layout(micro_batch, accumulation=2, checkpointing=again)
        return _held(kind, layout, limit) < math.inf

    high = low + max(1, round(STEP * low))
    while lives(high):
        low, high = high, high + max(1, round(STEP * high))
    return low


def _held(kind: str, layout: Layout, limit: int | None) -> float:
    """Return what a process holds after two steps; infinite when it does not get that far."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        _in_child(kind, layout, limit, writer)
    os.close(writer)
    with os.fdopen(reader) as stream:
        text = stream.read()
    _, status = os.waitpid(child, 0)
    return float(text) if status == 0 and text else math.inf


def _in_child(kind: str, layout: Layout, limit: int | None, writer: int) -> None:
    """Run under the limit and leave: without a word when memory does not suffice."""
    status = 1
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
        made = trainee({"kind": kind})
        if layout.checkpointing:
            from vidfit.networks.tuned import checkpoint_blocks

            checkpoint_blocks(made.network.encoder)
        take_steps(made, RECIPE, layout)
        lines = Path("/proc/self/status").read_text().splitlines()
        held = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData:"))
        os.write(writer, str(held).encode())
        status = 0
    finally:
        os._exit(status)


def _show(rows: Sequence[dict[str, Any]]) -> None:
    table(
        ("network", "limit MiB", "largest", *WAYS),
        [
            (
                row["kind"],
                f"{row['limit_bytes'] / MIB:.0f}",
                str(row["most"]),
                *(_cell(row["ways"][name]) for name in WAYS),
            )
            for row in rows
        ],
    )
    found = {name: _summary(rows, name) for name in WAYS}
    table(
        ("way", "died", "median share", "least", f"{USED:.0%} or more", "runs", "seconds"),
        [
            (
                name,
                f"{way['died']:.0f} of {len(rows)}",
                *(f"{way[key]:.0%}" for key in ("median", "least", "at the bar")),
                f"{way['runs']:.1f}",
                f"{way['seconds']:.1f}",
            )
            for name, way in found.items()
        ],
    )


def _cell(way: dict[str, Any]) -> str:
    words = f"{way['chosen']}{' again' * way['checkpointing']}"
    return f"{words}: died" if way["died"] else f"{words}: {way['share']:.0%}"


def _options() -> argparse.Namespace:
    parser = arguments(__doc__)
    parser.add_argument("--plans", type=int, default=None, help="50, or 1 with --quick")
    parser.add_argument("--minutes", type=float, default=math.inf, help="begin no plan later")
    parser.add_argument("--workers", type=int, default=2, help="plans at once")
    options = parser.parse_args()
    options.plans = options.plans or (1 if options.quick else 50)
    return options


if __name__ == "__main__":
    main()

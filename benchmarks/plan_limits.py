"""Plans under real limits of memory: none may die, and they should use what there is.

Each plan is made for a random limit as `vidfit plan` makes it: laws from a few small runs of the
network, then a few runs near the limit, the last of which confirms the choice. Two optimizer steps
of two micro-batches then run under that limit, in a process of their own and one thread. Larger
micro-batches are tried under the same limit: the first that dies bounds the largest that could
survive, so that the share that is shown is a lower bound. Beside it stands what the laws alone,
without the confirming runs, would have chosen.

The limit is ``RLIMIT_DATA``: what a process holds for itself, written or not. Linux ignores limits
on resident memory, and one on addresses would count libraries that lie on disk. So what plans
reckon with is learned in these terms, too, and the heap is padded by 1 MiB instead of 64.
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
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch

from benchmarks._harness import arguments, environment, finish, load, table
from benchmarks._plan_subjects import trainee
from vidfit.errors import BudgetError
from vidfit.planning.child import Question
from vidfit.planning.choice import Setting, choose
from vidfit.planning.confirm import choose_confirmed, held_twice
from vidfit.planning.measured import Known, look, probed
from vidfit.planning.memory import Line, learned_resident
from vidfit.planning.trial import take_steps
from vidfit.plans import Data, Layout, Machine, Recipe
from vidfit.runtime import malloc

KINDS = ("lite0", "resnet", "vit", "videomae", "transformer", "lstm")
USED = 0.85
MANY_CLIPS = 4096
ROOM_BYTES = (128 * 2**20, 480 * 2**20)
MIB = 2**20
RECIPE = Recipe()


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
        known = dict(zip(KINDS, pool.map(_known, KINDS, [Path(kept)] * len(KINDS)), strict=True))
        kinds = [KINDS[number % len(KINDS)] for number in range(options.plans)]
        limits = [int(known[k].resident(False).of(rng.uniform(*ROOM_BYTES))) for k in kinds]
        rows = []
        for row in pool.map(_row, kinds, [known[kind] for kind in kinds], limits):
            rows.append(row)
            print(f"  {len(rows)}: {row}, {load()}", flush=True)
    _show(rows)
    dead = sum(not row["survived"] for row in rows)
    dead_by_laws = sum(not row["survived by laws"] for row in rows)
    used = [_share(row) for row in rows if row["survived"]]
    figures = {
        "plans": rows,
        "dead": dead,
        "used, median": statistics.median(used),
        "used, least": min(used),
        "used, share at the bar": sum(u >= USED for u in used) / len(rows),
        "dead by laws alone": dead_by_laws,
        "runs to confirm": statistics.mean(row["runs"] for row in rows),
    }
    headline = (
        f"{dead} of {len(rows)} plans died (bar 0); micro-batch of the largest possible: median "
        f"{figures['used, median']:.0%}, least {min(used):.0%}, at least {USED:.0%} in "
        f"{figures['used, share at the bar']:.0%} of the plans (bar: all); {dead_by_laws} would "
        "have died by the laws alone"
    )
    met = not dead and min(used) >= USED
    finish(options, figures, start, headline, met=met)


def _known(kind: str, folder: Path) -> Known:
    """Return the laws of a network, with what its process holds by two small runs."""
    question = Question("benchmarks._plan_subjects:trainee", {"kind": kind}, RECIPE)
    known = look(question, "fp32", folder, 2**40)
    # A step here has two micro-batches: no inputs of further ones wait.
    known = replace(known, sizes=replace(known.sizes, clip_bytes=0), micro_seconds=Line(1e-3, 1e-3))
    residents = {}
    for again in sorted(known.peaks):
        pairs = []
        for micro_batch in probed(known):
            layout = Layout(micro_batch, accumulation=2, checkpointing=again)
            pairs.append((known.peak_bytes(layout), _held(kind, layout, None)))
        residents[again] = learned_resident(pairs)
    law = residents[False]
    share, base = law.factor, law.base_bytes / MIB
    print(f"  {kind}: a process holds {base:.0f} MiB and {share:.2f} of tensors", flush=True)
    return replace(known, residents=residents)


def _row(kind: str, known: Known, limit: int) -> dict[str, Any]:
    runs: list[Layout] = []

    def confirm(layout: Layout) -> float:
        runs.append(layout)
        return held_twice(partial(_held, kind, replace(layout, accumulation=2)), limit)

    setting = _setting(known, limit, confirm)
    layout, by_laws = _chosen(setting)
    if layout is None:
        return _refused(kind, limit, len(runs))

    def survives(micro_batch: int) -> bool:
        return _held(kind, replace(layout, micro_batch=micro_batch), limit) < math.inf

    survived = survives(layout.micro_batch)
    return {
        "kind": kind,
        "limit_bytes": limit,
        "chosen": layout.micro_batch,
        "checkpointing": layout.checkpointing,
        "survived": survived,
        "most": _most(survives, layout.micro_batch) if survived else 0,
        "runs": len(runs),
        "survived by laws": by_laws is None or _held(kind, by_laws, limit) < math.inf,
    }


def _chosen(setting: Setting) -> tuple[Layout | None, Layout | None]:
    """Return what is chosen with confirming runs, and by the laws alone; ``None`` is a refusal."""
    found: list[Layout | None] = []
    for choice in (lambda: choose_confirmed(setting)[1], lambda: choose(setting)):
        try:
            found.append(replace(choice()[0].layout, accumulation=2))
        except BudgetError:
            found.append(None)
    return found[0], found[1]


def _refused(kind: str, limit: int, runs: int) -> dict[str, Any]:
    """Return a row of a plan that says that nothing fits; ``most`` is 0 where that is true."""
    able = [
        again
        for again in (False, True)
        if _held(kind, Layout(1, accumulation=2, checkpointing=again), limit) < math.inf
    ]
    return {
        "kind": kind,
        "limit_bytes": limit,
        "chosen": 0,
        "checkpointing": False,
        "survived": True,
        "most": len(able),
        "runs": runs,
        "survived by laws": True,
    }


def _share(row: dict[str, Any]) -> float:
    """Return the chosen share of the largest micro-batch; rightly choosing none is all of it."""
    return float(row["chosen"] / row["most"]) if row["most"] else 1.0


def _setting(known: Known, limit: int, confirm: Callable[[Layout], float]) -> Setting:
    machine = Machine("limit", "cpu", 1, limit, {"fp32": 1e11}, 1e10, 1)
    data = Data(MANY_CLIPS, 10, 100, 8)
    return Setting(known, RECIPE, data, machine, MANY_CLIPS, confirm=confirm)


def _most(survives: Callable[[int], bool], low: int) -> int:
    """Return the largest micro-batch that may survive, from one that does.

    It stops as soon as ``low`` is known to be at least the bar's share of it.
    """
    high = int(low / USED) + 1
    while survives(high):
        low, high = high, max(high + 1, round(1.15 * high))
    return high - 1


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


def _show(rows: list[dict[str, Any]]) -> None:
    table(
        ("network", "limit MiB", "checkpointing", "chosen", "largest", "share"),
        [
            (
                row["kind"],
                f"{row['limit_bytes'] / MIB:.0f}",
                "yes" if row["checkpointing"] else "no",
                str(row["chosen"]),
                str(row["most"]),
                f"{_share(row):.0%}" if row["survived"] else "died",
            )
            for row in rows
        ],
    )


def _options() -> argparse.Namespace:
    parser = arguments(__doc__)
    parser.add_argument("--plans", type=int, default=None, help="50, or 6 with --quick")
    parser.add_argument("--workers", type=int, default=2, help="plans at once")
    options = parser.parse_args()
    options.plans = options.plans or (6 if options.quick else 50)
    return options


if __name__ == "__main__":
    main()

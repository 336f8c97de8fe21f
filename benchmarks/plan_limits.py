"""Plans under real limits of memory: who dies, what is used, and how long each way takes.

Each row is a random limit and a network. Several ways choose a micro-batch under it; two optimizer
steps of two micro-batches then run under that limit, in a process of their own and one thread.
From the largest micro-batch that any way found, larger ones are run in steps of 5 % until one dies:
the last that lived is the largest possible.

- plan: as `vidfit plan`, with its own code, but without its 60 s. It begins with the prediction,
  halves what dies and closes the gap, with 5 % of the memory left free in each run.
- halve: as accelerate's ``find_executable_batch_size``, from 256 clips, halved until one lives.

Three figures say what was lost. "Of the largest": the micro-batch by the largest that lives with
all of the memory. "Of what may be": by the largest that lives with the 5 % free that a plan leaves.
"Speed": clips a second of the processor by those of the largest, which is what a user loses.

The limit is ``RLIMIT_DATA``: what a process holds for itself, written or not. Linux ignores limits
on resident memory, and one on addresses would count libraries that lie on disk. The heap is
padded by 1 MiB instead of 64.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch

from benchmarks._harness import Kept, arguments, environment, finish, load, table
from benchmarks._plan_subjects import trainee
from vidfit.documents import json_in, to_json
from vidfit.errors import BackboneError, BudgetError
from vidfit.networks.tuned import checkpoint_blocks
from vidfit.planning.child import Question, Real
from vidfit.planning.choice import MARGIN, Setting
from vidfit.planning.measured import Known, look, small_layouts
from vidfit.planning.trial import STEPS, take_steps
from vidfit.planning.tried import Budget, Trials, choose_tried
from vidfit.plans import Data, Layout, Machine, Recipe
from vidfit.runtime import malloc

QUICK = ("transformer",)
KINDS = ("lite0", "resnet", "vit", "videomae", "transformer", "lstm")
PLANS, USED, STEP = 50, 0.85, 0.05
MANY_CLIPS, LARGE = 4096, 256
OURS, PEER = "plan", "halve"
ROOM_BYTES = (128 * 2**20, 480 * 2**20)
MIB = 2**20
RECIPE = Recipe()
DATA = Data(clips=16 * MANY_CLIPS, classes=10, rarest=100, tokens=8)


def main() -> None:
    options = _options()
    start = environment()
    torch.set_num_threads(1)
    malloc.tune()
    malloc.share_heap()
    malloc.pad_little()
    cases = [case for case in _cases()[: options.plans] if case.kind in options.only]
    kept = Kept(options.keep)
    until = time.monotonic() + 60 * options.minutes
    # Each worker forks its runs; one thread each, as in the laws.
    with (
        ProcessPoolExecutor(options.workers, get_context("fork")) as pool,
        tempfile.TemporaryDirectory() as folder,
    ):
        waiting = [case for case in cases if str(case.number) not in kept.rows]
        kinds = list(dict.fromkeys(case.kind for case in waiting))
        subjects = pool.map(_subject, kinds, [Path(folder)] * len(kinds))
        known = dict(zip(kinds, subjects, strict=True))
        many = len(waiting)
        rows_of = pool.map(
            _row, waiting, [known[case.kind] for case in waiting], [options.peers] * many,
            [until] * many,
        )  # fmt: skip
        for case, row in zip(waiting, rows_of, strict=True):
            if row is not None:
                kept.add(str(case.number), row)
                print(f"  {case.number}: {row}, {load()}", flush=True)
    rows = [kept.rows[str(case.number)] for case in cases if str(case.number) in kept.rows]
    ways = [name for name in (OURS, PEER) if all(name in row["ways"] for row in rows)]
    found = {name: _summary([row["ways"][name] for row in rows]) for name in ways}
    _show(rows, found)
    ours = found[OURS]
    headline = (
        f"{ours['died']} of {len(rows)} plans died (bar 0); micro-batch of the largest possible: "
        f"least {ours['least']:.0%} (bar {USED:.0%}), median {ours['median']:.0%}; of what may be: "
        f"least {ours['allowed']:.0%}; speed: least {ours['speed']:.0%}; {ours['runs']:.1f} runs "
        f"and {ours['seconds']:.0f} s a plan"
    )
    figures = {"plans": rows, "ways": found}
    finish(options, figures, start, headline, met=not ours["died"] and ours["least"] >= USED)


@dataclass(frozen=True, slots=True)
class LimitCase:
    """A network and the tensors that there is room for."""

    number: int
    kind: str
    room_bytes: float


def _cases() -> list[LimitCase]:
    """Return all cases, the same in each run: an interrupted one goes on with them."""
    rng = random.Random(0)
    return [LimitCase(n, KINDS[n % len(KINDS)], rng.uniform(*ROOM_BYTES)) for n in range(PLANS)]


@dataclass(frozen=True, slots=True)
class LimitSubject:
    """Laws of a network by shapes, and the small runs that a plan times it by."""

    known: Known
    small: dict[str, Real]

    def limit_bytes(self, room_bytes: float) -> int:
        """Return the limit under which tensors have so much room, by prediction."""
        return int(self.known.base_bytes + self.known.taken(room_bytes, False))


def _subject(kind: str, folder: Path) -> LimitSubject:
    question = Question("benchmarks._plan_subjects:trainee", {"kind": kind}, RECIPE)
    started = time.perf_counter()
    known = look(question, "fp32", folder, here=False)
    small: dict[str, Real] = {}
    for way in (Layout(), Layout(checkpointing=True)):
        if way.checkpointing not in known.peaks:
            continue
        layouts = small_layouts(known, way, MANY_CLIPS, math.inf)
        runs = [(layout, Forks(kind).real(layout)) for layout in layouts]
        small |= {repr(layout): run for layout, run in runs}
        known = known if way.checkpointing else known.with_runs(runs)
    print(f"  {kind}: {time.perf_counter() - started:.0f} s for its laws", flush=True)
    return LimitSubject(known, small)


@dataclass
class Forks:
    """Runs of a network in forks of this process, counted; none is made twice.

    Parameters
    ----------
    seen
        By layout and limit, what a run came to; ``None`` when it died.
    """

    kind: str
    seen: dict[str, Real | None] = field(default_factory=dict)
    count: int = 0

    def run(self, layout: Layout, limit_bytes: int = 0) -> Real | None:
        """Return what a process holds, and the processor's seconds of a micro-batch."""
        key = repr((layout, limit_bytes))
        if key not in self.seen:
            self.count += 1
            self.seen[key] = _forked(self.kind, layout, limit_bytes)
        return self.seen[key]

    def real(self, layout: Layout, limit_bytes: int = 0) -> Real:
        """Return the same; a run that died is an error."""
        found = self.run(layout, limit_bytes)
        if found is None:
            raise BackboneError("memory did not suffice")
        return found


@dataclass(frozen=True, slots=True)
class ForkedTrials(Trials):
    """Trials of a plan as forks under limits that are real."""

    forks: Forks = field(default_factory=lambda: Forks(""))
    kept: dict[str, Real] = field(default_factory=dict)

    def _run(self, layout: Layout, limit_bytes: int, folder: Path | None) -> Real:
        plain = Layout(layout.micro_batch, layout.accumulation, checkpointing=layout.checkpointing)
        if not limit_bytes and repr(plain) in self.kept:
            return self.kept[repr(plain)]
        return self.forks.real(plain, limit_bytes)


Way = Callable[[Forks, LimitSubject, int], tuple[int, bool]]


def _row(
    case: LimitCase, subject: LimitSubject, peers: bool, until: float
) -> dict[str, Any] | None:
    """Return what each way chooses under a limit, what that took, and how much more would live.

    ``None`` when the time is over.
    """
    if time.monotonic() > until:
        return None
    limit = subject.limit_bytes(case.room_bytes)
    ways: dict[str, dict[str, Any]] = {}
    forks = Forks(case.kind)
    for name, choose_way in WAYS.items():
        if name == OURS or peers:
            forks.count, started = 0, time.perf_counter()
            micro_batch, again = choose_way(forks, subject, limit)
            ways[name] = {
                "chosen": micro_batch,
                "checkpointing": again,
                "runs": forks.count,
                "seconds": time.perf_counter() - started,
            }
    for way in ways.values():
        way["died"] = bool(way["chosen"]) and not _lives(forks, way["chosen"], way, limit)
    for way in ways.values():
        way.update(_lost(forks, way, list(ways.values()), limit))
    return {"kind": case.kind, "limit_bytes": limit, "ways": ways}


def _lost(
    forks: Forks, way: dict[str, Any], ways: Sequence[dict[str, Any]], limit: int
) -> dict[str, float]:
    """Return a way's micro-batch and speed as shares of what would be possible."""
    if way["died"]:
        return {"most": 0, "share": 0.0, "allowed": 0.0, "speed": 0.0}
    alike = [w for w in ways if w["checkpointing"] == way["checkpointing"] and not w["died"]]
    chosen = way["chosen"]
    most = _largest(forks, max(w["chosen"] for w in alike), way, limit)
    may = _largest(forks, chosen, way, int((1 - MARGIN) * limit))
    if not most:  # rightly choosing none is all of it
        return {"most": 0, "share": 1.0, "allowed": 1.0, "speed": 1.0}
    if not chosen:
        return {"most": most, "share": 0.0, "allowed": float(not may), "speed": 0.0}
    took = [forks.real(_two(size, way), limit).micro_seconds / size for size in (most, chosen)]
    return {
        "most": most,
        "share": chosen / most,
        "allowed": chosen / max(may, chosen),
        "speed": took[0] / took[1],
    }


def _largest(forks: Forks, low: int, way: dict[str, Any], limit: int) -> int:
    """Return the largest micro-batch that lives, from one that does, in steps."""
    high = low + max(1, round(STEP * low))
    while _lives(forks, high, way, limit):
        low, high = high, high + max(1, round(STEP * high))
    return low


def _lives(forks: Forks, micro_batch: int, way: dict[str, Any], limit: int) -> bool:
    return forks.run(_two(micro_batch, way), limit) is not None


def _two(micro_batch: int, way: dict[str, Any]) -> Layout:
    return Layout(micro_batch, accumulation=2, checkpointing=way["checkpointing"])


def _planned(forks: Forks, subject: LimitSubject, limit: int) -> tuple[int, bool]:
    """As `vidfit plan`; no micro-batch where it says that nothing fits."""
    machine = Machine("here", "cpu", 1, limit, {"fp32": 1e11}, 1e10, 1)
    question = Question("benchmarks._plan_subjects:trainee", {"kind": forks.kind}, RECIPE)
    known = replace(subject.known, resident={})
    setting = Setting(known, RECIPE, DATA, machine, MANY_CLIPS)
    trials = ForkedTrials(question, Path(), Budget(), forks, subject.small)
    try:
        layout = choose_tried(setting, trials)[1][0].layout
    except BudgetError:
        return 0, False
    return layout.micro_batch, layout.checkpointing


def _halved(forks: Forks, subject: LimitSubject, limit: int) -> tuple[int, bool]:
    """As accelerate: from a large micro-batch, halved until one lives."""
    for again in sorted(subject.known.peaks):
        micro_batch = LARGE
        while micro_batch:
            if _lives(forks, micro_batch, {"checkpointing": again}, limit):
                return micro_batch, again
            micro_batch //= 2
    return 0, False


WAYS: dict[str, Way] = {OURS: _planned, PEER: _halved}


def _forked(kind: str, layout: Layout, limit: int) -> Real | None:
    """Take two steps in a process of its own; ``None`` when it does not get that far."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        _in_child(kind, layout, limit, writer)
    os.close(writer)
    with os.fdopen(reader) as stream:
        text = stream.read()
    _, status = os.waitpid(child, 0)
    return Real(**json_in(text)) if status == 0 and text else None


def _in_child(kind: str, layout: Layout, limit: int, writer: int) -> None:
    """Run under the limit and leave: without a word when memory does not suffice."""
    status = 1
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        if limit:
            resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
        made = trainee({"kind": kind})
        if layout.checkpointing:
            checkpoint_blocks(made.network.encoder)
        started = time.process_time()
        take_steps(made, RECIPE, layout)
        seconds = (time.process_time() - started) / (STEPS * layout.accumulation)
        lines = Path("/proc/self/status").read_text().splitlines()
        held = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData:"))
        # What the process held before is counted with the rest.
        answer = {
            "base_bytes": 0, "taken_bytes": held, "micro_seconds": seconds, "update_seconds": 0.0
        }  # fmt: skip
        os.write(writer, to_json(answer).encode())
        status = 0
    finally:
        os._exit(status)


def _summary(ways: Sequence[dict[str, Any]]) -> dict[str, float]:
    alive = [way for way in ways if not way["died"]]
    shares = [way["share"] for way in alive]
    return {
        "died": len(ways) - len(alive),
        "median": statistics.median(shares),
        "least": min(shares),
        "at the bar": sum(share >= USED for share in shares),
        "allowed": min(way["allowed"] for way in alive),
        "speed": min(way["speed"] for way in alive),
        "speed, median": statistics.median(way["speed"] for way in alive),
        "runs": statistics.mean(way["runs"] for way in ways),
        "seconds": statistics.mean(way["seconds"] for way in ways),
    }


def _show(rows: Sequence[dict[str, Any]], found: dict[str, dict[str, float]]) -> None:
    table(
        ("network", "limit MiB", "way", "chosen", "largest", "share", "may be", "speed", "runs"),
        [
            (
                row["kind"],
                f"{row['limit_bytes'] / MIB:.0f}",
                name,
                f"{way['chosen']}{' again' * way['checkpointing']}{' died' * way['died']}",
                f"{way['most']:.0f}",
                *(f"{way[key]:.0%}" for key in ("share", "allowed", "speed")),
                f"{way['runs']}",
            )
            for row in rows
            for name, way in row["ways"].items()
        ],
    )
    table(
        (
            "way", "died", "median share", "least", f"{USED:.0%} or more", "least may be",
            "least speed", "median speed", "runs", "seconds",
        ),
        [
            (
                name,
                f"{way['died']:.0f} of {len(rows)}",
                *(f"{way[key]:.0%}" for key in ("median", "least")),
                f"{way['at the bar']:.0f} of {len(rows)}",
                *(f"{way[key]:.0%}" for key in ("allowed", "speed", "speed, median")),
                f"{way['runs']:.1f}",
                f"{way['seconds']:.1f}",
            )
            for name, way in found.items()
        ],
    )  # fmt: skip


def _options() -> argparse.Namespace:
    parser = arguments(__doc__)
    parser.add_argument("--plans", type=int, default=PLANS, help=f"the first of {PLANS}")
    parser.add_argument("--only", nargs="+", choices=KINDS, default=KINDS, metavar="NETWORK")
    parser.add_argument("--no-peers", dest="peers", action="store_false", help="plan alone")
    parser.add_argument("--minutes", type=float, default=math.inf, help="begin no plan later")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="rows, from which it goes on")
    parser.add_argument("--workers", type=int, default=2, help="plans at once")
    options = parser.parse_args()
    if options.quick:
        options.plans, options.only, options.peers = len(KINDS), QUICK, False
    return options


if __name__ == "__main__":
    main()

"""Training on two processes: the same result, how fast, how much memory, and after a kill.

Two subjects on the surveillance clips: a transformer over cached tokens of EfficientNet-Lite0,
and EfficientNet-Lite0 itself, all of it learning, on four frames of 64 x 64. Processes are those
of ``vidfit train``, started by torchrun, and talk by gloo. Dropout is off, as its draws depend
on the layout. Rates leave out the start of the processes and the first epoch.

On one machine the peer of two processes with a thread each is one process with two threads.
Where others use the machine too, the processor's time of a clip says more than the clock.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks._harness import arguments, environment, finish, load, table
from benchmarks._study import CACHE
from benchmarks._training import LITE, part, plan_of, small_frames, standard, tokens
from vidfit.jobs.train.folder import read_outcome, write_run
from vidfit.plans import Layout, Plan, Recipe, Subject

ROOT = Path(__file__).parents[1]
TOLERANCE = {"tokens": 1e-5, "frames": 5e-3}
"""Of the loss of each epoch, relative. A deep network's roundings grow from step to step: what
another number of threads alone changes is shown beside it."""

MEMORY = 0.6
"""Share of what DDP holds that a process of two may hold with FSDP2."""

SIDE_PIXELS = 64


@dataclass(frozen=True)
class Way:
    """How many processes, with how many threads each, and what they share."""

    name: str
    processes: int
    threads: int
    sharding: str = "none"

    def layout(self, batch: int) -> Layout:
        """Return micro-batches whose clips, over all processes, are the same for all ways."""
        return Layout(batch // 2 // self.processes, 2, sharding=self.sharding,
                      processes=self.processes)  # fmt: skip


ONE = Way("1 process, 1 thread", 1, 1)
WIDE = Way("1 process, 2 threads", 1, 2)
DDP = Way("2 processes, 1 thread each, DDP", 2, 1, "ddp")
FSDP = Way("2 processes, 1 thread each, FSDP2", 2, 1, "fsdp")
WAYS = (ONE, WIDE, DDP, FSDP)


@dataclass(frozen=True)
class Study:
    """A plan, and a folder of a run that has not begun."""

    name: str
    plan: Plan
    folder: Path
    batch: int


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--cache", type=Path, default=CACHE)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--subject", choices=TOLERANCE, action="append", help="default: both")
    options = parser.parse_args()
    rounds = 1 if options.quick else options.rounds
    start, figures = environment(), {}
    with tempfile.TemporaryDirectory() as scratch:
        for study in _studies(options.cache, Path(scratch), options.quick):
            if study.name not in (options.subject or TOLERANCE):
                continue
            figures[study.name] = _measure(study, Path(scratch) / "runs", rounds)
    said = [_headline(name, found) for name, found in figures.items()]
    headline = "; ".join(words for words, _ in said)
    finish(options, figures, start, headline, met=all(met for _, met in said))


def _headline(name: str, found: dict[str, Any]) -> tuple[str, bool]:
    worst, bar = max(found["differences"].values()), TOLERANCE[name]
    share = found["held"][FSDP.name] / found["held"][DDP.name]
    return (
        f"{name}: losses within {worst:.0e} of one process's (bar {bar:.0e}), FSDP2 holds "
        f"{share:.2f} of DDP's memory (bar {MEMORY}), efficiency {found['efficiency']:.2f}",
        worst <= bar and share <= MEMORY,
    )


def _studies(cache: Path, scratch: Path, quick: bool) -> list[Study]:
    """Write a run for each subject that has not begun."""
    recipe = Recipe(epochs=4 if quick else 8, dropout=0.0, learning_rate=1e-3)
    head = Subject("transformer", LITE, width=256, layers=2)
    whole = Subject("mean", LITE, "full")
    ready = tokens("fights", cache)
    split = part(ready)
    found = []
    for name, subject, clips, epochs, batch in (
        ("tokens", head, standard(ready, split), recipe.epochs, 32),
        ("frames", whole, small_frames("fights", SIDE_PIXELS, cache), recipe.epochs // 4, 16),
    ):
        own = replace(
            recipe, epochs=max(2, epochs), learning_rate=1e-3 if name == "tokens" else 1e-4
        )
        plan = plan_of(subject, ONE.layout(batch), own, clips)
        write_run(scratch / name, plan, clips.set, split)
        found.append(Study(name, plan, scratch / name, batch))
    return found


# ---------------------------------------------------------------- runs


def run(study: Study, way: Way, folder: Path, *wish: str) -> Path:
    """Run, or go on with, a study in a folder in one way."""
    if not folder.exists():
        shutil.copytree(study.folder, folder)
    document = json.loads((folder / "plan.json").read_text())
    document["layout"] |= {
        "micro_batch": way.layout(study.batch).micro_batch,
        "processes": way.processes,
        "sharding": way.sharding,
    }
    (folder / "plan.json").write_text(json.dumps(document))
    worker = ["benchmarks._train_worker", str(folder), *wish]
    torchrun = [
        *("torch.distributed.run", "--standalone", "--nproc-per-node", str(way.processes)),
        *("--max-restarts", "3", "-m"),
    ]
    command = [sys.executable, "-m", *(torchrun if way.processes > 1 else []), *worker]
    env = {**os.environ, "OMP_NUM_THREADS": str(way.threads), "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise SystemExit(f"{way.name} failed:\n{ended.stderr[-3000:]}")
    return folder


def _clips_per_second(study: Study, folder: Path) -> float:
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    seconds = [json.loads(line)["seconds"] for line in lines]
    learned = len(json.loads((folder / "learned.json").read_text()))
    return learned / median(seconds[1:])


def _held(folder: Path) -> list[dict[str, float]]:
    return [json.loads(path.read_text()) for path in sorted(folder.glob("held-*.json"))]


# ---------------------------------------------------------------- what is measured


def _measure(study: Study, runs: Path, rounds: int) -> dict[str, Any]:
    learned = np.load(study.folder / "learn.npy").tolist()
    (study.folder / "learned.json").write_text(json.dumps(learned))
    print(f"\n{study.name}: {study.plan.subject.network}, {len(learned)} clips an epoch")
    rates: dict[str, list[float]] = {way.name: [] for way in WAYS}
    for number in range(rounds):
        for way in WAYS:
            folder = run(study, way, runs / f"{study.name}-{way.name}-{number}".replace(" ", "-"))
            rates[way.name].append(_clips_per_second(study, folder))
        print(f"  round {number + 1} of {rounds}, {load()}")
    folders = {way: runs / f"{study.name}-{way.name}-0".replace(" ", "-") for way in WAYS}
    losses = {way.name: _losses(folder) for way, folder in folders.items()}
    differences = {name: _difference(found, losses[ONE.name]) for name, found in losses.items()}
    held = {way.name: _held(folder) for way, folder in folders.items()}
    differences |= _interrupted(study, runs, losses[ONE.name])
    spent = {name: _cpu_milliseconds(each, study.batch) for name, each in held.items()}
    rows = [_row(way, rates, differences, held) for way in rates]
    rows = [[*row, f"{cost:.1f} ms"] for row, cost in zip(rows, spent.values(), strict=True)]
    table(["", "clips/s", "of 1 thread", "loss differs", "held", "peak RSS", "CPU a clip"], rows)
    for name in differences.keys() - rates.keys():
        print(f"{name}: loss differs by {differences[name]:.1e}")
    efficiency = [two / one / 2 for one, two in zip(rates[ONE.name], rates[DDP.name], strict=True)]
    wide = [two / one for one, two in zip(rates[WIDE.name], rates[DDP.name], strict=True)]
    print(f"efficiency of DDP {median(efficiency):.2f}; {median(wide):.2f} of one process with two")
    return {
        "clips_per_second": rates,
        "losses": losses,
        "differences": differences,
        "memory": held,
        "cpu_milliseconds_per_clip": spent,
        "held": {name: _total(each[0]) for name, each in held.items()},
        "efficiency": median(efficiency),
        "of two threads": median(wide),
    }


def _interrupted(study: Study, runs: Path, expected: list[float]) -> dict[str, float]:
    """Kill a process in the middle, and go on from two processes to one; return differences."""
    steps = -(-len(json.loads((study.folder / "learned.json").read_text())) // study.batch)
    middle = str(steps + steps // 2)
    killed = run(study, DDP, runs / f"{study.name}-killed", "die", middle)
    if not (killed / "has died").exists():
        raise SystemExit("no process was killed: the run was shorter than the moment")
    moved = run(study, FSDP, runs / f"{study.name}-moved", "pause", middle)
    moved = run(study, ONE, moved)
    return {
        "DDP, a process killed with SIGKILL": _difference(_losses(killed), expected),
        "FSDP2 on 2, from the middle of epoch 2 on 1": _difference(_losses(moved), expected),
    }


def _losses(folder: Path) -> list[float]:
    """Return the losses of all epochs, on learned and on validation clips."""
    history = read_outcome(folder).history
    return [value for epoch in history for value in (epoch.loss, epoch.log_loss)]


def _difference(found: list[float], expected: list[float]) -> float:
    return max(abs(a - b) / abs(b) for a, b in zip(found, expected, strict=True))


def _cpu_milliseconds(held: list[dict[str, float]], batch: int) -> float:
    """Return the processor's time of all processes from the first step to the last, by clip."""
    return 1e3 * sum(each["cpu_seconds"] for each in held) / (held[0]["steps"] * batch)


def _total(held: dict[str, float]) -> float:
    return held["parameters"] + held["gradients"] + held["state"]


def _row(
    name: str,
    rates: dict[str, list[float]],
    differences: dict[str, float],
    held: dict[str, list[dict[str, float]]],
) -> list[str]:
    own = [a / b for a, b in zip(rates[name], rates[ONE.name], strict=True)]
    return [
        name,
        f"{median(rates[name]):.1f}",
        f"{median(own):.2f}",
        f"{differences[name]:.1e}",
        f"{max(_total(each) for each in held[name]) / 2**20:.1f} MiB",
        f"{max(each['peak'] for each in held[name]) / 2**20:.0f} MiB",
    ]


if __name__ == "__main__":
    main()

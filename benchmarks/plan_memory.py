"""Predicted memory and time of a training step against what fresh processes come to.

Each case runs two optimizer steps in a process of its own, in one thread. Held against the
prediction: the peak that torch's allocator reports, by how much resident memory rises, and the
seconds of a step. The first is predicted from shapes, the others from shapes and two small runs of
each way, as `vidfit plan` does it. "As usual" is what a plan says of checkpointing when it does not
choose it and so has not run it. Beside it stands the usual rule of 16 bytes a parameter.
"""

from __future__ import annotations

import argparse
import math
import statistics
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch

from benchmarks._allocator import allocated_bytes
from benchmarks._harness import Kept, arguments, environment, finish, load, table
from benchmarks._plan_subjects import trainee
from vidfit.networks.tuned import checkpoint_blocks
from vidfit.planning.child import Question, Real, dry_runs, real_run
from vidfit.planning.measured import Known, look, small_layouts
from vidfit.plans import Layout, Recipe

MEDIAN, WORST, RESIDENT, TIME = 0.03, 0.08, 0.10, 0.20
RULE_BYTES = 16
MIB = 2**20
SHARE_CLIPS = 64
QUICK = ("vit b8", "vit b8 again")
USUAL = Recipe()


@dataclass(frozen=True)
class Case:
    """A network, a layout and what the recipe changes."""

    kind: str
    layout: Layout
    recipe: Recipe = USUAL

    def __str__(self) -> str:
        words = [self.kind, f"b{self.layout.micro_batch}"]
        words += [f"x{self.layout.accumulation}"] * (self.layout.accumulation > 1)
        words += ["again"] * self.layout.checkpointing
        words += [self.layout.precision] * (self.layout.precision != "fp32")
        words += [self.recipe.optimizer] * (self.recipe.optimizer != "adamw")
        words += ["ema"] * bool(self.recipe.ema)
        return " ".join(words)

    @property
    def question(self) -> Question:
        """What a child is asked."""
        named = {"kind": self.kind}
        return Question("benchmarks._plan_subjects:trainee", named, self.recipe, threads=1)


def cases() -> list[Case]:
    """Return the cases: networks x micro-batch x checkpointing x optimizer x precision."""
    found = []
    for kind, batches in {
        "lite0": (2, 3, 6, 8), "lite0-lora": (3, 6), "resnet": (2, 6, 8), "vit": (3, 6, 8),
        "videomae": (2, 3), "transformer": (8, 24, 64), "lstm": (8, 24, 64),
    }.items():  # fmt: skip
        found += [Case(kind, Layout(b)) for b in batches]
    for kind, batches in {"lite0": (3, 8), "vit": (3, 8), "videomae": (2, 3)}.items():
        found += [Case(kind, Layout(b, checkpointing=True)) for b in batches]
    sgd, ema = Recipe(optimizer="sgd"), Recipe(ema=0.99)
    found += [Case(kind, Layout(3), sgd) for kind in ("lite0", "resnet", "vit", "transformer")]
    found += [Case(kind, Layout(3), ema) for kind in ("lite0", "resnet")]
    found += [Case(kind, Layout(3, accumulation=2)) for kind in ("lite0", "vit")]
    found += [Case(kind, Layout(2, precision="bf16")) for kind in ("vit", "transformer")]
    return found


def main() -> None:
    options = _options()
    start = environment()
    chosen = [case for case in cases() if case.kind in options.only]
    if options.quick:
        chosen = [case for case in chosen if str(case) in QUICK]
    kept = Kept(options.keep)
    print(f"{len(chosen)} cases, {len(kept.rows)} rows kept, one thread, {load()}")
    with (
        tempfile.TemporaryDirectory() as folder,
        ThreadPoolExecutor(options.processes) as pool,
        ProcessPoolExecutor(
            options.processes, get_context("spawn"), max_tasks_per_child=1
        ) as fresh,
    ):
        until = time.monotonic() + 60 * options.minutes
        for kind in dict.fromkeys(case.kind for case in chosen):
            waiting = [c for c in chosen if c.kind == kind and str(c) not in kept.rows]
            if not waiting or time.monotonic() > until:
                continue
            laws = _known(kind, Path(folder), again=any(c.layout.checkpointing for c in waiting))
            peaks = pool.submit(_peaks, waiting)
            allocated = fresh.map(_allocated, waiting)
            taken = pool.map(lambda case: real_run(case.question, case.layout)[1], waiting)
            for case, peak, run in zip(waiting, allocated, taken, strict=True):
                kept.add(str(case), _row(case, laws, peaks.result()[case], peak, run))
    rows = [kept.rows[str(case)] for case in chosen if str(case) in kept.rows]
    _show(rows)
    figures = {"cases": rows, "summary": _summary(rows)}
    headline, met = _headline(figures["summary"])
    finish(options, figures, start, headline, met=met)


def _known(kind: str, folder: Path, *, again: bool) -> tuple[Known, Known]:
    """Return the laws of a network as `vidfit plan` finds them.

    First those of a plan that chooses no checkpointing, then those of one that does.
    """
    question = Case(kind, Layout()).question
    known = look(question, "fp32", folder, here=True)
    found = []
    for checkpointing in (False, True) if again else (False,):
        way = Layout(checkpointing=checkpointing)
        layouts = small_layouts(known, way, SHARE_CLIPS, math.inf)
        known = known.with_runs([(layout, real_run(question, layout)[1]) for layout in layouts])
        found.append(known)
    print(f"  {kind}: laws known, {load()}", flush=True)
    return found[0], found[-1]


def _peaks(chosen: Sequence[Case]) -> dict[Case, float]:
    """Return the predicted peak of each case; what one process can tell, it is asked at once."""
    found: dict[Case, float] = {}
    for kind, recipe in dict.fromkeys((case.kind, case.recipe) for case in chosen):
        alike = [case for case in chosen if (case.kind, case.recipe) == (kind, recipe)]
        _, runs = dry_runs(alike[0].question, [case.layout for case in alike])
        found |= {case: run.peak_bytes for case, run in zip(alike, runs, strict=True)}
    return found


def _allocated(case: Case) -> int:
    torch.set_num_threads(1)
    made = trainee({"kind": case.kind})
    if case.layout.checkpointing:
        checkpoint_blocks(made.network.encoder)
    return allocated_bytes(made, case.recipe, case.layout)


def _row(
    case: Case, laws: tuple[Known, Known], predicted: float, allocated: int, run: Real
) -> dict[str, Any]:
    plain, known = laws
    again = case.layout.checkpointing
    seconds = known.seconds(case.layout) or 0.0
    print(f"  {case}: {predicted / MIB:.1f} of {allocated / MIB:.1f} MiB", flush=True)
    return {
        "case": str(case),
        "predicted_bytes": predicted,
        "allocator_bytes": allocated,
        "rule_bytes": RULE_BYTES * known.sizes.learned_bytes / 4,
        "predicted_taken_bytes": known.taken(predicted, again),
        "usual_taken_bytes": plain.taken(predicted, again) if again else 0.0,
        "taken_bytes": run.taken_bytes,
        # The law is of float32: this processor emulates bf16.
        "predicted_seconds": seconds if case.layout.precision == "fp32" else 0.0,
        "measured_seconds": case.layout.accumulation * run.micro_seconds + run.update_seconds,
    }


def _error(row: dict[str, Any], predicted: str, measured: str) -> float:
    return float(row[predicted] / row[measured] - 1)


def _show(rows: Sequence[dict[str, Any]]) -> None:
    table(
        (
            "case",
            "predicted MiB",
            "allocator",
            "error",
            "rule",
            "taken",
            "error",
            "as usual",
            "time",
        ),
        [
            (
                row["case"],
                f"{row['predicted_bytes'] / MIB:.1f}",
                f"{row['allocator_bytes'] / MIB:.1f}",
                f"{_error(row, 'predicted_bytes', 'allocator_bytes'):+.1%}",
                f"{_error(row, 'rule_bytes', 'allocator_bytes'):+.0%}",
                f"{row['taken_bytes'] / MIB:.0f}",
                f"{_error(row, 'predicted_taken_bytes', 'taken_bytes'):+.1%}",
                f"{_error(row, 'usual_taken_bytes', 'taken_bytes'):+.1%}"
                if row["usual_taken_bytes"]
                else "",
                f"{_error(row, 'predicted_seconds', 'measured_seconds'):+.0%}"
                if row["predicted_seconds"]
                else "",
            )
            for row in rows
        ],
    )


def _summary(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    def errors(predicted: str, measured: str) -> list[float]:
        return [abs(_error(r, predicted, measured)) for r in rows if r[predicted]]

    memory = errors("predicted_bytes", "allocator_bytes")
    taken = errors("predicted_taken_bytes", "taken_bytes")
    usual = errors("usual_taken_bytes", "taken_bytes")
    seconds = errors("predicted_seconds", "measured_seconds")
    worst = max(rows, key=lambda row: abs(_error(row, "predicted_taken_bytes", "taken_bytes")))
    return {
        "cases": len(rows),
        "median": statistics.median(memory),
        "worst": max(memory),
        "worst case": rows[memory.index(max(memory))]["case"],
        "rule, median": statistics.median(errors("rule_bytes", "allocator_bytes")),
        "taken, median": statistics.median(taken),
        "taken, worst": max(taken),
        "taken, worst case": worst["case"],
        "usual, worst": max(usual, default=0.0),
        "seconds, median": statistics.median(seconds),
        "seconds, worst": max(seconds),
    }


def _headline(found: dict[str, Any]) -> tuple[str, bool]:
    headline = (
        f"allocator peak of {found['cases']} cases: median error {found['median']:.1%} (bar "
        f"{MEDIAN:.0%}), worst {found['worst']:.1%} (bar {WORST:.0%}, {found['worst case']}); "
        f"resident median {found['taken, median']:.1%}, worst {found['taken, worst']:.1%} (bar "
        f"{RESIDENT:.0%}, {found['taken, worst case']}), of checkpointing that was not run "
        f"{found['usual, worst']:.1%}; step time median {found['seconds, median']:.0%} "
        f"(bar {TIME:.0%}); 16 bytes a parameter: median {found['rule, median']:.0%}"
    )
    allocator = found["median"] <= MEDIAN and found["worst"] <= WORST
    resident, time = found["taken, worst"] <= RESIDENT, found["seconds, median"] <= TIME
    return headline, allocator and resident and time


def _options() -> argparse.Namespace:
    parser = arguments(__doc__)
    parser.add_argument("--processes", type=int, default=2)
    kinds = tuple(dict.fromkeys(case.kind for case in cases()))
    parser.add_argument("--only", nargs="+", choices=kinds, default=kinds, metavar="NETWORK")
    parser.add_argument("--minutes", type=float, default=math.inf, help="begin no network later")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="rows, from which it goes on")
    return parser.parse_args()


if __name__ == "__main__":
    main()

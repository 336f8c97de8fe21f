"""Predicted memory and time of a training step against what fresh processes come to.

Each case runs two optimizer steps in processes of its own, in one thread. Held against the
prediction: the peak that torch's allocator reports, the resident memory that the system counts,
and the processor seconds of a step. Resident memory depends on what the C library does with freed
blocks. It is measured where they are given back at once (``MALLOC_MMAP_THRESHOLD_=65536``), and as
training runs, which keeps them and is up to twice as fast.

Kernels' own memory, the law of time and what the system adds are learned from two small runs of
each network (micro-batches 1 and 4; 4 and 32 of heads over tokens), which are no cases. Beside it
stands the usual rule of 16 bytes a parameter.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks._harness import arguments, environment, finish, load, table
from vidfit.planning.child import Effort, Question, Real, dry_runs, real_runs
from vidfit.planning.measured import Known, look, probed, with_runs
from vidfit.planning.memory import Resident, learned_resident
from vidfit.plans import Layout, Recipe

MEDIAN, WORST, RESIDENT, TIME = 0.03, 0.08, 0.10, 0.20
RULE_BYTES = 16
MIB = 2**20
USUAL = Recipe()
RETURNING = Effort(steps=2, clock="cpu", returning=True)


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
    chosen = cases()[:: 6 if options.quick else 1]
    print(f"{len(chosen)} cases, one thread, {load()}")
    with tempfile.TemporaryDirectory() as kept, ThreadPoolExecutor(options.processes) as pool:
        kinds = list(dict.fromkeys(case.kind for case in chosen))
        laws = dict(zip(kinds, pool.map(partial(_known, folder=Path(kept)), kinds), strict=True))
        peaks = _peaks(chosen, laws)
        rows = list(pool.map(lambda case: _row(case, laws[case.kind], peaks[case]), chosen))
    _show(rows)
    figures = {"cases": rows, "summary": _summary(rows)}
    headline, met = _headline(figures["summary"])
    finish(options, figures, start, headline, met=met)


def _known(kind: str, folder: Path) -> tuple[Known, Known]:
    """Return the laws of a network as `vidfit.planning.measured.look` finds them.

    The second is of processes that give freed memory back at once.
    """
    question = Case(kind, Layout()).question
    known = look(question, "fp32", folder, None)
    layouts = [
        Layout(b, checkpointing=again) for again in sorted(known.peaks) for b in probed(known)
    ]
    _, runs = real_runs(question, layouts, Effort(steps=3, clock="cpu"))
    _, returning = real_runs(question, layouts, replace(RETURNING, traced=False))
    known = with_runs(known, list(probed(known)), runs[:2])
    print(f"  {kind}: laws known, {load()}", flush=True)
    peaks = [run.peak_bytes for run in runs]
    laws = [_residents(known, layouts, peaks, found) for found in (runs, returning)]
    return replace(known, residents=laws[0]), replace(known, residents=laws[1])


def _residents(
    known: Known, layouts: Sequence[Layout], peaks: Sequence[int], runs: Sequence[Real]
) -> dict[bool, Resident]:
    found = {}
    for again in known.peaks:
        pairs = [
            (float(peak), float(run.resident_bytes))
            for layout, peak, run in zip(layouts, peaks, runs, strict=True)
            if layout.checkpointing == again
        ]
        found[again] = learned_resident(pairs)
    return found


def _peaks(chosen: Sequence[Case], laws: dict[str, tuple[Known, Known]]) -> dict[Case, float]:
    """Return the predicted peak of each case; what one process can tell, it is asked at once."""
    found = {}
    for kind, recipe in dict.fromkeys((case.kind, case.recipe) for case in chosen):
        alike = [case for case in chosen if (case.kind, case.recipe) == (kind, recipe)]
        _, runs = dry_runs(alike[0].question, [case.layout for case in alike])
        for case, run in zip(alike, runs, strict=True):
            found[case] = run.peak_bytes + laws[kind][0].beside(case.layout)
    return found


def _row(case: Case, laws: tuple[Known, Known], predicted: float) -> dict[str, Any]:
    known, returning = laws
    seconds = known.seconds(case.layout) or 0.0
    run = _run(case, Effort(steps=2, clock="cpu", traced=False))
    slow = _run(case, RETURNING)
    again = case.layout.checkpointing
    print(f"  {case}: {predicted / MIB:.1f} of {slow.peak_bytes / MIB:.1f} MiB", flush=True)
    return {
        "case": str(case),
        "predicted_bytes": predicted,
        "allocator_bytes": slow.peak_bytes,
        "rule_bytes": RULE_BYTES * known.sizes.learned_bytes / 4,
        "predicted_resident_bytes": returning.resident(again).of(predicted),
        "resident_bytes": slow.resident_bytes,
        "predicted_kept_bytes": known.resident(again).of(predicted),
        "kept_bytes": run.resident_bytes,
        # The law is of float32: this processor emulates bf16.
        "predicted_seconds": seconds if case.layout.precision == "fp32" else 0.0,
        "measured_seconds": case.layout.accumulation * run.micro_seconds + run.update_seconds,
    }


def _run(case: Case, effort: Effort) -> Real:
    _, (run,) = real_runs(case.question, [case.layout], effort)
    return run


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
            "resident",
            "error",
            "kept",
            "error",
            "time",
        ),
        [
            (
                row["case"],
                f"{row['predicted_bytes'] / MIB:.1f}",
                f"{row['allocator_bytes'] / MIB:.1f}",
                f"{_error(row, 'predicted_bytes', 'allocator_bytes'):+.1%}",
                f"{_error(row, 'rule_bytes', 'allocator_bytes'):+.0%}",
                f"{row['resident_bytes'] / MIB:.0f}",
                f"{_error(row, 'predicted_resident_bytes', 'resident_bytes'):+.1%}",
                f"{row['kept_bytes'] / MIB:.0f}",
                f"{_error(row, 'predicted_kept_bytes', 'kept_bytes'):+.1%}",
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
    resident = errors("predicted_resident_bytes", "resident_bytes")
    kept = errors("predicted_kept_bytes", "kept_bytes")
    seconds = errors("predicted_seconds", "measured_seconds")
    return {
        "cases": len(rows),
        "median": statistics.median(memory),
        "worst": max(memory),
        "worst case": rows[memory.index(max(memory))]["case"],
        "rule, median": statistics.median(errors("rule_bytes", "allocator_bytes")),
        "resident, median": statistics.median(resident),
        "resident, worst": max(resident),
        "kept, median": statistics.median(kept),
        "kept, worst": max(kept),
        "seconds, median": statistics.median(seconds),
        "seconds, worst": max(seconds),
    }


def _headline(found: dict[str, Any]) -> tuple[str, bool]:
    headline = (
        f"allocator peak of {found['cases']} cases: median error {found['median']:.1%} (bar "
        f"{MEDIAN:.0%}), worst {found['worst']:.1%} (bar {WORST:.0%}, {found['worst case']}); "
        f"resident worst {found['resident, worst']:.1%} (bar {RESIDENT:.0%}), with freed memory "
        f"kept {found['kept, worst']:.1%}; step time median {found['seconds, median']:.0%} "
        f"(bar {TIME:.0%}); 16 bytes a parameter: median {found['rule, median']:.0%}"
    )
    allocator = found["median"] <= MEDIAN and found["worst"] <= WORST
    resident, time = found["resident, worst"] <= RESIDENT, found["seconds, median"] <= TIME
    return headline, allocator and resident and time


def _options() -> argparse.Namespace:
    parser = arguments(__doc__)
    parser.add_argument("--processes", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    main()

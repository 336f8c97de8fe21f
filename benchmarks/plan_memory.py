"""Predicted memory and time of a training step against what a fresh process comes to.

Each case runs two optimizer steps in a process of its own, in one thread. Held against the
prediction: the peak that torch's allocator reports, the resident memory that the system counts,
and the processor seconds of a step. Kernels' own memory, the law of time and what the system adds
are learned from two small runs of each network (micro-batches 1 and 4; 4 and 32 of heads over
tokens), which are no cases. Beside it stands the usual rule of 16 bytes a parameter.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks._harness import arguments, environment, finish, load, table
from vidfit.planning.child import Effort, Question, Real, dry_runs, real_runs
from vidfit.planning.measured import Known, look, probed, with_runs
from vidfit.planning.memory import learned_resident, tells_factor
from vidfit.plans import Layout, Recipe

MEDIAN, WORST, RESIDENT, TIME = 0.03, 0.08, 0.10, 0.20
RULE_BYTES = 16
MIB = 2**20
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
    chosen = cases()[:: 6 if options.quick else 1]
    print(f"{len(chosen)} cases, one thread, {load()}")
    with tempfile.TemporaryDirectory() as kept:
        known = _known(chosen, Path(kept))
        peaks = _peaks(chosen, known)
        rows = [_row(case, known[case.kind], peaks[case]) for case in chosen]
    _show(rows)
    figures = {"cases": rows, "summary": _summary(rows)}
    finish(options, figures, start, _headline(figures["summary"]))


def _known(chosen: Sequence[Case], folder: Path) -> dict[str, Known]:
    """Return the laws of each network, as `vidfit.planning.measured.look` finds them."""
    found = {}
    every: list[tuple[float, float]] = []
    for kind in dict.fromkeys(case.kind for case in chosen):
        case = Case(kind, Layout())
        known = look(case.question, "fp32", folder, None)
        small = [Layout(b) for b in probed(known)]
        _, runs = real_runs(case.question, small, Effort(steps=3, clock="cpu"))
        own = [(float(run.peak_bytes), float(run.resident_bytes)) for run in runs]
        every += own
        resident = learned_resident(own if tells_factor(own) else every)
        known = with_runs(known, list(probed(known)), runs)
        found[kind] = replace(known, resident=resident)
        print(f"  {kind}: laws known, {load()}", flush=True)
    return found


def _peaks(chosen: Sequence[Case], known: dict[str, Known]) -> dict[Case, float]:
    """Return the predicted peak of each case; what one process can tell, it is asked at once."""
    found = {}
    for kind, recipe in dict.fromkeys((case.kind, case.recipe) for case in chosen):
        alike = [case for case in chosen if (case.kind, case.recipe) == (kind, recipe)]
        _, runs = dry_runs(alike[0].question, [case.layout for case in alike])
        for case, run in zip(alike, runs, strict=True):
            found[case] = run.peak_bytes + known[kind].beside(case.layout)
    return found


def _row(case: Case, known: Known, predicted: float) -> dict[str, Any]:
    by_line = known.peak_bytes(case.layout) if case.layout.accumulation > 1 else None
    seconds = known.seconds(case.layout)
    run = _run(case)
    measured = case.layout.accumulation * run.micro_seconds + run.update_seconds
    comparable = case.layout.precision == "fp32" and seconds is not None
    row = {
        "case": str(case),
        "predicted_bytes": predicted,
        "allocator_bytes": run.peak_bytes,
        "by_line_bytes": by_line,
        "rule_bytes": RULE_BYTES * known.sizes.learned_bytes / 4,
        "predicted_resident_bytes": known.resident.of(predicted),
        "resident_bytes": run.resident_bytes,
        "predicted_seconds": seconds if comparable else None,
        "measured_seconds": measured,
    }
    print(f"  {case}: {predicted / MIB:.1f} of {run.peak_bytes / MIB:.1f} MiB", flush=True)
    return row


def _run(case: Case) -> Real:
    _, (run,) = real_runs(case.question, [case.layout], Effort(steps=2, clock="cpu"))
    return run


def _error(row: dict[str, Any], predicted: str, measured: str) -> float:
    return float(row[predicted] / row[measured] - 1)


def _show(rows: Sequence[dict[str, Any]]) -> None:
    table(
        ("case", "predicted MiB", "allocator MiB", "error", "rule", "resident", "error", "time"),
        [
            (
                row["case"],
                f"{row['predicted_bytes'] / MIB:.1f}",
                f"{row['allocator_bytes'] / MIB:.1f}",
                f"{_error(row, 'predicted_bytes', 'allocator_bytes'):+.1%}",
                f"{_error(row, 'rule_bytes', 'allocator_bytes'):+.0%}",
                f"{row['resident_bytes'] / MIB:.0f}",
                f"{_error(row, 'predicted_resident_bytes', 'resident_bytes'):+.1%}",
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
    seconds = errors("predicted_seconds", "measured_seconds")
    return {
        "cases": len(rows),
        "median": statistics.median(memory),
        "worst": max(memory),
        "worst case": rows[memory.index(max(memory))]["case"],
        "rule, median": statistics.median(errors("rule_bytes", "allocator_bytes")),
        "resident, median": statistics.median(resident),
        "resident, worst": max(resident),
        "seconds, median": statistics.median(seconds),
        "seconds, worst": max(seconds),
    }


def _headline(found: dict[str, Any]) -> str:
    return (
        f"allocator peak of {found['cases']} cases: median error {found['median']:.1%} (bar "
        f"{MEDIAN:.0%}), worst {found['worst']:.1%} (bar {WORST:.0%}, {found['worst case']}); "
        f"resident worst {found['resident, worst']:.1%} (bar {RESIDENT:.0%}); step time median "
        f"{found['seconds, median']:.0%} (bar {TIME:.0%}); 16 bytes a parameter: median "
        f"{found['rule, median']:.0%}"
    )


def _options() -> argparse.Namespace:
    return arguments(__doc__).parse_args()


if __name__ == "__main__":
    main()

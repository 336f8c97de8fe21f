"""A batch that grows against one that stays: steps, time and score.

A transformer over tokens of EfficientNet-Lite0 learns a task with batches of 16 and 64 clips
that stay, and with one that grows from 16 to 64 by a table. All see each clip as often; the rate
of AdamW goes with the square root of the batch. Each seed judges by other recordings, and after
the last epoch: nothing is chosen by the score. Time is the processor's, in one thread.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import t as student

from benchmarks._harness import arguments, environment, finish, load, table
from benchmarks._study import CACHE
from benchmarks._training import LITE, part, plan_of, standard, tokens
from vidfit.plans import Layout, Recipe, Subject
from vidfit.study.clipsets import Prepared
from vidfit.study.subject import build_subject
from vidfit.training.loop import train
from vidfit.training.parallel import launch
from vidfit.training.state import Run

LARGE = 64
"""The layout's batch: factors of schedules are of it, and the recipe's rate is for it."""

RECIPE = Recipe(epochs=20, learning_rate=2e-3, dropout=0.1)
SUBJECT = Subject("transformer", LITE, width=128)
TASKS = ("fights", "demo", "rotation")
SMALL = "16, constant"


Schedule = tuple[tuple[float, float], ...]

WAYS: dict[str, Schedule] = {
    SMALL: ((0.0, 0.25),),
    "64, constant": ((0.0, 1.0),),
    "16 to 64, by table": ((0.0, 0.25), (0.4, 0.5), (0.7, 1.0)),
}


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--cache", type=Path, default=CACHE)
    parser.add_argument("--seeds", type=int, default=8)
    options = parser.parse_args()
    seeds = 2 if options.quick else options.seeds
    recipe = replace(RECIPE, epochs=6) if options.quick else RECIPE
    torch.set_num_threads(1)
    start, figures = environment(), {}
    for task in TASKS:
        ready = tokens(task, options.cache)
        runs: dict[str, list[dict[str, float]]] = {name: [] for name in WAYS}
        for seed in range(seeds):
            for name, way in WAYS.items():
                runs[name].append(_run(ready, way, replace(recipe, seed=seed)))
            print(f"  {task}, seed {seed + 1} of {seeds}, {load()}")
        figures[task] = {"runs": runs, "against": _compared(runs)}
        _show(task, len(ready.clips), runs)
    headline, met = _headline(figures)
    finish(options, figures, start, headline, met=met)


def _run(ready: Prepared, way: Schedule, recipe: Recipe) -> dict[str, float]:
    """Train once; return what it took and how it scores on recordings it has not seen."""
    split = part(ready, fold=recipe.seed % 4, seed=recipe.seed // 4)
    known = standard(ready, split)
    recipe = replace(recipe, batch_schedule=way)
    layout = Layout(LARGE)
    plan = plan_of(SUBJECT, layout, recipe, known)
    torch.manual_seed(recipe.seed)
    network = build_subject(SUBJECT, plan.data.classes, plan.data.tokens, recipe)
    started = time.process_time()
    done = train(
        network, plan, Run(known.set, split.learn_M, split.choose_M), launch(layout, "cpu")
    )
    last = done.history[-1]
    return {
        "seconds": time.process_time() - started,
        "steps": sum(epoch.steps for epoch in done.history),
        "last_batch": last.batch_clips,
        "accuracy": last.accuracy,
        "log_loss": last.log_loss,
    }


def _values(runs: list[dict[str, float]], name: str) -> Any:
    return np.array([run[name] for run in runs])


def _interval(values_S: Any) -> tuple[float, float, float]:
    """Return the mean with its 95 % interval over seeds (Student's t)."""
    half = student.ppf(0.975, len(values_S) - 1) * values_S.std(ddof=1) / np.sqrt(len(values_S))
    return float(values_S.mean()), float(values_S.mean() - half), float(values_S.mean() + half)


def _compared(runs: dict[str, list[dict[str, float]]]) -> dict[str, dict[str, Any]]:
    """Return what each way gains over the small constant batch, paired by seed."""
    small = {name: _values(runs[SMALL], name) for name in runs[SMALL][0]}
    return {
        way: {
            "points": _interval(100 * (_values(each, "accuracy") - small["accuracy"])),
            "log-loss": _interval(_values(each, "log_loss") - small["log_loss"]),
            "steps": float((_values(each, "steps") / small["steps"]).mean()),
            "seconds": float(np.median(_values(each, "seconds") / small["seconds"])),
        }
        for way, each in runs.items()
    }


def _show(task: str, clips: int, runs: dict[str, list[dict[str, float]]]) -> None:
    print(f"\n{task}: {clips} clips")
    rows = []
    for way, found in _compared(runs).items():
        score, low, high = _interval(100 * _values(runs[way], "accuracy"))
        rows.append([
            way,
            f"{_values(runs[way], 'steps').mean():.0f}",
            f"{np.median(_values(runs[way], 'seconds')):.1f} s",
            f"{score:.1f} % [{low:.1f}, {high:.1f}]",
            "{:+.1f} [{:+.1f}, {:+.1f}]".format(*found["points"]),
            "{:+.3f} [{:+.3f}, {:+.3f}]".format(*found["log-loss"]),
        ])  # fmt: skip
    headers = ["batch", "steps", "CPU", "accuracy", "against 16: points", "log-loss"]
    table(headers, rows)


def _headline(figures: dict[str, Any]) -> tuple[str, bool]:
    way = "16 to 64, by table"
    told, met = [], True
    for task, found in figures.items():
        one = found["against"][way]
        points = "{:+.1f} [{:+.1f}, {:+.1f}]".format(*one["points"])
        told.append(f"{task} {points} points in {one['steps']:.2f} of the steps, "
                    f"{one['seconds']:.2f} of the time")  # fmt: skip
        met = met and one["steps"] < 1 and one["points"][2] >= 0
    return (
        f"a batch that grows, against 16: {'; '.join(told)} (bar: fewer steps, not proven worse)",
        met,
    )


if __name__ == "__main__":
    main()

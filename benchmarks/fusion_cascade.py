"""A cascade beside the full ensemble: measured latency, calls saved, accuracy on unseen clips.

Every clip of a task is answered once by a cascade and once by the stack of the same members,
both fitted without the clip's recording, through the same path as `vidfit predict`: open, decode,
infer, answer, in one thread. The best single model stands beside them.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._harness import arguments, environment, finish, table
from benchmarks._study import CACHE, Study, load_networks, study
from benchmarks._tasks import TASKS
from vidfit.contracts import Backbone
from vidfit.fusion import restore
from vidfit.jobs.predict.predictor import Predictor
from vidfit.jobs.predict.run import run_predict
from vidfit.metrics import mean_interval
from vidfit.selection import Contender, Outer, Rows, Rule, Terms, nested
from vidfit.study.compare import model_of
from vidfit.study.folds import Folds
from vidfit.study.table import Table

NETWORKS = (
    "motion",
    "efficientnet-lite0@8",
    "efficientnet-lite1@8",
    "efficientnet-lite2@8",
    "transnetv2",
)
SINGLE = "best single"
FASTER, POINTS = 2.0, 0.005
LONG_SECONDS = 1e6
"""No clip is cut into windows."""


@dataclass
class Answers:
    """What one way of answering did with each clip."""

    hits_M: list[float]
    seconds_M: list[float]
    calls: Counter[str] = field(default_factory=Counter)


@dataclass
class Trial:
    """Answers every held-out clip by each of the ways in turn."""

    table: Table
    networks: Mapping[str, Backbone]
    found: dict[str, Answers] = field(default_factory=dict)

    def see(self, outer: Outer) -> None:
        """Answer the clips of a fold by what was fitted without it."""
        ways = {SINGLE: outer.choice.best_single} | {
            c.name: c for c in outer.contenders if c.method and len(c.members) == len(self.networks)
        }
        train = self.table.where(~outer.test_M)
        predictors = {name: self._predictor(c, outer, train) for name, c in ways.items()}
        for number, clip in enumerate(np.flatnonzero(outer.test_M)):
            turn = list(predictors)
            for name in turn[number % len(turn) :] + turn[: number % len(turn)]:
                self._answer(name, predictors[name], int(clip))

    def _predictor(self, contender: Contender, outer: Outer, train: Table) -> Predictor:
        model = model_of(contender, outer.inner_M, train)
        eager = replace(model, unknown_probability=0.0, unknown_novelty=np.inf)
        members = tuple(self.networks[name] for name in model.members)
        return Predictor(eager, members, restore(model.head, model.arrays))

    def _answer(self, name: str, predictor: Predictor, clip: int) -> None:
        count = len(self.table.clips)
        answers = self.found.setdefault(name, Answers([0.0] * count, [0.0] * count))
        started = time.perf_counter()
        timeline = run_predict(predictor, self.table.clips[clip].path, workers=1)
        answers.seconds_M[clip] = time.perf_counter() - started
        answers.hits_M[clip] = float(timeline.segments[0].label == self.table.clips[clip].label)
        answers.calls.update(timeline.asked)


def main() -> None:
    options = _options()
    start = environment()
    names = NETWORKS[:2] if options.quick else NETWORKS
    figures = _measure(study(options.task, options.cache, names=names), names)
    _show(figures)
    gain = figures["cascade"]["less than the stack"]
    ratio = figures["times faster"]
    headline = (
        f"{options.task}: the cascade answers {ratio:.2f}x faster than the stack of the same "
        f"{len(names)} members (bar {FASTER:g}x), {-gain[0] * 100:+.1f} points (bar "
        f"-{POINTS * 100:g}), {figures['cascade']['calls saved']:.0%} of the calls saved"
    )
    finish(options, figures, start, headline, met=ratio >= FASTER and gain[0] <= POINTS)


def _measure(task: Study, names: Sequence[str]) -> dict[str, Any]:
    vectors = {name: task.candidates[name].vectors_MD for name in names}
    clips = Table(
        task.clips,
        task.classes,
        task.labels_M,
        vectors,
        tuple(np.zeros((1, 65), np.float32) for _ in task.clips),  # nobody looks for copies
        np.full(len(task.clips), LONG_SECONDS),
    )
    loaded, absent = load_networks(names)
    if absent:
        raise SystemExit(f"a member is missing: {absent}")
    trial = Trial(clips, {network.spec.name: network for network in loaded})
    costs = {name: task.candidates[name].cost for name in names}
    folds = Folds(task.classes)
    nested(
        Rows(vectors, task.labels_M, task.groups),
        folds.by_recording,
        Terms(costs, ("stack", "cascade"), Rule(cheapest=False)),
        inner_folds=folds.to_choose,
        look=trial.see,
    )
    return _figures(trial, task.groups)


def _figures(trial: Trial, groups: tuple[str, ...]) -> dict[str, Any]:
    named = {name.split("-")[0]: found for name, found in trial.found.items()}
    stack_M = np.array(named["stack"].hits_M)
    figures: dict[str, Any] = {
        name: {
            "accuracy": _listed(mean_interval(found.hits_M, groups)),
            "less than the stack": _listed(mean_interval(stack_M - found.hits_M, groups)),
            "mean seconds": float(np.mean(found.seconds_M)),
            "median seconds": float(np.median(found.seconds_M)),
            "calls": dict(found.calls),
            "calls saved": 1 - sum(found.calls.values()) / (len(groups) * len(trial.networks)),
        }
        for name, found in named.items()
    }
    seconds = {name: figures[name]["mean seconds"] for name in ("stack", "cascade")}
    return figures | {"times faster": seconds["stack"] / seconds["cascade"]}


def _listed(found: Any) -> list[float]:
    return [found.value, found.low, found.high]


def _show(figures: dict[str, Any]) -> None:
    ways = {name: of for name, of in figures.items() if isinstance(of, dict)}
    table(
        ("", "accuracy", "95 %", "less than the stack", "mean ms", "median ms", "calls saved"),
        [
            (
                name,
                f"{of['accuracy'][0]:.1%}",
                f"[{of['accuracy'][1]:.1%}, {of['accuracy'][2]:.1%}]",
                f"{of['less than the stack'][0] * 100:+.1f} points "
                f"[{of['less than the stack'][1] * 100:+.1f}, "
                f"{of['less than the stack'][2] * 100:+.1f}]",
                f"{of['mean seconds'] * 1e3:.0f}",
                f"{of['median seconds'] * 1e3:.0f}",
                f"{of['calls saved']:.0%}",
            )
            for name, of in ways.items()
        ],
    )
    calls = figures["cascade"]["calls"]
    print("calls of the cascade: " + ", ".join(f"{name} {n}" for name, n in calls.items()))


def _options() -> argparse.Namespace:
    parser = arguments(__doc__)
    parser.add_argument("--task", choices=TASKS, default=None)
    parser.add_argument("--cache", type=Path, default=CACHE)
    options = parser.parse_args()
    options.task = options.task or ("demo" if options.quick else "fights")
    return options


if __name__ == "__main__":
    main()

"""Regret of the race: what is lost against trying every candidate on every clip.

Each task is labelled from real videos (`benchmarks._tasks`). A candidate is a network under a
sampling; of its two poolings (mean; mean, deviation and change) the one with the better
out-of-fold answers counts. The race is replayed on stored features with the measured costs.
Regret is exhaustive accuracy of the exhaustive winner minus that of the race's leader: it
counts against the race also what is but noise of the exhaustive winner's own figure.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._harness import arguments, environment, finish, table
from benchmarks._scores import REJECTED
from benchmarks._study import CACHE, MEAN, Study, study
from benchmarks._tasks import TASKS
from vidfit.backbones import catalogue
from vidfit.contracts import Cost, Floats, Indices, seconds_a_clip
from vidfit.fusion.linear import cross_fit
from vidfit.metrics import ACCURACY, score_values
from vidfit.selection import (
    Rules,
    Trial,
    first_size,
    hits,
    merit,
    race,
    spread_order,
    tied_with_best,
)
from vidfit.selection.scores import knn, logme, parc
from vidfit.study.folds import Folds

SCORES = {"logme": logme, "parc": parc, **REJECTED}
SHARES = (0.15, 0.25, 0.5)
BUDGET, POINTS = 0.25, 0.01
QUARTER = 4


def main() -> None:
    options = _options()
    start = environment()
    tasks = options.tasks or list(TASKS)
    work = partial(_task, cache=options.cache, seeds=options.seeds)
    with ProcessPoolExecutor(options.processes) as pool:
        figures = dict(zip(tasks, pool.map(work, tasks), strict=True))
    _show_regret(figures)
    _show_scores(figures)
    if options.plot:
        _plot(figures, options.plot)
    at_budget = [f["races"][str(BUDGET)] for f in figures.values()]
    regret = float(np.mean([r["regret"] for r in at_budget]))
    cost = max(r["cost"] for r in at_budget)
    finish(
        options,
        figures,
        start,
        f"mean regret {regret * 100:.2f} points (bar {POINTS * 100:g}) at {cost:.1%} of the "
        f"exhaustive cost or less (bar {BUDGET:.0%}), {len(tasks)} tasks, {options.seeds} orders",
        met=regret <= POINTS and cost <= BUDGET,
    )


def _options() -> argparse.Namespace:
    parser = arguments(__doc__)
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder of tasks and features")
    parser.add_argument("--tasks", nargs="+", choices=sorted(TASKS), help="these only")
    parser.add_argument("--seeds", type=int, help="orders of the clips (10; quick 2)")
    parser.add_argument("--processes", type=int, default=2, help="tasks at once")
    parser.add_argument("--plot", type=Path, metavar="PNG", help="draw regret against cost")
    options = parser.parse_args()
    options.seeds = options.seeds or (2 if options.quick else 10)
    if options.quick and not options.tasks:
        options.tasks = ["demo"]
    return options


@dataclass
class Replay:
    """A task's features, on which races are run again at no cost."""

    truth: Study

    @cached_property
    def costs(self) -> dict[str, Cost]:
        """Measured cost of a clip by network."""
        return {
            one.network: Cost(one.cost.decode_seconds, one.cost.forward_seconds, 0)
            for one in self.truth.candidates.values()
        }

    @cached_property
    def accuracy(self) -> dict[str, float]:
        """Accuracy by network on all clips, with the better pooling."""
        return {name: float(self._probe(name, self._all)[0].mean()) for name in self.costs}

    @property
    def exhaustive_seconds(self) -> float:
        """Every network on every clip, from one decode."""
        return len(self.truth.clips) * seconds_a_clip(list(self.costs.values()))

    @property
    def _all(self) -> Indices:
        return np.arange(len(self.truth.clips))

    def run(self, share: float, seed: int) -> dict[str, float]:
        """Race under a share of the exhaustive cost."""
        labels_M, groups = self.truth.labels_M, self.truth.groups
        order = spread_order(labels_M, groups, seed=seed)
        seen = {"clips": 0, "seconds": 0.0}

        def run(names: Sequence[str], size: int) -> Trial:
            rows = order[:size]
            seconds = (size - seen["clips"]) * seconds_a_clip([self.costs[n] for n in names])
            seen["clips"], seen["seconds"] = size, seen["seconds"] + seconds
            probed = {name: self._probe(name, rows) for name in names}
            return Trial(
                tuple(names),
                score_values([h for h, _ in probed.values()], [groups[i] for i in rows]),
                {name: merit_ for name, (_, merit_) in probed.items()},
                (),
                seconds,
            )

        first = first_size(len(order), len(self.truth.classes))
        found = race(self.costs, run, Rules(len(order), first, share * self.exhaustive_seconds))
        best = max(self.accuracy.values())
        rows = order[: found.rounds[-1].clips]
        cheapest = self._cheapest_tied(found.finalists, rows)
        return {
            "regret": best - self.accuracy[found.finalists[0]],
            "regret of the cheapest tied": best - self.accuracy[cheapest],
            "cost": seen["seconds"] / self.exhaustive_seconds,
        }

    def _cheapest_tied(self, finalists: Sequence[str], rows: Indices) -> str:
        hits_CM = np.stack([self._probe(name, rows)[0] for name in finalists])
        tied_C = tied_with_best(score_values(hits_CM, [self.truth.groups[i] for i in rows]))
        tied = [name for name, tied in zip(finalists, tied_C, strict=True) if tied]
        return min(tied or finalists[:1], key=lambda name: self.costs[name].seconds)

    def _probe(self, network: str, rows: Indices) -> tuple[Floats, float]:
        """Return hits and merit of a network on some clips, with the better pooling."""
        labels_M = self.truth.labels_M[rows]
        groups = [self.truth.groups[i] for i in rows]
        folds_M = Folds(self.truth.classes).to_choose(labels_M, groups, 0)
        tried = []
        for name in (network, network + MEAN):
            vectors_MD = self.truth.candidates[name].vectors_MD[rows]
            _, out_MK = cross_fit([vectors_MD], labels_M, folds_M)
            tried.append((hits(out_MK, labels_M), merit(ACCURACY, labels_M, out_MK)))
        return max(tried, key=lambda one: one[1])


def _task(name: str, cache: Path, seeds: int) -> dict[str, Any]:
    """Return regrets by budget and rank correlations by score of one task."""
    warnings.simplefilter("ignore", UserWarning)  # small folds; the scores say what they are
    truth = study(name, cache)
    replay = Replay(truth)
    races = {
        str(share): _mean([replay.run(share, seed) for seed in range(seeds)]) for share in SHARES
    }
    best = max(replay.accuracy, key=lambda n: replay.accuracy[n])
    return {
        "best": best,
        "accuracy": replay.accuracy[best],
        "majority": truth.majority,
        "spread": float(np.ptp(list(replay.accuracy.values()))),
        **{
            rule: {"taken": name, "regret": replay.accuracy[best] - replay.accuracy[name]}
            for rule, name in _without_clips(replay.costs).items()
        },
        "races": races,
        "tau": _taus(truth),
        "absent": [failure.name for failure in truth.absent],
        "accuracies": replay.accuracy,
    }


def _without_clips(costs: Mapping[str, Cost]) -> dict[str, str]:
    """Return by rule what the catalogue would take unseen, under its dearest sampling."""
    dearest_first = sorted(costs, key=lambda name: -costs[name].seconds)
    entries = {name: catalogue.lookup(name.partition("@")[0]) for name in dearest_first}
    sizes = {name: entry.parameters_m or 0.0 for name, entry in entries.items() if entry}
    published = catalogue.best_published(dearest_first)
    rules = {"largest": max(sizes, key=lambda name: sizes[name])}
    return rules | ({"best published": published[0]} if published else {})


def _mean(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    means = {key: float(np.mean([row[key] for row in rows])) for key in rows[0]}
    regrets = [row["regret"] for row in rows]
    return {**means, "cost": max(row["cost"] for row in rows), "worst regret": max(regrets)}


def _taus(truth: Study) -> dict[str, dict[str, float]]:
    """Return the weighted Kendall tau of each score with the exhaustive accuracies."""
    from scipy.stats import weightedtau

    accuracies = [one.accuracy.value for one in truth.candidates.values()]
    order = spread_order(truth.labels_M, truth.groups)
    parts = {"all clips": order, "a quarter": order[: len(order) // QUARTER]}
    taus: dict[str, dict[str, float]] = {}
    for part, rows in parts.items():
        labels_M, groups = truth.labels_M[rows], [truth.groups[i] for i in rows]
        folds_M = Folds(truth.classes).to_choose(labels_M, groups, 0)
        vectors = [one.vectors_MD[rows] for one in truth.candidates.values()]
        found = {name: [of(x_MD, labels_M) for x_MD in vectors] for name, of in SCORES.items()}
        found["knn"] = [knn(x_MD, labels_M, folds_M) for x_MD in vectors]
        found["linear_probe"] = [
            float(hits(cross_fit([x_MD], labels_M, folds_M)[1], labels_M).mean())
            for x_MD in vectors
        ]
        for score, values in found.items():
            taus.setdefault(score, {})[part] = float(weightedtau(accuracies, values).statistic)
    return taus


def _show_regret(figures: Mapping[str, Any]) -> None:
    headers = ["task", "majority", "best", "accuracy", "largest", "published",
               *(f"race at {share:.0%}" for share in SHARES), "cheapest tied", "cost"]  # fmt: skip
    rows = []
    for name, f in figures.items():
        at_budget = f["races"][str(BUDGET)]
        points = [f["largest"]["regret"], f["best published"]["regret"]]
        points += [f["races"][str(share)]["regret"] for share in SHARES]
        points.append(at_budget["regret of the cheapest tied"])
        cells = [f"{100 * p:.1f}" for p in points]
        majority, accuracy = f"{f['majority']:.1%}", f"{f['accuracy']:.1%}"
        rows.append([name, majority, f["best"], accuracy, *cells, f"{at_budget['cost']:.1%}"])
    print("Regret in points of accuracy; cheapest tied and cost: of the race at a quarter")
    for rule in ("largest", "best published"):
        print(f"{rule}: {', '.join(sorted({f[rule]['taken'] for f in figures.values()}))}")
    table(headers, rows)


def _show_scores(figures: Mapping[str, Any]) -> None:
    print("\nWeighted Kendall tau with the exhaustive ranking: on all clips, on a quarter of them")
    rows = []
    for score in next(iter(figures.values()))["tau"]:
        taus = [f["tau"][score] for f in figures.values()]
        means = [float(np.mean([t[part] for t in taus])) for part in ("all clips", "a quarter")]
        cells = [f"{t['all clips']:+.2f} {t['a quarter']:+.2f}" for t in taus]
        rows.append([score, *cells, f"{means[0]:+.2f} {means[1]:+.2f}"])
    table(["score", *figures, "mean"], rows)


def _plot(figures: Mapping[str, Any], path: Path) -> None:
    """Draw mean regret against the share of the exhaustive cost, a line a task."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7.2, 4.2), layout="constrained")
    for name, f in figures.items():
        x = [100 * f["races"][str(share)]["cost"] for share in SHARES]
        y = [100 * f["races"][str(share)]["regret"] for share in SHARES]
        axes.plot(x, y, marker="o", label=name, linewidth=1.2)
    means = [
        100 * np.mean([f["races"][str(s)]["regret"] for f in figures.values()]) for s in SHARES
    ]
    axes.plot([100 * s for s in SHARES], means, color="black", linewidth=2.8, label="mean")
    axes.axhline(100 * POINTS, color="grey", linestyle=":", linewidth=1)
    axes.axvline(100 * BUDGET, color="grey", linestyle=":", linewidth=1)
    axes.set(xlabel="cost, % of all candidates on all clips", ylabel="regret, points of accuracy")
    axes.set(xlim=(0, 55), ylim=(0, None), title="What the race loses against trying everything")
    axes.legend(ncols=2, frameon=False)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()

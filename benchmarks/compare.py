"""Time and growth of the comparison, and whether it chooses as a regression without shortcuts.

The comparison is what `vidfit fit` does once features are there: candidates and their fusions in
nested cross-validation over recordings, then on all clips, and once more under folds of clips.
Each size runs in a process of its own, on features made like those of EfficientNet-Lite0
(`benchmarks._compared`). Beside it one encoder's probe and scikit-learn's LogisticRegression, and
its bagging as AutoGluon bags (one fit a fold, averaged), on the same folds with the same penalties.

``--agree`` runs the tasks of `benchmarks.selection_regret` instead: each probe beside the
regression on all features in double precision, and, with ``--against``, the whole procedure beside
the figures that another checkout wrote with ``--json``.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from benchmarks._compared import made, task
from benchmarks._harness import arguments, environment, finish, measure, table
from benchmarks._study import CACHE
from benchmarks._tasks import TASKS
from vidfit.contracts import Cost, Floats, Indices
from vidfit.fusion.linear import PENALTIES, cross_fit
from vidfit.hardware import peak_bytes
from vidfit.jobs.fit.run import METHODS
from vidfit.labels import mean_loss
from vidfit.progress import SILENT
from vidfit.selection import FUSION, SINGLE, Terms, hits, nested
from vidfit.study.compare import compare
from vidfit.study.folds import Folds
from vidfit.study.table import Table

SIZES = {"letters": (985, 24, 12), "1,000": (1000, 101, 240), "4,000": (4000, 101, 240),
         "13,000": (13_000, 101, 240)}  # fmt: skip
QUICK = {"120": (120, 3, 12), "360": (360, 3, 16)}
"""Clips, classes and recordings."""

GROWN = (("1,000", "13,000"), ("120", "360"))
"""The smaller and the larger, whole and quick, whose times of a clip are held together."""

BARS_SECONDS = {"letters": 60, "13,000": 900}
GROWTH, MOST_GIB, POINTS = 1.3, 6.0, 0.003
BESIDE, BESIDE_QUICK = (985, 24, 12), (150, 4, 20)
GIB = 2**30

Doubles = NDArray[np.float64]


def main() -> None:
    options = _options()
    if options.child:
        print(json.dumps(_timed(*options.child)))
    elif options.agree:
        _agree(options)
    else:
        _grow(options)


def _options() -> argparse.Namespace:
    parser = arguments(__doc__)
    parser.add_argument("--sizes", nargs="+", choices=SIZES, help="these, and nothing beside")
    parser.add_argument("--agree", action="store_true", help="choices and headlines of real tasks")
    parser.add_argument("--against", type=Path, help="figures of another checkout's --agree --json")
    parser.add_argument("--tasks", nargs="+", choices=sorted(TASKS), help="these only")
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder of tasks and features")
    parser.add_argument("--child", nargs=3, type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


def _grow(options: argparse.Namespace) -> None:
    """Show what the comparison takes by size, and beside what."""
    start = environment()
    sizes = QUICK if options.quick else {name: SIZES[name] for name in options.sizes or SIZES}
    figures: dict[str, Any] = {name: _child(size) for name, size in sizes.items()}
    headers = ("clips", "classes", "recordings", "wall s", "CPU s", "ms a clip", "GiB", "accuracy")
    table(headers, [_cells(sizes[name], f) for name, f in figures.items()])
    headline, met = _headline(figures)
    beside = {} if options.sizes else _beside(*(BESIDE_QUICK if options.quick else BESIDE))
    if beside:
        print("\nOne encoder on the same folds and penalties, in one thread")
        rows = [
            (name, f"{f['cpu']:.2f}", f"{f['top-1']:.1%}", f"{f['log-loss']:.3f}")
            for name, f in beside.items()
        ]
        table(("probe", "CPU s", "accuracy", "log-loss"), rows)
    finish(options, {**figures, "beside": beside}, start, headline, met=met)


def _headline(figures: Mapping[str, Any]) -> tuple[str, bool]:
    """Say time, growth and memory of the sizes that ran, and whether their bars are met."""
    peak = max(f["peak bytes"] for f in figures.values()) / GIB
    said, met = [f"{peak:.1f} GiB (bar {MOST_GIB:g})"], peak <= MOST_GIB
    for first, last in GROWN:
        if first in figures and last in figures:
            growth = _a_clip(figures[last]) / _a_clip(figures[first])
            said.insert(0, f"one clip of {last} takes {growth:.2f} times one of {first} (bar "
                           f"{GROWTH})")  # fmt: skip
            met = met and growth <= GROWTH
    for name, bar in reversed(BARS_SECONDS.items()):
        if found := figures.get(name):
            said.insert(0, f"{found['wall']:.0f} s for {name} (bar {bar} s; {found['cpu']:.0f} s "
                           "of the processor)")  # fmt: skip
            met = met and found["wall"] <= bar
    return "; ".join(said), met


def _a_clip(figures: Mapping[str, Any]) -> float:
    return float(figures["cpu"]) / float(figures["clips"])


def _cells(size: Sequence[int], f: Mapping[str, Any]) -> tuple[str, ...]:
    a_clip = 1000 * _a_clip(f)
    taken = (f"{f['wall']:.1f}", f"{f['cpu']:.1f}", f"{a_clip:.1f}")
    return (*map(str, size), *taken, f"{f['peak bytes'] / GIB:.1f}", f"{f['accuracy']:.1%}")


def _child(size: Sequence[int]) -> dict[str, Any]:
    """Run one size in a process of its own: its peak is that of this size."""
    command = [sys.executable, "-m", "benchmarks.compare", "--child", *map(str, size)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _timed(clips: int, classes: int, recordings: int) -> dict[str, Any]:
    """Return what the comparison of three encoders takes."""
    train = made(clips, classes, recordings)
    found: list[dict[str, Any]] = []
    costs = {name: Cost(0.01, 0.02) for name in train.vectors}
    cost = measure(lambda: found.append(_procedure(train, Terms(costs, METHODS))))
    return {
        "clips": clips,
        "wall": cost.wall_seconds,
        "cpu": cost.cpu_seconds,
        "peak bytes": peak_bytes(),
        **found[0],
    }


def _procedure(train: Table, terms: Terms) -> dict[str, Any]:
    """Compare as `vidfit fit` does; return what was chosen and claimed."""
    folds = Folds(train.classes)
    with threadpool_limits(1, user_api="blas"):
        compared = compare(train, folds, terms, SILENT)
        chosen = compared.chosen
        only = Terms(terms.costs, (chosen.method,) if chosen.method else (), terms.rule)
        leaky = nested(train.only(chosen.members).rows, folds.at_random, only)
    honest = compared.honest
    leaky_MK = leaky.answers_MK[FUSION if chosen.method else SINGLE]
    return {
        "accuracy": float(hits(honest.chosen_MK, train.labels_M).mean()),
        "by name": {
            name: float(hits(answer_MK, train.labels_M).mean())
            for name, answer_MK in honest.answers_MK.items()
        },
        "best single": honest.best_single,
        "chosen": chosen.name,
        "gain": honest.gain.points.value if honest.gain else 0.0,
        "by clip": float(hits(leaky_MK, train.labels_M).mean()),
    }


def _beside(clips: int, classes: int, recordings: int) -> dict[str, dict[str, float]]:
    """Return what one encoder's probe takes and is worth, ours and scikit-learn's."""
    train = made(clips, classes, recordings)
    x_MD, labels_M = next(iter(train.vectors.values())), train.labels_M
    folds_M = Folds(train.classes).to_choose(labels_M, train.groups, 0)
    ways = {"vidfit": _ours, "LogisticRegression": _regressed, "the same, bagged": _bagged}
    return {name: _judged(fit, x_MD, labels_M, folds_M) for name, fit in ways.items()}


def _judged(fit: Any, x_MD: Floats, labels_M: Indices, folds_M: Indices) -> dict[str, float]:
    found: list[Floats] = []
    with threadpool_limits(1):
        cost = measure(lambda: found.append(fit(x_MD, labels_M, folds_M)))
    top_1 = float(hits(found[0], labels_M).mean())
    return {"cpu": cost.cpu_seconds, "top-1": top_1, "log-loss": mean_loss(found[0], labels_M)}


def _ours(x_MD: Floats, labels_M: Indices, folds_M: Indices) -> Floats:
    return cross_fit([x_MD], labels_M, folds_M)[1]


def _regressed(
    x_MD: Floats, labels_M: Indices, folds_M: Indices, *, rotate: bool = False
) -> Floats:
    """Return out-of-fold answers of scikit-learn's regression with the best of the penalties.

    On standard scores divided by the root of their count. A rotation to the axes of the clips'
    span changes no answer, and of few clips it leaves few unknowns.
    """
    x_MD = _standard(x_MD)
    if rotate:
        x_MD = x_MD @ np.linalg.svd(x_MD, full_matrices=False)[2].T
    outs = [_out_of_fold(x_MD, labels_M, folds_M, penalty) for penalty in PENALTIES]
    return min(outs, key=lambda out_MK: mean_loss(out_MK, labels_M))


def _bagged(x_MD: Floats, labels_M: Indices, folds_M: Indices) -> Floats:
    """Answer each fold by a bag that is fitted inside the others: one fit a fold, averaged."""
    x_MD = _standard(x_MD)
    out_MK = np.zeros((len(labels_M), int(labels_M.max()) + 1), np.float32)
    for fold in np.unique(folds_M):
        learn_M, test_M = folds_M != fold, folds_M == fold
        bags = []
        for other in np.unique(folds_M[learn_M]):
            rows_M = learn_M & (folds_M != other)
            bags.append(_sklearn(x_MD[rows_M], labels_M[rows_M], x_MD[test_M], PENALTIES[-1]))
        out_MK[test_M, : bags[0].shape[1]] = np.log(np.mean(np.exp(bags), axis=0))
    return out_MK


def _out_of_fold(x_MD: Doubles, labels_M: Indices, folds_M: Indices, penalty: float) -> Floats:
    out_MK = np.full((len(labels_M), int(labels_M.max()) + 1), -20.0, np.float32)
    for fold in np.unique(folds_M):
        learn_M, test_M = folds_M != fold, folds_M == fold
        answer_MK = _sklearn(x_MD[learn_M], labels_M[learn_M], x_MD[test_M], penalty)
        out_MK[test_M, : answer_MK.shape[1]] = answer_MK
    return out_MK


def _standard(x_MD: Floats) -> Doubles:
    deviation_D = x_MD.std(axis=0, dtype=np.float64)
    alive_D = deviation_D > 1e-6 * np.abs(x_MD).max()
    scale_D = np.where(alive_D, deviation_D, np.inf) * np.sqrt(alive_D.sum())
    result: Doubles = (x_MD - x_MD.mean(axis=0, dtype=np.float64)) / scale_D
    return result


def _sklearn(x_MD: Doubles, labels_M: Indices, asked_MD: Doubles, penalty: float) -> Floats:
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=penalty, max_iter=5000).fit(x_MD, labels_M)
    answer_MK = np.full((len(asked_MD), int(labels_M.max()) + 1), -20.0, np.float32)
    answer_MK[:, fitted.classes_] = fitted.predict_log_proba(asked_MD)
    return answer_MK


def _agree(options: argparse.Namespace) -> None:
    """Show that shortcuts change neither the probes' answers nor the choice."""
    start = environment()
    names = options.tasks or (["demo"] if options.quick else list(TASKS))
    figures: dict[str, Any] = {}
    for name in names:
        train, costs = task(name, options.cache)
        figures[name] = {
            **_procedure(train, Terms(costs, METHODS)),
            "probes": _probes(train),
        }
    _show_probes(figures)
    if options.against:
        apart = _show_against(figures, json.loads(options.against.read_text())["figures"])
    else:
        apart = _mean_gap(figures)
    what = "headlines here and there" if options.against else "our probes and the regression"
    headline = (
        f"{what} differ by {apart * 100:+.2f} points in the mean of {len(figures)} tasks (bar "
        f"{POINTS * 100:g})"
    )
    finish(options, figures, start, headline, met=abs(apart) <= POINTS)


def _probes(train: Table) -> dict[str, Any]:
    """Return by encoder what our probe and the regression without shortcuts are worth."""
    folds_M = Folds(train.classes).to_choose(train.labels_M, train.groups, 0)
    reference = partial(_regressed, rotate=True)
    return {
        name: {
            way: _judged(fit, x_MD, train.labels_M, folds_M)
            for way, fit in {"ours": _ours, "reference": reference}.items()
        }
        for name, x_MD in train.vectors.items()
    }


def _show_probes(figures: Mapping[str, Any]) -> None:
    rows = [
        (f"{name} {encoder}", *(_pair(probe[way]) for way in ("ours", "reference")))
        for name, f in figures.items()
        for encoder, probe in f["probes"].items()
    ]
    print("Accuracy and log-loss of probes, out-of-fold")
    table(("task and encoder", "ours", "regression on all features"), rows)


def _pair(probe: Mapping[str, float]) -> str:
    return f"{probe['top-1']:.1%} {probe['log-loss']:.3f}"


def _mean_gap(figures: Mapping[str, Any]) -> float:
    probes = [probe for f in figures.values() for probe in f["probes"].values()]
    return float(np.mean([p["ours"]["top-1"] - p["reference"]["top-1"] for p in probes]))


def _show_against(figures: Mapping[str, Any], others: Mapping[str, Any]) -> float:
    """Show choices and headlines beside another checkout's; return the mean difference."""
    rows, gaps = [], []
    for name in figures:
        here, there = figures[name], others[name]
        gaps.append(here["accuracy"] - there["accuracy"])
        rows.append((name, *_verdict(here), *_verdict(there), f"{gaps[-1] * 100:+.1f}"))
    print("\nThe whole procedure here and there")
    of_one = ("best single", "chosen", "accuracy")
    table(("task", *of_one, *(f"{header}, there" for header in of_one), "points"), rows)
    return float(np.mean(gaps))


def _verdict(f: Mapping[str, Any]) -> tuple[str, str, str]:
    return f["best single"], f["chosen"], f"{f['accuracy']:.1%}"


if __name__ == "__main__":
    main()

"""Which clips to label next: what a label teaches when `vidfit label` chose its clip.

Labelling is simulated on clips whose labels are known: from no label, in batches, by each of the
ways to choose below. After each batch a linear probe is fitted on the labels so far and judged on
recordings that were put aside before. Each seed puts other recordings aside.

- ``random``: any clips;
- ``typical``: TypiClust throughout;
- ``margin``: the margin throughout, at random until two classes are known;
- ``margin, not spread``: the same, with no regard to recordings;
- ``vidfit label``: typical clips first, then the margin (`vidfit.selection.active`).

Shape letters: M clips, K classes, S seeds, B batches.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import isotonic_regression
from threadpoolctl import threadpool_limits

from benchmarks._harness import arguments, environment, finish, table
from benchmarks._study import CACHE, load_networks
from benchmarks._tasks import TASKS, build
from vidfit.contracts import Floats, Indices
from vidfit.features import FeatureStore, temporal_statistics
from vidfit.features.extract import extract
from vidfit.labels.one import NO_LABEL
from vidfit.launch import Here
from vidfit.manifest import read_manifest
from vidfit.metrics import mean_interval
from vidfit.metrics.resampled import draws
from vidfit.selection.active import (
    Pool,
    least_margin,
    most_typical,
    probe_answers,
    suited,
)

OURS, RANDOM = "vidfit label", "random"
DEFAULT_TASKS = ("fights", "demo", "rotation", "blur")
NETWORKS = ("motion", "efficientnet-lite0@8")
"""What `vidfit label` looks with, too."""

BATCH, LABELS = 8, 96
PUT_ASIDE = 0.3
FULL_SHARE = 0.95
EARLY = 64


@dataclass(frozen=True)
class Round:
    """What a way to choose may look at: the training clips, and how many are wanted.

    ``answers_MK`` are the probabilities of a probe on the labels so far; ``None`` until two
    classes are known.
    """

    pool: Pool
    answers_MK: Floats | None
    seed: int
    count: int = BATCH


def by_chance(now: Round) -> Sequence[int]:
    """Take any clips."""
    rng = np.random.default_rng((now.seed, int(now.pool.labelled_M.sum())))
    open_rows = np.flatnonzero(~now.pool.labelled_M)
    return [int(row) for row in rng.permutation(open_rows)[: now.count]]


def by_type(now: Round) -> Sequence[int]:
    """Take typical clips of clusters without labels."""
    return [one.row for one in most_typical(now.pool, now.count, seed=now.seed)]


def by_margin(now: Round) -> Sequence[int]:
    """Take those that the probe can hardly tell, one of each recording in turn."""
    if now.answers_MK is None:
        return by_chance(now)
    return [one.row for one in least_margin(now.pool, now.answers_MK, now.count)]


def by_margin_alone(now: Round) -> Sequence[int]:
    """Take those that the probe can hardly tell, even if all are of one recording."""
    alone = [str(row) for row in range(len(now.pool.labels_M))]
    return by_margin(replace(now, pool=replace(now.pool, groups=alone)))


def by_both(now: Round) -> Sequence[int]:
    """Take what `vidfit.selection.active.next_clips` takes, without fitting the probe again."""
    return by_type(now) if suited(now.pool.labels_M) == "typical" else by_margin(now)


WAYS: dict[str, Callable[[Round], Sequence[int]]] = {
    RANDOM: by_chance,
    "typical": by_type,
    "margin": by_margin,
    "margin, not spread": by_margin_alone,
    OURS: by_both,
}


@dataclass(frozen=True)
class Task:
    """All clips of a task with their true labels, as a pool in which all are known."""

    name: str
    known: Pool


def main() -> None:
    options = _options()
    start = environment()
    figures = {}
    with ProcessPoolExecutor(options.processes) as workers:
        for name in options.tasks:
            task = load(name, options.cache)
            runs = list(workers.map(partial(_run, task), range(options.seeds)))
            figures[name] = _figures(task, runs)
            _show(name, figures[name])
    if options.plot:
        _plot(figures, options.plot)
    gains = {name: f["ways"][OURS]["early gain"] for name, f in figures.items()}
    told = ", ".join(f"{n} {_points(*g)}" for n, g in gains.items())
    headline = (
        f"against as many labels at random, points over the first {EARLY}: {told} "
        "(bar: on no task proven behind)"
    )
    behind = [name for name, (_, _, high) in gains.items() if high < 0]
    finish(options, figures, start, headline, met=not behind)


def load(name: str, cache: Path) -> Task:
    """Extract the features of a task, or read what is kept."""
    clips = read_manifest(build(name, cache / name)).clips
    networks, absent = load_networks(NETWORKS)
    if absent:
        raise SystemExit(f"networks that do not run here: {absent}")
    store = FeatureStore(cache / "features")
    done = extract(clips, networks, store, Here(1))
    if done.failures:
        raise SystemExit(f"{name}: unreadable clips: {done.failures}")
    blocks = []
    for network in networks:
        seen = {d: temporal_statistics(f.tokens_ND) for d, f in store.rows(network.spec)}
        blocks.append(np.stack([seen[done.digests[clip]] for clip in clips]))
    classes = tuple(sorted({str(clip.label) for clip in clips}))
    labels_M = np.array([classes.index(str(clip.label)) for clip in clips], np.int64)
    return Task(name, Pool(blocks, labels_M, [str(clip.group) for clip in clips], classes))


def _run(task: Task, seed: int) -> dict[str, list[float]]:
    """Return accuracies [B] by way to choose, and with all labels."""
    with threadpool_limits(1):
        train_M = ~_put_aside(task.known, seed)
        every_label = np.where(train_M, task.known.labels_M, NO_LABEL)
        answers_MK = _answers(task.known, every_label, seed)
        full = _accuracy(task.known, every_label, answers_MK, ~train_M)
        curves = {name: _curve(task.known, way, train_M, seed) for name, way in WAYS.items()}
        return {**curves, "all labels": [full]}


def _put_aside(known: Pool, seed: int) -> Any:
    """Return which clips are of recordings put aside; both sides have all classes."""
    names = sorted(set(known.groups))
    for attempt in range(1000):
        rng = np.random.default_rng((seed, attempt))
        aside = set(rng.choice(names, max(1, round(PUT_ASIDE * len(names))), replace=False))
        test_M = np.array([group in aside for group in known.groups])
        sides = known.labels_M[test_M], known.labels_M[~test_M]
        if all(len(np.unique(labels)) == len(known.classes) for labels in sides):
            return test_M
    raise SystemExit("no choice of recordings has all classes on both sides")


def _curve(known: Pool, choose: Callable[[Round], Sequence[int]], train_M: Any, seed: int) -> Any:
    """Label batch by batch; return the accuracy after each."""
    rows = np.flatnonzero(train_M)
    blocks = [block[rows] for block in known.blocks]
    groups = [known.groups[int(row)] for row in rows]
    labels_M = np.full(len(known.labels_M), NO_LABEL)
    answers_MK, accuracies = None, []
    for _ in range(min(LABELS, len(rows)) // BATCH):
        pool = Pool(blocks, labels_M[rows], groups, known.classes)
        now = Round(pool, None if answers_MK is None else answers_MK[rows], seed)
        chosen = rows[list(choose(now))]
        labels_M[chosen] = known.labels_M[chosen]
        answers_MK = _answers(known, labels_M, seed)
        accuracies.append(_accuracy(known, labels_M, answers_MK, ~train_M))
    return accuracies


def _answers(known: Pool, labels_M: Indices, seed: int) -> Floats | None:
    """Return the answers of a probe on some labels; ``None`` where they are of one class."""
    if len(np.unique(labels_M[labels_M != NO_LABEL])) < 2:
        return None
    return probe_answers(replace(known, labels_M=labels_M), seed=seed)


def _accuracy(known: Pool, labels_M: Indices, answers_MK: Floats | None, test_M: Any) -> float:
    """Return the accuracy on the recordings put aside; one class known is always answered."""
    answer_M = labels_M.max() if answers_MK is None else answers_MK[test_M].argmax(axis=1)
    return float((answer_M == known.labels_M[test_M]).mean())


def _figures(task: Task, runs: Sequence[dict[str, list[float]]]) -> dict[str, Any]:
    shortest = min(len(run[RANDOM]) for run in runs)
    curves = {name: np.array([run[name][:shortest] for run in runs]) for name in WAYS}
    full_S = np.array([run["all labels"][0] for run in runs])
    return {
        "clips": len(task.known.groups),
        "recordings": len(set(task.known.groups)),
        "classes": len(task.known.classes),
        "all labels": float(full_S.mean()),
        "labels": [BATCH * (b + 1) for b in range(shortest)],
        "curves": {name: curve_SB.tolist() for name, curve_SB in curves.items()},
        "ways": {name: _against_random(curves[name], curves[RANDOM], full_S) for name in WAYS},
    }


def _against_random(curve_SB: Floats, random_SB: Floats, full_S: Floats) -> dict[str, Any]:
    seeds = [str(s) for s in range(len(curve_SB))]
    more_SB = curve_SB - random_SB
    early = mean_interval(more_SB[:, : EARLY // BATCH].mean(axis=1), seeds)
    whole = mean_interval(more_SB.mean(axis=1), seeds)

    def as_random(w_S: Floats) -> float:
        return float(rising(w_S @ random_SB)[EARLY // BATCH - 1])

    return {
        "early gain": [early.value, early.low, early.high],
        "gain": [whole.value, whole.low, whole.high],
        "as random": _needed(curve_SB, as_random),
        "for the share": _needed(curve_SB, lambda w_S: FULL_SHARE * float(w_S @ full_S)),
    }


def _needed(curve_SB: Floats, target: Callable[[Floats], float]) -> list[float]:
    """Return the labels at which the mean curve reaches a target, with its interval over seeds.

    Infinite where it does not within the labels that were given.
    """
    count = len(curve_SB)
    weights = [np.ones(count), *(w_S for block_RS in draws(count, 0, 1000) for w_S in block_RS)]
    found = [reached(w_S / count @ curve_SB, target(w_S / count)) for w_S in weights]
    low, high = np.quantile(found[1:], [0.025, 0.975], method="nearest")
    return [found[0], float(low), float(high)]


def rising(curve_B: Floats) -> Floats:
    """Return the curve that never falls and lies nearest: a dip or a bump is chance."""
    return isotonic_regression(curve_B).x


def reached(curve_B: Floats, target: float) -> float:
    """Return the labels at which a curve reaches a target, between batches in proportion."""
    level_B = rising(curve_B)
    over = np.flatnonzero(level_B >= target - 1e-12)
    if not len(over):
        return float("inf")
    batch = int(over[0])
    if batch == 0:
        return float(BATCH)
    before, after = level_B[batch - 1], level_B[batch]
    return BATCH * (batch + float((target - before) / (after - before)))


def _show(name: str, f: dict[str, Any]) -> None:
    print(
        f"\n{name}: {f['clips']} clips, {f['recordings']} recordings, {f['classes']} classes; "
        f"{len(f['curves'][RANDOM])} seeds; with all labels {f['all labels']:.1%}"
    )
    marks = [n for n in (8, 16, 32, 48, 64, 96) if n in f["labels"]]
    headers = ["chosen by", *(f"{n} labels" for n in marks), f"first {EARLY}, points to random",
               f"labels for random's {EARLY}", f"for {FULL_SHARE:.0%} of all"]  # fmt: skip
    rows = []
    for way, found in f["ways"].items():
        mean_B = np.mean(f["curves"][way], axis=0)
        gain = "" if way == RANDOM else _points(*found["early gain"])
        needed = [_span(found["as random"]), _span(found["for the share"])]
        rows.append([way, *(f"{mean_B[n // BATCH - 1]:.1%}" for n in marks), gain, *needed])
    table(headers, rows)


def _points(value: float, low: float, high: float) -> str:
    return f"{value * 100:+.1f} [{low * 100:+.1f}, {high * 100:+.1f}]"


def _span(found: Sequence[float]) -> str:
    value, low, high = (f"{v:.0f}" if np.isfinite(v) else f">{LABELS}" for v in found)
    return f"{value} [{low}, {high}]"


def _plot(figures: dict[str, Any], path: Path) -> None:
    """Draw labels against accuracy; bands are two standard errors of the mean over seeds."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(
        1, len(figures), figsize=(5 * len(figures), 4), layout="constrained", squeeze=False
    )
    for axis, (name, f) in zip(axes[0], figures.items(), strict=True):
        for way in WAYS:
            curve_SB = np.array(f["curves"][way])
            mean_B = curve_SB.mean(axis=0)
            half_B = 2 * curve_SB.std(axis=0) / np.sqrt(len(curve_SB))
            (line,) = axis.plot(f["labels"], mean_B, label=way, linewidth=1 + 2 * (way == OURS))
            band = mean_B - half_B, mean_B + half_B
            axis.fill_between(f["labels"], *band, color=line.get_color(), alpha=0.12)
        axis.axhline(f["all labels"], color="grey", linestyle=":", label="all labels")
        axis.set(title=name, xlabel="labels", ylabel="accuracy on unseen recordings")
    axes[0][0].legend(frameon=False)
    figure.savefig(path, dpi=110)


def _options() -> argparse.Namespace:
    parser = arguments(__doc__)
    parser.add_argument("--tasks", nargs="*", choices=TASKS, default=list(DEFAULT_TASKS))
    parser.add_argument("--seeds", type=int, default=None, help="20, or 3 with --quick")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--cache", type=Path, default=CACHE)
    parser.add_argument("--plot", type=Path, metavar="PATH", help="draw the curves here")
    options = parser.parse_args()
    options.seeds = options.seeds or (3 if options.quick else 20)
    return options


if __name__ == "__main__":
    main()

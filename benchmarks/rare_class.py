"""How often noise is recommended where one class is rare, by each metric.

Of 600 clips of 30 recordings 5 % are of a rare class. Two candidates: vectors of noise, which cost
a quarter, and vectors that tell the rare class a little. They are probed on recordings that were
not learned from, and one is recommended by the rule of `vidfit select`: the cheapest within one
paired standard error and two points of the best. Once with the probe's answers as learned, once
with those of even classes (`--class-weights balanced`). The default for such clips is balanced
accuracy of answers of even classes; accuracy of answers as learned is what decided before.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from benchmarks._harness import arguments, environment, finish, table
from vidfit.contracts import Clip, Cost, Floats
from vidfit.fusion.even import evened
from vidfit.fusion.linear import cross_fit
from vidfit.metrics import CLASS_MEASURES, score_all
from vidfit.selection import Rule, recommend
from vidfit.study.folds import Folds
from vidfit.study.goal import goal_of
from vidfit.study.options import SelectOptions
from vidfit.tasks import CLASSIFY

CLIPS, RECORDINGS, RARE = 600, 30, 0.05
DIMS, TELLING, RECORDING_SPREAD = 32, 8, 0.7
LIFTS = (0.4, 0.6, 0.9)
"""By how many standard deviations the rare class lies off in each telling dimension."""

METRICS = ("accuracy", "balanced", "macro-f1", "map", "auroc", "log-loss", "brier")
COSTS = (Cost(0.01, 0.02, 0, 1.0), Cost(0.01, 0.05, 0, 4.0))
NOISE, SIGNAL = 0, 1
BAR = 0.1
"""Most often that the default may recommend noise, at any lift."""


def main() -> None:
    options = _options()
    start = environment()
    figures: dict[str, Any] = {str(lift): _figures(lift, options.count) for lift in LIFTS}
    for lift, found in figures.items():
        _show(lift, found)
    before = [found["accuracy, as learned"]["noise"] for found in figures.values()]
    after = [found[_default()]["noise"] for found in figures.values()]
    score = [found[_default()]["balanced of the pick"] for found in figures.values()]
    old = [found["accuracy, as learned"]["balanced of the pick"] for found in figures.values()]
    finish(
        options,
        figures,
        start,
        f"noise is recommended in {_list(after)} of selections by default, {_list(before)} by "
        f"accuracy (lifts {', '.join(f'{x:g}' for x in LIFTS)}; bar {BAR:.0%}); balanced accuracy "
        f"of what is recommended: {_list(score)}, by accuracy {_list(old)}",
        met=max(after) <= BAR,
    )


def _options() -> argparse.Namespace:
    parser = arguments(__doc__)
    parser.add_argument("--count", type=int, help="selections a lift (200; quick 20)")
    options = parser.parse_args()
    options.count = options.count or (20 if options.quick else 200)
    return options


def _default() -> str:
    """Return the metric and the answers that decide on such clips unless others are asked for."""
    labels = ["rare"] * round(RARE * CLIPS) + ["usual"] * round((1 - RARE) * CLIPS)
    goal = goal_of(SelectOptions(), [Clip("v.mp4", label=str(k)) for k in labels], CLASSIFY, [])
    return f"{goal.measure.name}, {'even' if goal.even else 'as learned'}"


def _figures(lift: float, count: int) -> dict[str, dict[str, float]]:
    """Return by metric and answers how often noise is taken, and what both candidates score."""
    rows = [_selection(lift, np.random.default_rng(seed)) for seed in range(count)]
    return {
        way: {key: float(np.mean([row[way][key] for row in rows])) for key in rows[0][way]}
        for way in rows[0]
    }


def _selection(lift: float, rng: np.random.Generator) -> dict[str, dict[str, float]]:
    recording_M = np.repeat(np.arange(RECORDINGS), CLIPS // RECORDINGS)
    labels_M = (rng.random(CLIPS) < RARE).astype(np.int64)
    groups = [f"recording {number}" for number in recording_M]
    folds_M = Folds(("usual", "rare")).to_choose(labels_M, groups, 0)
    learned = [
        cross_fit([_vectors(of, labels_M, recording_M, rng)], labels_M, folds_M)[1]
        for of in (0.0, lift)
    ]
    even = [evened(out_MK, labels_M) for out_MK in learned]
    found = {}
    for name in METRICS:
        for way, answers in (("as learned", learned), ("even", even)):
            scored = score_all(CLASS_MEASURES[name], labels_M, answers, groups)
            pick = recommend(scored, COSTS, Rule())
            balanced = score_all(CLASS_MEASURES["balanced"], labels_M, answers, groups)
            found[f"{name}, {way}"] = {
                "noise": float(pick == NOISE),
                "of noise": float(scored.figures_C[NOISE]),
                "of signal": float(scored.figures_C[SIGNAL]),
                "balanced of the pick": float(balanced.figures_C[pick]),
            }
    return found


def _vectors(
    lift: float, labels_M: np.ndarray, recording_M: np.ndarray, rng: np.random.Generator
) -> Floats:
    """Return vectors of clips that are alike within a recording."""
    x_MD = rng.normal(size=(CLIPS, DIMS))
    x_MD += RECORDING_SPREAD * rng.normal(size=(RECORDINGS, DIMS))[recording_M]
    x_MD[:, :TELLING] += lift * labels_M[:, None]
    vectors_MD: Floats = x_MD.astype(np.float32)
    return vectors_MD


def _show(lift: str, found: dict[str, dict[str, float]]) -> None:
    print(f"\nrare class {lift} standard deviations off in {TELLING} of {DIMS} dimensions")
    table(
        ("metric", "noise taken", "of noise", "of signal", "balanced of the pick"),
        [
            (
                way,
                f"{f['noise']:.0%}",
                f"{f['of noise']:.3f}",
                f"{f['of signal']:.3f}",
                f"{f['balanced of the pick']:.1%}",
            )
            for way, f in found.items()
        ],
    )


def _list(shares: list[float]) -> str:
    return ", ".join(f"{share:.0%}" for share in shares)


if __name__ == "__main__":
    main()

"""Which rule to recommend a candidate by: what it loses, what it saves, how wrong it can go.

Simulated selections of known truth (`benchmarks.selection_simulation`), each candidate with a
cost drawn at random, from 40 recordings down to two. Then two people who show letters, as two
models see them: one at chance and cheap, one that knows half of the letters. Without
``--quick`` also real clips: the scenes of the demo's, its shots joined to two recordings.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._harness import arguments, environment, finish, table
from benchmarks.selection_simulation import CANDIDATES, MEAN, simulated_hits
from vidfit.contracts import Cost
from vidfit.metrics import score_values
from vidfit.progress import SILENT
from vidfit.selection import Rule, bias_corrected, recommend, tied_with_best

RESAMPLES, SPREAD = 500, 0.06
RECORDINGS = (40, 20, 10, 6, 4, 2)
ABSURD = 0.05
"""A pick so far below the best by estimate, in accuracy, is absurd."""

LOSSES = {40: 0.015, 10: 0.025}
"""Recordings -> most mean accuracy that the default rule may lose to the truly best."""

SAVED = 0.9
"""Most of the cost of the best by estimate that the default rule may spend, on average."""

Pick = Callable[[np.ndarray, Sequence[str], Sequence[Cost]], int]


def _tied(hits_CM: np.ndarray, groups: Sequence[str], costs: Sequence[Cost]) -> int:
    tied_C = tied_with_best(score_values(hits_CM, groups), resamples=RESAMPLES)
    return min(np.flatnonzero(tied_C), key=lambda i: costs[int(i)].gmacs)


def _best(hits_CM: np.ndarray, groups: Sequence[str], costs: Sequence[Cost]) -> int:
    return int(hits_CM.mean(axis=1).argmax())


RULES: dict[str, Pick] = {
    "best by estimate": _best,
    "cheapest of the tied": _tied,
    "cheapest in one error": lambda h, g, c: recommend(score_values(h, g), c, Rule(give_up=1.0)),
    "default": lambda h, g, c: recommend(score_values(h, g), c),
}
"""The second was the default before; the last is, with its limit of two points."""


def main() -> None:
    options = _options()
    start = environment()
    print(f"{options.count} selections a row, {CANDIDATES} candidates, sd {SPREAD * 100:g} points")
    figures: dict[str, Any] = {str(n): _figures(n, options.count) for n in RECORDINGS}
    _show(figures)
    figures["two people"] = _two_people()
    if not options.quick:
        figures["demo"] = _demo()
    absurd = max(figures[str(n)]["default"]["absurd"] for n in RECORDINGS)
    cost = max(figures[str(n)]["default"]["cost"] for n in LOSSES)
    lost = {n: figures[str(n)]["default"]["lost"] for n in LOSSES}
    before = {n: figures[str(n)]["cheapest of the tied"]["lost"] for n in LOSSES}
    sensible = [figures[key]["default"] for key in ("two people", "demo") if key in figures]
    finish(
        options,
        figures,
        start,
        "the default loses "
        + ", ".join(f"{100 * lost[n]:.1f} points of {n} recordings" for n in LOSSES)
        + f" at {cost:.2f} of the cost (bars {', '.join(f'{100 * x:g}' for x in LOSSES.values())}"
        f", {SAVED}); the cheapest of the tied loses "
        + ", ".join(f"{100 * before[n]:.1f}" for n in LOSSES)
        + f"; absurd picks {absurd:.1%} (bar 0)",
        met=all(lost[n] <= most for n, most in LOSSES.items())
        and cost <= SAVED
        and absurd == 0
        and all(pick["behind"] <= Rule().give_up for pick in sensible),
    )


def _options() -> argparse.Namespace:
    parser = arguments(__doc__)
    parser.add_argument("--count", type=int, help="selections a row (500; quick 60)")
    options = parser.parse_args()
    options.count = options.count or (60 if options.quick else 500)
    return options


def _figures(recordings: int, count: int) -> dict[str, dict[str, float]]:
    """Return by rule what its picks lost, cost and claimed, means over many selections."""
    rows = [_selection(recordings, np.random.default_rng(seed)) for seed in range(count)]
    return {
        rule: {key: float(np.mean([row[rule][key] for row in rows])) for key in rows[0][rule]}
        for rule in RULES
    }


def _selection(recordings: int, rng: np.random.Generator) -> dict[str, dict[str, float]]:
    truth_C = np.clip(MEAN + SPREAD * rng.normal(size=CANDIDATES), 0.3, 0.97)
    hits_CM, groups = simulated_hits(truth_C, recordings, rng)
    gmacs_C = np.exp(rng.uniform(np.log(1.0), np.log(30.0), CANDIDATES))
    costs = [Cost(0.01, 0.02, 0, float(g), 0) for g in gmacs_C]
    mean_C = hits_CM.mean(axis=1)
    expected = bias_corrected(score_values(hits_CM, groups), costs, resamples=RESAMPLES)
    found = {}
    for rule, choose in RULES.items():
        pick = choose(hits_CM, groups, costs)
        found[rule] = {
            "lost": float(truth_C.max() - truth_C[pick]),
            "cost": float(gmacs_C[pick] / gmacs_C[mean_C.argmax()]),
            "absurd": float(mean_C.max() - mean_C[pick] > ABSURD),
        }
    pick = RULES["default"](hits_CM, groups, costs)
    found["default"]["bias"] = expected.value - float(truth_C[pick])
    found["default"]["covers"] = float(expected.low <= truth_C[pick] <= expected.high)
    return found


def _two_people() -> dict[str, dict[str, Any]]:
    """Return what each rule takes where two people show 24 letters, 490 clips each."""
    rng = np.random.default_rng(0)
    names = ("motion", "efficientnet-lite0", "efficientnet-lite1")
    costs = [
        Cost(0.03, 0.03),
        Cost(0.03, 0.04, 0, 3.07, 3_370_000),
        Cost(0.03, 0.05, 0, 4.8, 4_200_000),
    ]
    accuracy_CG = np.array([[0.055, 0.056], [0.474, 0.549], [0.46, 0.52]])
    groups = [f"person {g}" for g in range(2) for _ in range(490)]
    hits_CM = np.hstack([rng.random((3, 490)) < accuracy_CG[:, [g]] for g in range(2)]).astype(
        float
    )
    return _told("two people, 980 clips of 24 letters", names, hits_CM, groups, costs)


def _demo() -> dict[str, dict[str, Any]]:
    """Return what each rule takes to tell the scenes of the demo's clips, as two recordings."""
    from vidfit.demo import BACKBONES, build_demo
    from vidfit.features import FeatureStore
    from vidfit.fusion.linear import cross_fit
    from vidfit.launch import launcher
    from vidfit.manifest import read_manifest
    from vidfit.selection import hits
    from vidfit.study.candidates import load_candidates
    from vidfit.study.folds import Folds
    from vidfit.study.table import build_table

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        build_demo(folder)
        clips = read_manifest(folder / "joint.csv").clips
        # Every other shot goes to one half. The car has one shot only, and is left out.
        shots = sorted({str(clip.group) for clip in clips})
        two = [
            replace(
                clip,
                label=str(clip.label).split()[0],
                group=f"half {shots.index(str(clip.group)) % 2}",
            )
            for clip in clips
        ]
        two = [clip for clip in two if clip.label != "car"]
        loaded, _ = load_candidates(BACKBONES, two[:3])
        place = launcher("here", workers=2, scratch=folder)
        store = FeatureStore(folder / "features")
        read, _ = build_table(two, [c.backbone for c in loaded], store, place, SILENT)
    folds_M = Folds(read.classes).to_choose(read.labels_M, read.groups, 0)
    hits_CM = np.stack(
        [
            hits(cross_fit([x_MD], read.labels_M, folds_M)[1], read.labels_M)
            for x_MD in read.vectors.values()
        ]
    )
    costs = {c.name: c.cost for c in loaded}
    names = tuple(read.vectors)
    title = f"demo: street or meadow, {len(two)} clips, shots joined to two recordings"
    return _told(title, names, hits_CM, read.groups, [costs[name] for name in names])


def _told(
    title: str,
    names: Sequence[str],
    hits_CM: np.ndarray,
    groups: Sequence[str],
    costs: Sequence[Cost],
) -> dict[str, dict[str, Any]]:
    """Print and return what each rule takes."""
    mean_C = hits_CM.mean(axis=1)
    found = {}
    for rule, choose in RULES.items():
        pick = choose(hits_CM, groups, costs)
        behind = float(mean_C.max() - mean_C[pick])
        found[rule] = {"takes": names[pick], "accuracy": float(mean_C[pick]), "behind": behind}
    print(f"\n{title}")
    table(
        ("rule", "takes", "accuracy", "points behind the best"),
        [
            (rule, f["takes"], f"{f['accuracy']:.1%}", f"{100 * f['behind']:.1f}")
            for rule, f in found.items()
        ],
    )
    return found


def _show(figures: dict[str, dict[str, dict[str, float]]]) -> None:
    rows = [
        (
            f"{recordings} recordings, {rule}",
            f"{100 * f['lost']:.1f}",
            f"{f['cost']:.2f}",
            f"{f['absurd']:.1%}",
            f"{100 * f['bias']:+.1f}" if "bias" in f else "",
            f"{f['covers']:.1%}" if "covers" in f else "",
        )
        for recordings, rules in figures.items()
        for rule, f in rules.items()
    ]
    table(("setting", "lost, points", "cost", "absurd", "expected: bias", "covers"), rows)


if __name__ == "__main__":
    main()

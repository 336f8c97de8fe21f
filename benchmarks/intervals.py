"""Coverage of the 95 % intervals of accuracies and their differences, few recordings included.

Hits of recordings whose accuracies are drawn anew: as the intervals suppose (beta), and as they
do not (logit-normal; nine in ten recordings at 98 % and the rest at 40 %; recordings all right
or all wrong). Beside them what resampling recordings gives. Then the whole: nested
cross-validation of labels that are drawn by chance, whose accuracy is a half.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
from scipy.optimize import brentq

from benchmarks._harness import arguments, environment, finish, table
from vidfit.contracts import Cost, Estimate
from vidfit.manifest import grouped_folds
from vidfit.metrics import mean_interval, paired_interval, share_interval
from vidfit.metrics.resampled import draws, expanded_tail
from vidfit.selection import Rows, Terms, hits, nested

CLIPS_A_RECORDING, RESAMPLES = 10, 1000
RECORDINGS, JUDGED_FROM = (3, 4, 6, 10, 20, 44), 4
COVERED = 0.93
SPREADS = {0.1: 1.0, 0.4: 2.5}
"""Intra-class correlation -> standard deviation of the logit of a recording's accuracy."""

CHANCE_RECORDINGS, CHANCE_CLIPS, CHANCE_DIM = (4, 6, 10), 48, 8


@dataclass(frozen=True)
class Truth:
    """How recordings differ: the kind of distribution, its mean and correlation."""

    kind: str
    mean: float
    correlation: float = 0.0

    @property
    def name(self) -> str:
        """What it is called in the table."""
        icc = f", ICC {self.correlation:g}" if self.correlation else ""
        return f"{self.kind} {self.mean:.2f}{icc}"

    def accuracies(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Return the accuracies [G] of recordings."""
        if self.kind == "beta":
            total = (1.0 - self.correlation) / self.correlation
            return rng.beta(self.mean * total, (1.0 - self.mean) * total, count)
        if self.kind == "logit-normal":
            spread = SPREADS[self.correlation]
            logit_G = _centre(self.mean, spread) + spread * rng.normal(size=count)
            return 1.0 / (1.0 + np.exp(-logit_G))
        if self.kind == "nine in ten":
            return np.where(rng.random(count) < 0.9, 0.98, 0.4)
        return (rng.random(count) < self.mean).astype(float)


TRUTHS = (
    *(Truth(kind, mean, icc) for kind in ("beta", "logit-normal") for mean in (0.75, 0.92)
      for icc in SPREADS),
    Truth("nine in ten", 0.9 * 0.98 + 0.1 * 0.4),
    Truth("all or nothing", 0.75),
    Truth("all or nothing", 0.92),
)  # fmt: skip
CHANGES = ((0.02, 0.01, 0.1), (0.1, 0.05, 0.1), (0.1, 0.05, 0.4))
"""Shares of clips that a second model wins and loses, and their correlation in a recording."""


def main() -> None:
    options = _options()
    start = environment()
    print(f"{options.count} data sets a row, {CLIPS_A_RECORDING} clips a recording on average")
    with ProcessPoolExecutor(2) as pool:
        settings = [(t, uneven) for t in TRUTHS for uneven in (False, True)]
        found = pool.map(partial(_shares, count=options.count), *zip(*settings, strict=True))
        shares = {name: row for rows in found for name, row in rows}
        _show("accuracy", shares)
        pairs = dict(_pairs(max(20, options.count // 5)))
        _show("difference", pairs)
        chance = {
            str(count): _chance(list(pool.map(partial(_chance_score, count), range(options.runs))))
            for count in CHANCE_RECORDINGS
        }
    _show_chance(chance)
    # A small run cannot tell 93 % from 95: it is held to what chance leaves of the bar.
    bar, chance_bar = _bar(options.count), _bar(options.runs)
    worst = min(f["covers"] for f in shares.values() if f["recordings"] >= JUDGED_FROM)
    worst_pair = min(f["covers"] for f in pairs.values() if f["recordings"] >= JUDGED_FROM)
    worst_chance = min(f["covers"] for f in chance.values())
    finish(
        options,
        {"accuracy": shares, "difference": pairs, "labels by chance": chance},
        start,
        f"from {JUDGED_FROM} recordings up accuracies are covered in {worst:.1%} or more, "
        f"differences in {worst_pair:.1%} (bar {bar:.1%}); nested scores of labels by chance in "
        f"{worst_chance:.1%} (bar {chance_bar:.1%})",
        met=min(worst, worst_pair) >= bar and worst_chance >= chance_bar,
    )


def _options() -> argparse.Namespace:
    parser = arguments(__doc__)
    parser.add_argument("--count", type=int, help="data sets a row (2000; quick 40)")
    parser.add_argument("--runs", type=int, help="runs with labels by chance (200; quick 6)")
    options = parser.parse_args()
    options.count = options.count or (40 if options.quick else 2000)
    options.runs = options.runs or (6 if options.quick else 200)
    return options


def _bar(count: int) -> float:
    """Return the bar, less two and a half standard errors where there are few runs."""
    return COVERED if count >= 200 else COVERED - 2.5 * math.sqrt(COVERED * (1 - COVERED) / count)


@cache
def _centre(mean: float, spread: float) -> float:
    """Return the logit around which accuracies have this mean."""
    node_N, weight_N = np.polynomial.hermite_e.hermegauss(80)
    weight_N = weight_N / weight_N.sum()

    def over(centre: float) -> float:
        return float((weight_N / (1.0 + np.exp(-centre - spread * node_N))).sum() - mean)

    return float(brentq(over, -9.0, 20.0))


def _shares(truth: Truth, uneven: bool, count: int) -> list[tuple[str, dict[str, Any]]]:
    """Return coverage and widths of one kind of recordings, by how many there are."""
    rows = []
    for recordings in RECORDINGS:
        rng = np.random.default_rng(1)
        found = [_share(truth, recordings, uneven, rng) for _ in range(count)]
        name = f"{truth.name}{', uneven' if uneven else ''}"
        rows.append((f"{name}, {recordings}", _coverage(name, recordings, found, truth.mean)))
    return rows


def _share(
    truth: Truth, recordings: int, uneven: bool, rng: np.random.Generator
) -> tuple[Estimate, Estimate]:
    """Return our interval of a data set and that of resampled recordings."""
    sizes = np.full(recordings, CLIPS_A_RECORDING)
    if uneven:
        sizes = np.maximum(1, np.round(7 * rng.lognormal(0.0, 0.9, recordings))).astype(int)
    right = rng.binomial(sizes, truth.accuracies(recordings, rng))
    return _intervals(tuple(sorted(zip(sizes.tolist(), right.tolist(), strict=True))))


@cache
def _intervals(counts: tuple[tuple[int, int], ...]) -> tuple[Estimate, Estimate]:
    """Return both intervals of recordings of so many clips with so many hits."""
    hits_M = np.concatenate([np.arange(size) < right for size, right in counts])
    groups = [str(g) for g, (size, _) in enumerate(counts) for _ in range(size)]
    size_G, right_G = np.array(counts, float).T
    w_RG = _weights(len(counts))
    tail = expanded_tail(0.025, len(counts))
    low, high = np.quantile((w_RG @ right_G) / (w_RG @ size_G), [tail, 1.0 - tail])
    return share_interval(hits_M, groups), Estimate(float(hits_M.mean()), float(low), float(high))


@cache
def _weights(recordings: int) -> np.ndarray:
    """Return how often each recording is drawn, [R, G]."""
    (w_RG,) = draws(recordings, 0, RESAMPLES)
    return w_RG


def _pairs(count: int) -> Iterator[tuple[str, dict[str, Any]]]:
    for won, lost, icc in CHANGES:
        for recordings in RECORDINGS:
            rng = np.random.default_rng(2)
            found = [_pair(won, lost, icc, recordings, rng) for _ in range(count)]
            name = f"wins {won:g}, loses {lost:g}, ICC {icc:g}"
            yield f"{name}, {recordings}", _coverage(name, recordings, found, won - lost)


def _pair(
    won: float, lost: float, icc: float, recordings: int, rng: np.random.Generator
) -> tuple[Estimate, Estimate]:
    total, clips = (1.0 - icc) / icc, 7
    parts_G3 = rng.dirichlet(np.array([won, lost, 1.0 - won - lost]) * total, recordings)
    drawn_GM = rng.random((recordings, clips))
    won_GM = drawn_GM < parts_G3[:, [0]]
    lost_GM = ~won_GM & (drawn_GM < parts_G3[:, [0]] + parts_G3[:, [1]])
    difference_M = (won_GM.astype(float) - lost_GM).ravel()
    groups = [str(g) for g in range(recordings) for _ in range(clips)]
    return paired_interval(difference_M, groups), mean_interval(difference_M, groups)


def _coverage(
    name: str, recordings: int, found: list[tuple[Estimate, Estimate]], truth: float
) -> dict[str, Any]:
    ours, drawn = zip(*found, strict=True)
    return {
        "setting": name,
        "recordings": recordings,
        "covers": _covers(ours, truth),
        "width": float(np.mean([e.high - e.low for e in ours])),
        "resampled covers": _covers(drawn, truth),
        "resampled width": float(np.mean([e.high - e.low for e in drawn])),
    }


def _covers(found: tuple[Estimate, ...], truth: float) -> float:
    return float(np.mean([e.low - 1e-9 <= truth <= e.high + 1e-9 for e in found]))


def _chance(estimates: list[Estimate]) -> dict[str, Any]:
    """Return how often the interval of a nested score holds a half, where labels are by chance."""
    return {
        "covers": _covers(tuple(estimates), 0.5),
        "mean": float(np.mean([e.value for e in estimates])),
        "width": float(np.mean([e.high - e.low for e in estimates])),
    }


def _chance_score(recordings: int, seed: int) -> Estimate:
    rng = np.random.default_rng(seed)
    recording_M = np.arange(CHANCE_CLIPS) % recordings
    labels_M = rng.permutation(np.arange(CHANCE_CLIPS) // 2 % 2)
    groups = [f"r{g}" for g in recording_M]
    shape = (CHANCE_CLIPS, CHANCE_DIM)
    own_GD = rng.normal(size=(3, recordings, CHANCE_DIM))
    vectors = {
        f"model {i}": (own_GD[i][recording_M] + rng.normal(size=shape)).astype(np.float32)
        for i in range(3)
    }
    terms = Terms(dict.fromkeys(vectors, Cost(0.01, 0.01)), ())
    found = nested(Rows(vectors, labels_M, groups), _deal, terms)
    return share_interval(hits(found.chosen_MK, labels_M), groups)


def _deal(labels_M: np.ndarray, groups: Any, seed: int) -> np.ndarray:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # fewer folds than asked for
        return grouped_folds([str(k) for k in labels_M], groups, folds=5, seed=seed)


def _show(title: str, figures: dict[str, dict[str, Any]]) -> None:
    """Print coverage and width in points by setting and number of recordings."""
    rows: dict[str, list[str]] = {}
    for way in ("", "resampled "):
        for f in figures.values():
            cell = f"{f[f'{way}covers']:.1%} {100 * f[f'{way}width']:.0f}"
            rows.setdefault(f["setting"], []).append(cell)
    counts = [str(count) for count in RECORDINGS]
    counts += [f"resampled: {counts[0]}", *counts[1:]]
    table((f"{title}; recordings:", *counts), [(name, *cells) for name, cells in rows.items()])
    print()


def _show_chance(figures: dict[str, dict[str, Any]]) -> None:
    rows: list[tuple[str, ...]] = [
        (count, f"{f['covers']:.1%}", f"{f['mean']:.1%}", f"{100 * f['width']:.0f}")
        for count, f in figures.items()
    ]
    table(("labels by chance: recordings", "covers", "mean score", "width"), rows)
    print()


if __name__ == "__main__":
    main()

"""Fusion where there is nothing to gain: how often it is refused, and whether scores are chance.

Four settings, each with fresh random numbers in every run:

- ``redundant``: three members see the same features, but for a hundredth of noise;
- ``useless``: a good member beside two of noise;
- ``shuffled``: real features of clips (their principal components), labels dealt at random;
- ``leaked``: as shuffled, and a quarter of the clips stands in a second recording, too.

Every method of `vidfit.fusion` is tried, and the best of each fold is
held against the best single model, as `vidfit fuse` does. In ``leaked`` the recordings that hold
copies are found by fingerprint and joined, as `vidfit fuse` does; beside it stands what is
claimed when they are not.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks._harness import arguments, environment, finish, table
from benchmarks._study import CACHE, study
from vidfit.contracts import Cost, Floats, Indices
from vidfit.evaluate import merge_groups, near_duplicates
from vidfit.features.fingerprint import to_tokens
from vidfit.fusion import METHODS
from vidfit.metrics import mean_interval
from vidfit.selection import Rows, Terms, hits, nested
from vidfit.study.copies import COPY_BITS
from vidfit.study.folds import Folds

CLIPS, RECORDINGS, CLASSES = 120, 24, 4
NETWORKS = ("motion", "efficientnet-lite0@8", "transnetv2")
COMPONENTS = 16
REFUSED = 0.95
COPIED = 4
FRAMES = 4


def redundant(rng: np.random.Generator, features: Sequence[Floats]) -> Rows:
    """Give three members the same features."""
    labels_M, groups = _labels()
    base_MD = _signal(labels_M, groups, rng)
    noisy = {name: base_MD + 0.01 * _noise(base_MD.shape, rng) for name in "abc"}
    return Rows(noisy, labels_M, groups)


def useless(rng: np.random.Generator, features: Sequence[Floats]) -> Rows:
    """Put two members of noise beside a good one."""
    labels_M, groups = _labels()
    base_MD = _signal(labels_M, groups, rng)
    noise = {name: _noise(base_MD.shape, rng) for name in ("noise", "more noise")}
    return Rows({"good": base_MD, **noise}, labels_M, groups)


def shuffled(rng: np.random.Generator, features: Sequence[Floats]) -> Rows:
    """Deal labels at random to real features."""
    labels_M, groups = _labels()
    chosen_M = rng.choice(len(features[0]), CLIPS, replace=False)
    vectors = {name: x[chosen_M] for name, x in zip(NETWORKS, features, strict=True)}
    return Rows(vectors, rng.permutation(labels_M), groups)


def leaked(rng: np.random.Generator, features: Sequence[Floats]) -> Rows:
    """Copy clips with random labels into other recordings."""
    rows = shuffled(rng, features)
    copied_C = rng.choice(CLIPS, CLIPS // COPIED, replace=False)
    twice = np.concatenate([np.arange(CLIPS), copied_C])
    half = RECORDINGS // 2  # copies go to and fro between two recordings: joined, 12 are left
    elsewhere = [f"r{(int(rows.groups[i][1:]) + half) % RECORDINGS}" for i in copied_C]
    vectors = {name: x_MD[twice] for name, x_MD in rows.vectors.items()}
    return Rows(vectors, rows.labels_M[twice], [*rows.groups, *elsewhere])


def joined(rows: Rows, rng: np.random.Generator) -> Rows:
    """Join the recordings that hold copies: here equal features stand for equal pictures."""
    (first_MD, *_) = rows.vectors.values()
    _, picture_M = np.unique(first_MD, axis=0, return_inverse=True)
    prints = rng.integers(0, 2**64, (picture_M.max() + 1, FRAMES, 1), np.uint64)
    contrast = np.full(FRAMES, 50.0, np.float32)
    hashes = [to_tokens(prints[p], contrast) for p in picture_M]
    keys = [str(i) for i in range(len(hashes))]
    pairs = near_duplicates(keys, list(rows.groups), hashes, threshold_bits=COPY_BITS)
    return Rows(rows.vectors, rows.labels_M, merge_groups(keys, list(rows.groups), pairs))


SETTINGS: dict[str, Callable[[np.random.Generator, Sequence[Floats]], Rows]] = {
    "redundant": redundant,
    "useless": useless,
    "shuffled": shuffled,
    "leaked": leaked,
}


def main() -> None:
    options = _options()
    start = environment()
    print(
        f"{options.runs} runs a setting, {CLIPS} clips, {RECORDINGS} recordings, "
        f"{len(METHODS)} methods: {', '.join(METHODS)}"
    )
    features = _features(options.cache)
    figures = {}
    with ProcessPoolExecutor(options.processes) as pool:
        for name in options.settings or SETTINGS:
            runs = list(pool.map(partial(_run, name, features=features), range(options.runs)))
            figures[name] = _figures(name, runs)
            _show(name, figures[name])
    least = min(f["refused"] for f in figures.values())
    headline = (
        f"no gain claimed in at least {least:.1%} of the runs of each setting (bar {REFUSED:.0%})"
    )
    finish(options, figures, start, headline, met=least >= REFUSED)


def _run(setting: str, seed: int, *, features: Sequence[Floats]) -> dict[str, Any]:
    rng = np.random.default_rng((list(SETTINGS).index(setting), seed))
    with threadpool_limits(1):
        rows = SETTINGS[setting](rng, features)
        if setting != "leaked":
            return _verdict(rows)
        honest = _verdict(joined(rows, rng))
        naive = _verdict(rows)
    return {**honest, "not joined": naive["procedure"]}


def _verdict(rows: Rows) -> dict[str, Any]:
    folds = Folds(tuple(str(k) for k in range(CLASSES)))
    terms = Terms({name: Cost(0.01, 0.02) for name in rows.vectors})
    found = nested(rows, folds.by_recording, terms, inner_folds=folds.to_choose)
    accuracy = {n: float(hits(a, rows.labels_M).mean()) for n, a in found.answers_MK.items()}
    gain = found.gain
    if gain is None:
        raise SystemExit("a single candidate has nothing to gain")
    return {
        "proven": gain.proven,
        "interval above zero": gain.points.low > 0,
        "gain": gain.points.value,
        "procedure": float(hits(found.chosen_MK, rows.labels_M).mean()),
        "accuracy": accuracy,
    }


def _figures(name: str, runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    each = {n: np.array([r["accuracy"][n] for r in runs]) for n in runs[0]["accuracy"]}
    seeds = [str(i) for i in range(len(runs))]
    figures = {
        "refused": float(np.mean([not r["proven"] for r in runs])),
        "refused by the interval alone": float(
            np.mean([not r["interval above zero"] for r in runs])
        ),
        "mean gain": float(np.mean([r["gain"] for r in runs])),
        "procedure": _interval([r["procedure"] for r in runs], seeds),
        "accuracy": {n: _interval(of, seeds) for n, of in each.items()},
    }
    if name == "leaked":
        figures["not joined"] = _interval([r["not joined"] for r in runs], seeds)
    return figures


def _interval(values: Any, seeds: Sequence[str]) -> list[float]:
    found = mean_interval(values, seeds)
    return [found.value, found.low, found.high]


def _show(name: str, figures: dict[str, Any]) -> None:
    print(
        f"\n{name}: no gain claimed in {figures['refused']:.1%} of the runs (by the interval alone "
        f"{figures['refused by the interval alone']:.1%}); mean gain of the best fusion of each "
        f"fold {figures['mean gain'] * 100:+.2f} points"
    )
    rows = [("the whole procedure", figures["procedure"])]
    rows += [("if copies are not joined", figures["not joined"])] if "not joined" in figures else []
    rows += sorted(figures["accuracy"].items(), key=lambda item: -item[1][0])
    table(
        ("answers of", "accuracy, mean of runs", "95 %"),
        [(n, f"{v:.2%}", f"[{low:.2%}, {high:.2%}]") for n, (v, low, high) in rows],
    )


def _features(where: Path) -> list[Floats]:
    """Return principal components of each network's vectors of the demo's clips."""
    found = study("demo", where, names=NETWORKS).candidates
    return [_components(found[name].vectors_MD) for name in NETWORKS if name in found]


def _components(x_MD: Floats) -> Floats:
    centred = (x_MD - x_MD.mean(axis=0)) / (x_MD.std(axis=0) + 1e-6)
    left, singular, _ = np.linalg.svd(centred, full_matrices=False)
    result: Floats = (left * singular)[:, :COMPONENTS].astype(np.float32)
    return result


@cache
def _labels() -> tuple[Indices, list[str]]:
    recording_M = np.arange(CLIPS) % RECORDINGS
    return recording_M % CLASSES, [f"r{g}" for g in recording_M]


def _signal(labels_M: Indices, groups: Sequence[str], rng: np.random.Generator) -> Floats:
    """Return features that tell the classes with some errors, alike within a recording."""
    of_class = rng.normal(size=(CLASSES, COMPONENTS))
    of_recording = {group: rng.normal(size=COMPONENTS) for group in sorted(set(groups))}
    shared = np.stack([of_recording[group] for group in groups])
    own = rng.normal(size=shared.shape)
    return (0.8 * of_class[labels_M] + 0.9 * shared + 1.2 * own).astype(np.float32)


def _noise(shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
    return rng.normal(size=shape).astype(np.float32)


def _options() -> argparse.Namespace:
    parser = arguments(__doc__)
    parser.add_argument("--runs", type=int, default=None, help="a setting; 100, or 2 with --quick")
    parser.add_argument("--settings", nargs="*", choices=SETTINGS)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--cache", type=Path, default=CACHE)
    options = parser.parse_args()
    options.runs = options.runs or (2 if options.quick else 100)
    return options


if __name__ == "__main__":
    main()

"""Simulated selections: how often the tied set holds the best and the interval the truth.

Hits of candidates of known accuracy on clips of uneven recordings: a clip is a hit where a
normal variable lies below the candidate's threshold. The variable is shared in parts by all
candidates (hard clips, hard recordings) and by the clips of a recording.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtri

from benchmarks._harness import arguments, environment, finish, table
from vidfit.metrics import score_values, share_interval
from vidfit.selection import bias_corrected, tied_with_best

CLIPS, CANDIDATES, MEAN = 200, 20, 0.75
HELD, COVERED = 0.95, 0.93
RESAMPLES, ENOUGH = 1000, 200
# Shares of variance: hard clips and hard recordings for all; recordings hard for one candidate.
SHARED_CLIP, SHARED_RECORDING, OWN_RECORDING = 0.35, 0.15, 0.10
RACED_AT, RACE_LEVEL = 50, 0.05 / 3


@dataclass(frozen=True)
class Setting:
    """How far candidates differ, how many recordings there are, whether a race was run."""

    name: str
    spread: float
    recordings: int
    race: str = ""
    mean: float = MEAN


SETTINGS = (
    Setting("all equal", 0.0, 40),
    Setting("close: sd 2 points", 0.02, 40),
    Setting("apart: sd 6 points", 0.06, 40),
    Setting("apart, proven losers dropped", 0.06, 40, "proven"),
    Setting("close, half dropped by budget", 0.02, 40, "budget"),
    Setting("close, 20 recordings", 0.02, 20),
    Setting("close, 10 recordings", 0.02, 10),
    Setting("close, 6 recordings", 0.02, 6),
    Setting("close, 4 recordings", 0.02, 4),
    Setting("accurate, 10 recordings", 0.02, 10, mean=0.92),
    Setting("accurate, 4 recordings", 0.02, 4, mean=0.92),
)


def main() -> None:
    options = _options()
    start = environment()
    print(f"{options.count} selections a setting, {CLIPS} clips, {CANDIDATES} candidates")
    figures = {s.name: _figures(s, options.count) for s in SETTINGS}
    _show(figures)
    held = min(f["tied set holds the best"] for f in figures.values())
    covered = min(f["interval covers"] for f in figures.values())
    # The test promises 95 % and no more: what is found varies around it. A small run cannot tell
    # 93 % from 95 either.
    held_bar = HELD - 2.5 * math.sqrt(HELD * (1 - HELD) / options.count)
    few = options.count < ENOUGH
    covered_bar = COVERED - few * 2.5 * math.sqrt(COVERED * (1 - COVERED) / options.count)
    finish(
        options,
        figures,
        start,
        f"tied set holds the best in {held:.1%} or more (bar {held_bar:.1%}); "
        f"intervals cover {covered:.1%} or more (bar {covered_bar:.1%})",
        met=held >= held_bar and covered >= covered_bar,
    )


def _options() -> argparse.Namespace:
    parser = arguments(__doc__)
    parser.add_argument("--count", type=int, help="selections (1000; quick 100)")
    options = parser.parse_args()
    options.count = options.count or (100 if options.quick else 1000)
    return options


def _figures(setting: Setting, count: int) -> dict[str, Any]:
    """Return shares and means over many selections."""
    rows = [_selection(setting, np.random.default_rng(seed)) for seed in range(count)]
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def _selection(setting: Setting, rng: np.random.Generator) -> dict[str, float]:
    truth_C = np.clip(setting.mean + setting.spread * rng.normal(size=CANDIDATES), 0.3, 0.97)
    hits_CM, groups = simulated_hits(truth_C, setting.recordings, rng)
    kept = _kept(setting.race, hits_CM, groups)
    winner = kept[np.argmax(hits_CM[kept].mean(axis=1))]
    naive = share_interval(hits_CM[winner], groups)
    ours = bias_corrected(score_values(hits_CM[kept], groups), resamples=RESAMPLES)
    tied = kept[tied_with_best(score_values(hits_CM[kept], groups), resamples=RESAMPLES)]
    return {
        # Among equals the first is as good a best as any: a set of one would be no feat. Nothing
        # is promised of those that a budget left no seconds for.
        "tied set holds the best": bool(kept[truth_C[kept].argmax()] in tied)
        if setting.race == "budget"
        else bool(truth_C.argmax() in tied),
        "tied set holds the best of all": bool(truth_C.argmax() in tied),
        "tied set": len(tied),
        "naive optimism": naive.value - truth_C[winner],
        "our bias": ours.value - truth_C[winner],
        "naive interval covers": naive.low <= truth_C[winner] <= naive.high,
        "interval covers": ours.low <= truth_C[winner] <= ours.high,
        "half width": (ours.high - ours.low) / 2,
        "lost to the best": truth_C.max() - truth_C[winner],
    }


def simulated_hits(
    truth_C: np.ndarray, recordings: int, rng: np.random.Generator
) -> tuple[np.ndarray, list[str]]:
    """Return hits [C, M] whose expected means are ``truth_C`` exactly, and recordings [M]."""
    share_G = rng.dirichlet(np.full(recordings, 2.0))
    group_M = np.concatenate([np.arange(recordings), _more(recordings, share_G, rng)])
    own = 1.0 - SHARED_CLIP - SHARED_RECORDING - OWN_RECORDING
    latent_CM = (
        np.sqrt(SHARED_CLIP) * rng.normal(size=CLIPS)
        + np.sqrt(SHARED_RECORDING) * rng.normal(size=recordings)[group_M]
        + np.sqrt(OWN_RECORDING) * rng.normal(size=(len(truth_C), recordings))[:, group_M]
        + np.sqrt(own) * rng.normal(size=(len(truth_C), CLIPS))
    )
    return (latent_CM < ndtri(truth_C)[:, None]).astype(float), [f"r{g}" for g in group_M]


def _more(recordings: int, share_G: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the recordings of the clips beyond one for each."""
    return rng.choice(recordings, CLIPS - recordings, p=share_G)


def _kept(race: str, hits_CM: np.ndarray, groups: list[str]) -> np.ndarray:
    """Return who runs on all clips: without a race all; else those left by its first clips."""
    first_CM = hits_CM[:, :RACED_AT]
    if race == "proven":
        hopeful = tied_with_best(
            score_values(first_CM, groups[:RACED_AT]), level=RACE_LEVEL, resamples=RESAMPLES
        )
        return np.flatnonzero(hopeful)
    order = np.argsort(-first_CM.mean(axis=1), kind="stable")
    return order[: CANDIDATES // 2] if race == "budget" else np.arange(CANDIDATES)


def _show(figures: dict[str, dict[str, float]]) -> None:
    headers = ("setting", "tied set holds best", "size", "naive: optimism", "covers",
               "ours: bias", "covers", "+-", "lost")  # fmt: skip
    table(headers, [tuple(_cells(name, f)) for name, f in figures.items()])


def _cells(name: str, f: dict[str, float]) -> Iterator[str]:
    yield name
    yield f"{f['tied set holds the best']:.1%}"
    yield f"{f['tied set']:.1f}"
    yield f"{f['naive optimism'] * 100:+.1f}"
    yield f"{f['naive interval covers']:.1%}"
    yield f"{f['our bias'] * 100:+.1f}"
    yield f"{f['interval covers']:.1%}"
    yield f"{f['half width'] * 100:.1f}"
    yield f"{f['lost to the best'] * 100:.1f}"


if __name__ == "__main__":
    main()

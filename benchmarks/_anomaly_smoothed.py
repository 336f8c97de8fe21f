"""Scores of what is unusual, smoothed over time by a Gaussian: whether it helps.

How long is chosen, beside the way of measuring distance, in each fold by other recordings; p-values
are set by held-out normal windows that are smoothed alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks._harness import table
from benchmarks._ped2 import Figure, estimate_of, shown, signed
from vidfit.contracts import Floats, Indices
from vidfit.metrics import score_all
from vidfit.metrics.unusual import MicroAuc
from vidfit.study.folds import Folds
from vidfit.study.table import Table
from vidfit.tasks.anomaly.detectors import knots_of, rarity
from vidfit.tasks.anomaly.kind import ALARM, KIND
from vidfit.tasks.anomaly.learner import SETTINGS, Rarity, _distances, _Fits, _together, best_of
from vidfit.tasks.localise.stretches import stretches

SECONDS = (0.0, 0.5, 1.0, 2.0)
"""Deviations of the Gaussian that are tried; 0 smooths nothing."""

_REACH = 3.0
Doubles = Any
FrameAuc = Callable[[Floats], Figure]


def smoothing_compared(whole: Table, name: str, frame_auc: FrameAuc) -> dict[str, Any]:
    """Print and return what each deviation, and the choice among them, gives out of fold."""
    tried = {"none": (0.0,), **{f"{s:g} s": (s,) for s in SECONDS[1:]}, "chosen": SECONDS}
    found: dict[str, Floats] = {}
    figures: dict[str, Any] = {}
    rows = []
    for way, seconds in tried.items():
        found[way] = _out_of_fold(whole, name, seconds)
        scored = score_all(MicroAuc(), whole.labels_M, [found[way], found["none"]], whole.groups)
        lead = scored.lead(0, 1)
        of = {"all": estimate_of(scored, 0), "gain": (lead.value, lead.low, lead.high),
              "frames": frame_auc(found[way])}  # fmt: skip
        for measure in ("alarms-an-hour", "events-found"):
            one = score_all(
                whole.task.measures[measure], whole.labels_M, [found[way]], whole.groups
            )
            of[measure] = estimate_of(one, 0)
        figures[way] = of
        rows.append((way, shown(of["all"]), signed(of["gain"]), shown(of["frames"]),
                     f"{of['alarms-an-hour'][0]:.0f}", f"{of['events-found'][0]:.2f}"))  # fmt: skip
    print(f"\n{name}, scores smoothed over time, one deal of recordings")
    heads = ("smoothed", "micro AUC", "gain", "frames of test clips", "alarms/h", "found")
    table(heads, rows)
    return figures


def _out_of_fold(whole: Table, name: str, seconds: Sequence[float]) -> Floats:
    """Return answers by a choice of way and deviation without each fold."""
    deal = Folds(whole.classes, kind=whole.kind)
    x_MD, truth, groups = whole.vectors[name], whole.labels_M, np.array(whole.groups)
    folds_M = deal.by_recording(truth, whole.groups, 0)
    answers_M1 = np.zeros((len(x_MD), 1), np.float32)
    for fold in np.unique(folds_M):
        out_M = folds_M == fold
        inner_M = deal.to_choose(truth[~out_M], list(groups[~out_M]), 1)
        head = _fitted(_Smoothed(x_MD[~out_M], truth[~out_M], inner_M), truth[~out_M], seconds)
        answers_M1[out_M] = head.in_order(x_MD[out_M], truth[out_M])
    return answers_M1


@dataclass(frozen=True)
class _Head:
    """What is learned, and by how much the sum of rarities is smoothed before its own is found."""

    rarity: Rarity
    seconds: float

    def in_order(self, x_MD: Floats, truth: Any) -> Floats:
        """Return answers to windows in the light of their neighbours."""
        return self.answers(_distances(self.rarity.detectors, x_MD), truth)

    def answers(self, distance_WM: Doubles, truth: Any) -> Floats:
        """Return answers at distances in all ways."""
        sum_M = _together(distance_WM, self.rarity.knots_WQ, self.rarity.weight_W)
        smooth_M = _smoothed(sum_M, self.seconds, *KIND.order(truth))
        answers_M = rarity(smooth_M, self.rarity.sum_Q) + math.log(ALARM)
        found: Floats = answers_M[:, None].astype(np.float32)
        return found


class _Smoothed(_Fits):
    """Fits whose p-values are set by held-out windows that are smoothed as answers are."""

    def __init__(self, vectors_MD: Floats, truth: Any, folds_M: Indices) -> None:
        super().__init__(vectors_MD, truth, folds_M)
        self.truth = truth

    def smoothed(self, without: frozenset[int], weight_W: Floats, seconds: float) -> _Head:
        """Return what is learned without some folds."""
        held_WN, kept_M = self._held_out(without), self._kept(without)
        folds = np.unique(self.folds_M[kept_M])
        at = np.concatenate([np.flatnonzero(kept_M & (self.folds_M == fold)) for fold in folds])
        knots_WQ = np.stack([knots_of(held_N) for held_N in held_WN])
        sum_N = _together(held_WN, knots_WQ, weight_W)
        smooth_N = _smoothed(sum_N, seconds, *KIND.order(self.truth[at]))
        detectors = self._detectors(without)
        return _Head(Rarity(detectors, weight_W, knots_WQ, knots_of(smooth_N)), seconds)


def _fitted(fits: _Smoothed, truth: Any, seconds: Sequence[float]) -> _Head:
    """Return the head of the setting that ranks events highest in the folds."""
    settings = [(weight_W, s) for s in seconds for weight_W in SETTINGS]
    tried = [np.zeros((len(truth), 1), np.float32) for _ in settings]
    for fold in np.unique(fits.folds_M):
        out_M, without = fits.folds_M == fold, frozenset([int(fold)])
        distance_WM = _distances(fits._detectors(without), fits.x_MD[out_M])
        for answers_M1, (weight_W, s) in zip(tried, settings, strict=True):
            head = fits.smoothed(without, weight_W, s)
            answers_M1[out_M] = head.answers(distance_WM, truth[out_M])
    weight_W, s = settings[best_of(tried, truth)]
    return fits.smoothed(frozenset(), weight_W, s)


def _smoothed(values_M: Doubles, seconds: float, video_M: Indices, start_M: Doubles) -> Doubles:
    """Return values weighed with their neighbours of the same stretch of a video."""
    found_M = np.array(values_M, np.float64)
    for rows, step in stretches(video_M, start_M) if seconds else ():
        if not step:
            continue
        reach = math.ceil(_REACH * seconds / step)
        kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) * step / seconds) ** 2)
        inside = slice(reach, reach + len(rows))
        sums = np.convolve(values_M[rows], kernel)[inside]
        found_M[rows] = sums / np.convolve(np.ones(len(rows)), kernel)[inside]
    return found_M

"""Learn what is normal from normal recordings, and say how rare what is seen would be there.

Shape letters: M windows, N normal windows, D numbers of a vector, W ways, Q knots.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from vidfit.contracts import Floats, Indices
from vidfit.errors import ModelError, NotEnoughDataError
from vidfit.metrics import score_all
from vidfit.metrics.segments import CLASS
from vidfit.metrics.unusual import NORMAL, MicroAuc
from vidfit.tasks.anomaly.detectors import (
    KNOTS,
    MOST_AXES,
    MOST_WINDOWS,
    WAYS,
    Detectors,
    Doubles,
    knots_of,
    rarity,
)
from vidfit.tasks.anomaly.kind import ALARM, KIND, Unusual

SETTINGS = np.vstack([np.eye(len(WAYS)), np.ones(len(WAYS))]).astype(np.float32)
"""Weights of the ways, [4, W]: each alone, and all together by Fisher's sum of logarithms."""

_DETECTORS = tuple(field.name for field in fields(Detectors))


@dataclass(frozen=True)
class Rarity:
    """Distances from what is normal, and how rare they are among held-out normal windows.

    ``knots_WQ`` are of each way, ``sum_Q`` of the sum of those that count (`SETTINGS`).
    """

    detectors: Detectors
    weight_W: Floats
    knots_WQ: Floats
    sum_Q: Floats

    def log_probabilities(self, blocks: Sequence[Floats]) -> Floats:
        """Return minus the logarithm of the p-value, less that of `ALARM`, [M, 1]."""
        return self.answers(self.detectors.distances(blocks[0]))

    def answers(self, distance_WM: Doubles) -> Floats:
        """Return what is answered at distances in all ways."""
        together_M = _together(distance_WM, self.knots_WQ, self.weight_W)
        answers_M = rarity(together_M, self.sum_Q) + math.log(ALARM)
        return answers_M[:, None].astype(np.float32)

    def novelty(self, blocks: Sequence[Floats]) -> Floats:
        """Return the mean squared standard score [M]."""
        z_MD = (blocks[0] - self.detectors.mean_D) * self.detectors.scale_D
        novelty_M: Floats = (z_MD**2).mean(axis=1)
        return novelty_M

    def state(self) -> dict[str, Floats]:
        """Return the arrays that `LearnNormal.restore` needs."""
        own = {"weight_W": self.weight_W, "knots_WQ": self.knots_WQ, "sum_Q": self.sum_Q}
        return {**vars(self.detectors), **own}


@dataclass(frozen=True)
class LearnNormal:
    """Settings are `SETTINGS`: chosen by the area under the curve where events are labelled.

    Without any, all ways count. Only windows of normal recordings are learned from.
    """

    kind: Unusual = KIND
    head: str = "rarity"

    def tried(self, vectors_MD: Floats, truth: Any, folds_M: Indices) -> list[Floats]:  # noqa: ANN401
        """Return answers by fits without a window's fold, for each setting."""
        return _Fits(vectors_MD, truth, folds_M).tried()

    def fit(
        self,
        vectors_MD: Floats,
        truth: Any,  # noqa: ANN401
        folds_M: Indices,
    ) -> tuple[Rarity, Floats]:
        """Fit with the setting that ranks events highest."""
        fits = _Fits(vectors_MD, truth, folds_M)
        tried = fits.tried()
        best = best_of(tried, truth)
        return fits.head(frozenset(), SETTINGS[best]), tried[best]

    def restore(self, state: Mapping[str, Floats], widths: Sequence[int], classes: int) -> Rarity:
        """Check the arrays and rebuild the head."""
        names = {*_DETECTORS, "weight_W", "knots_WQ", "sum_Q"}
        if state.keys() != names or len(widths) != 1 or classes != 1:
            raise ModelError(
                f"the head of what is normal has the arrays {', '.join(sorted(state))[:200]}; "
                f"valid are {', '.join(sorted(names))}, for one member"
            )
        detectors = Detectors(**{name: state[name] for name in _DETECTORS})
        (count, axes), width = (
            (state[n].size // widths[0] for n in ("normal_ND", "axes_RD")),
            widths[0],
        )
        shapes = {
            "mean_D": (width,), "scale_D": (width,), "normal_ND": (count, width),
            "axes_RD": (axes, width), "weight_R": (axes,), "rest_1": (1,),
            "weight_W": (len(WAYS),), "knots_WQ": (len(WAYS), KNOTS), "sum_Q": (KNOTS,),
        }  # fmt: skip
        right = all(state[name].shape == shape for name, shape in shapes.items())
        if not right or not 0 < count <= MOST_WINDOWS or axes > MOST_AXES:
            raise ModelError("the head of what is normal has arrays of other shapes")
        if not all(np.isfinite(array).all() for array in state.values()):
            raise ModelError("the head of what is normal holds NaN or infinity")
        tails = np.append(state["knots_WQ"][:, -1], state["sum_Q"][-1])
        weight_W = state["weight_W"]
        if not (tails > 0).all() or not (weight_W >= 0).all() or not weight_W.any():
            raise ModelError("the head of what is normal has a tail or a weight that is none")
        return Rarity(detectors, weight_W, state["knots_WQ"], state["sum_Q"])


def best_of(tried: Sequence[Floats], truth: Any) -> int:  # noqa: ANN401
    """Return the setting of the highest area under the curve; all ways, where nothing is known."""
    if not 0 < truth[:, CLASS].sum() < len(truth):
        return len(SETTINGS) - 1
    scored = score_all(MicroAuc(), truth, list(tried), [""] * len(truth))
    return int(scored.figures_C.argmax())


def _together(distance_WM: Doubles, knots_WQ: Floats, weight_W: Floats) -> Doubles:
    """Return the sum of rarities, Fisher's statistic; its own rarity is found once more."""
    parts = [
        weight * rarity(distance_M, knots_Q)
        for weight, distance_M, knots_Q in zip(weight_W, distance_WM, knots_WQ, strict=True)
        if weight
    ]
    return np.asarray(np.sum(parts, axis=0))


class _Fits:
    """Fits to normal windows without some folds, each made once.

    How rare a distance is, is told by normal windows of folds that a fit has not seen.
    """

    def __init__(self, vectors_MD: Floats, truth: Any, folds_M: Indices) -> None:  # noqa: ANN401
        self.x_MD, self.folds_M = vectors_MD, folds_M
        self.normal_M = truth[:, NORMAL] > 0
        self._made: dict[frozenset[int], Detectors] = {}
        self._held: dict[frozenset[int], Doubles] = {}

    def tried(self) -> list[Floats]:
        """Return answers to all windows by fits without their fold, for each setting."""
        found = [np.zeros((len(self.x_MD), 1), np.float32) for _ in SETTINGS]
        for fold in np.unique(self.folds_M):
            out_M, without = self.folds_M == fold, frozenset([int(fold)])
            distance_WM = self._detectors(without).distances(self.x_MD[out_M])
            for answers_M1, weight_W in zip(found, SETTINGS, strict=True):
                answers_M1[out_M] = self.head(without, weight_W).answers(distance_WM)
        return found

    def head(self, without: frozenset[int], weight_W: Floats) -> Rarity:
        """Return what is learned without some folds."""
        detectors = self._detectors(without)
        held_WN = self._held_out(without)
        knots_WQ = np.stack([knots_of(held_N) for held_N in held_WN])
        sum_Q = knots_of(_together(held_WN, knots_WQ, weight_W))
        return Rarity(detectors, weight_W, knots_WQ, sum_Q)

    def _held_out(self, without: frozenset[int]) -> Doubles:
        """Return distances [W, N] of normal windows to fits without their fold."""
        if without not in self._held:
            self._held[without] = self._distances_apart(without)
        return self._held[without]

    def _distances_apart(self, without: frozenset[int]) -> Doubles:
        kept_M = self._kept(without)
        folds = np.unique(self.folds_M[kept_M])
        if len(folds) < 2:
            raise NotEnoughDataError(
                "normal windows of one fold of recordings are left to learn from and to set a "
                "threshold by; two folds are needed: add normal recordings"
            )
        return np.concatenate(
            [
                self._detectors(without | {int(fold)}).distances(
                    self.x_MD[kept_M & (self.folds_M == fold)]
                )
                for fold in folds
            ],
            axis=1,
        )

    def _detectors(self, without: frozenset[int]) -> Detectors:
        if without not in self._made:
            self._made[without] = Detectors.of(self.x_MD[self._kept(without)])
        return self._made[without]

    def _kept(self, without: frozenset[int]) -> Any:  # noqa: ANN401
        return self.normal_M & ~np.isin(self.folds_M, list(without))

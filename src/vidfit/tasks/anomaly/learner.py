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
    COUNT,
    KNOTS,
    MOST_AXES,
    MOST_WINDOWS,
    PARTS,
    WAYS,
    Detectors,
    Doubles,
    knots_of,
    part_widths,
    parts_of,
    rarity,
)
from vidfit.tasks.anomaly.kind import ALARM, KIND, Unusual

SETTINGS = np.vstack(
    [np.eye(COUNT), *np.kron(np.eye(len(PARTS)), np.ones(len(WAYS)))[:, None], np.ones(COUNT)]
).astype(np.float32)
"""Weights of the ways, [9, W]: each alone, those of a part, and all, by Fisher's sum of logarithms.
"""

_DETECTORS = tuple(field.name for field in fields(Detectors))


@dataclass(frozen=True)
class Rarity:
    """Distances from what is normal, and how rare they are among held-out normal windows.

    ``knots_WQ`` are of each way, ``sum_Q`` of the sum of those that count (`SETTINGS`).
    """

    detectors: tuple[Detectors, ...]
    weight_W: Floats
    knots_WQ: Floats
    sum_Q: Floats

    def log_probabilities(self, blocks: Sequence[Floats]) -> Floats:
        """Return minus the logarithm of the p-value, less that of `ALARM`, [M, 1]."""
        return self.answers(_distances(self.detectors, blocks[0]))

    def answers(self, distance_WM: Doubles) -> Floats:
        """Return what is answered at distances in all ways."""
        together_M = _together(distance_WM, self.knots_WQ, self.weight_W)
        answers_M = rarity(together_M, self.sum_Q) + math.log(ALARM)
        return answers_M[:, None].astype(np.float32)

    def novelty(self, blocks: Sequence[Floats]) -> Floats:
        """Return the mean squared standard score [M]."""
        parts = zip(self.detectors, parts_of(blocks[0]), strict=True)
        z_MD = np.concatenate([(x_MD - one.mean_D) * one.scale_D for one, x_MD in parts], axis=1)
        novelty_M: Floats = (z_MD**2).mean(axis=1)
        return novelty_M

    def heat(self, blocks: Sequence[Floats]) -> Floats | None:
        """Return how far each feature lies from what is usual, in deviations, where all is unusual.

        Of its mean, deviation and change that which lies farthest counts, of the parts that the
        answer is by.
        """
        if self.log_probabilities(blocks)[0, 0] < 0:
            return None
        counts = [bool(part_W.any()) for part_W in np.split(self.weight_W, len(PARTS))]
        features = part_widths(blocks[0].shape[1])[0]
        far = [
            np.abs((x_1D - one.mean_D) * one.scale_D).reshape(-1, features)
            for one, x_1D, is_of in zip(self.detectors, parts_of(blocks[0]), counts, strict=True)
            if is_of
        ]
        far_D: Floats = np.concatenate(far).max(axis=0)
        return far_D

    def state(self) -> dict[str, Floats]:
        """Return the arrays that `LearnNormal.restore` needs."""
        own = {"weight_W": self.weight_W, "knots_WQ": self.knots_WQ, "sum_Q": self.sum_Q}
        named = zip(PARTS, self.detectors, strict=True)
        parts = {f"{p}.{n}": array for p, one in named for n, array in vars(one).items()}
        return {**parts, **own}


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
        names = {f"{part}.{name}" for part in PARTS for name in _DETECTORS}
        names |= {"weight_W", "knots_WQ", "sum_Q"}
        if state.keys() != names or len(widths) != 1 or classes != 1:
            raise ModelError(
                f"the head of what is normal has the arrays {', '.join(sorted(state))[:200]}; "
                f"valid are {', '.join(sorted(names))}, for one member"
            )
        shapes = {"weight_W": (COUNT,), "knots_WQ": (COUNT, KNOTS), "sum_Q": (KNOTS,)}
        right = all(state[name].shape == shape for name, shape in shapes.items())
        parts = [{name: state[f"{part}.{name}"] for name in _DETECTORS} for part in PARTS]
        pairs = zip(parts, part_widths(widths[0]), strict=True)
        if not right or not all(_is_part(arrays, width) for arrays, width in pairs):
            raise ModelError("the head of what is normal has arrays of other shapes")
        if not all(np.isfinite(array).all() for array in state.values()):
            raise ModelError("the head of what is normal holds NaN or infinity")
        tails = np.append(state["knots_WQ"][:, -1], state["sum_Q"][-1])
        weight_W = state["weight_W"]
        if not (tails > 0).all() or not (weight_W >= 0).all() or not weight_W.any():
            raise ModelError("the head of what is normal has a tail or a weight that is none")
        detectors = tuple(Detectors(**arrays) for arrays in parts)
        return Rarity(detectors, weight_W, state["knots_WQ"], state["sum_Q"])


def _is_part(arrays: Mapping[str, Floats], width: int) -> bool:
    """Return whether arrays have the shapes of detectors of vectors of this length."""
    count, axes = (arrays[name].size // max(width, 1) for name in ("normal_ND", "axes_RD"))
    shapes = {
        "mean_D": (width,), "scale_D": (width,), "normal_ND": (count, width),
        "axes_RD": (axes, width), "weight_R": (axes,), "rest_1": (1,),
    }  # fmt: skip
    right = all(arrays[name].shape == shape for name, shape in shapes.items())
    return right and 0 < count <= MOST_WINDOWS and axes <= MOST_AXES


def _detectors_of(x_MD: Floats) -> tuple[Detectors, ...]:
    return tuple(Detectors.of(part_MD) for part_MD in parts_of(x_MD))


def _distances(detectors: Sequence[Detectors], x_MD: Floats) -> Doubles:
    """Return distances [W, M] in all ways, part by part."""
    pairs = zip(detectors, parts_of(x_MD), strict=True)
    return np.concatenate([one.distances(part_MD) for one, part_MD in pairs])


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
        self._made: dict[frozenset[int], tuple[Detectors, ...]] = {}
        self._held: dict[frozenset[int], Doubles] = {}

    def tried(self) -> list[Floats]:
        """Return answers to all windows by fits without their fold, for each setting."""
        found = [np.zeros((len(self.x_MD), 1), np.float32) for _ in SETTINGS]
        for fold in np.unique(self.folds_M):
            out_M, without = self.folds_M == fold, frozenset([int(fold)])
            distance_WM = _distances(self._detectors(without), self.x_MD[out_M])
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
                _distances(
                    self._detectors(without | {int(fold)}),
                    self.x_MD[kept_M & (self.folds_M == fold)],
                )
                for fold in folds
            ],
            axis=1,
        )

    def _detectors(self, without: frozenset[int]) -> tuple[Detectors, ...]:
        if without not in self._made:
            self._made[without] = _detectors_of(self.x_MD[self._kept(without)])
        return self._made[without]

    def _kept(self, without: frozenset[int]) -> Any:  # noqa: ANN401
        return self.normal_M & ~np.isin(self.folds_M, list(without))

"""Measures of answers that are numbers: what `--metric` offers where a clip has a number.

``truth`` is the number of each clip [M], ``answers`` are numbers [M, 1]. Mean absolute error and R²
equal scikit-learn's figures on the same clips, Spearman's correlation scipy's.

Shape letters: M clips, R draws of recordings, X sums, N rows, B rows in blocks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidfit.metrics.measures import AnyMeasure, ClipMean, Doubles, Range, RankedScores, ratio

_BLOCK = 8_000_000
_ROUNDED = 1e-9
"""Share of the squares of numbers that sums in double precision leave where all are the same."""


@dataclass(frozen=True)
class MeanAbsoluteError(ClipMean):
    """The mean absolute difference of the answers from the numbers, in their unit."""

    name: str = "mae"
    kind: Range = "unbounded"
    higher_is_better: bool = False

    def sums(self, truth: Any, answers: Any) -> Doubles:  # noqa: ANN401
        """Return the sum of the differences and the number of clips."""
        return super().sums(truth, np.abs(np.asarray(answers[:, 0], np.float64) - truth))


@dataclass(frozen=True)
class Determination:
    """R²: one less the squared error as a share of that of the mean of the numbers."""

    name: str = "r2"
    kind: Range = "up to one"
    higher_is_better: bool = True

    def sums(self, truth: Any, answers: Any) -> Doubles:  # noqa: ANN401
        """Return squared errors, squares, numbers and clips."""
        number_M = np.asarray(truth, np.float64)
        error_M = np.asarray(answers[:, 0], np.float64) - number_M
        return np.array([error_M @ error_M, number_M @ number_M, number_M.sum(), len(number_M)])

    def figure(self, sums_RX: Doubles) -> Doubles:
        """Return R²; NaN where all numbers are the same."""
        error_R, square_R, sum_R, clips_R = sums_RX.T
        spread_R = square_R - ratio(sum_R**2, clips_R)
        return 1.0 - ratio(error_R, np.where(spread_R > _ROUNDED * square_R, spread_R, 0.0))


@dataclass(frozen=True)
class RankCorrelation:
    """Spearman's correlation of the order of the answers with that of the numbers."""

    name: str = "spearman"
    kind: Range = "up to one"
    higher_is_better: bool = True

    def rows(self, truth: Any, answers: Any) -> tuple[Doubles, NDArray[np.bool_]]:  # noqa: ANN401
        """Return answers and numbers [N, 2]; there are no hits."""
        both_N2 = np.column_stack([answers[:, 0], truth]).astype(np.float64)
        return both_N2, np.zeros(both_N2.shape, np.bool_)

    def figure(self, rows: RankedScores, weight_RG: Doubles) -> Doubles:
        """Return the correlation: 0 where all answers are the same, NaN where all numbers are."""
        found_R = np.empty(len(weight_RG))
        block = max(1, _BLOCK // len(rows.score_NK))
        for start in range(0, len(weight_RG), block):
            weight_BN = weight_RG[start : start + block][:, rows.recording_N]
            first_BN, second_BN = (_centred_ranks(s_N, weight_BN) for s_N in rows.score_NK.T)
            both_B = (weight_BN * first_BN * second_BN).sum(axis=1)
            own_B = [(weight_BN * one_BN**2).sum(axis=1) for one_BN in (first_BN, second_BN)]
            found_B = ratio(both_B, np.sqrt(own_B[0] * own_B[1]))
            silent_B = (own_B[0] <= 0) & (own_B[1] > 0)
            found_R[start : start + block] = np.where(silent_B, 0.0, found_B)
        return found_R


def _centred_ranks(score_N: Doubles, weight_BN: Doubles) -> Doubles:
    """Return ranks [B, N] less their mean, each row counted by its weight; equals share a rank."""
    _, group_N = np.unique(score_N, return_inverse=True)
    order_N = np.argsort(group_N, kind="stable")
    starts = np.searchsorted(group_N[order_N], np.arange(int(group_N.max()) + 1))
    weight_BQ = np.add.reduceat(weight_BN[:, order_N], starts, axis=1)
    rank_BN = (np.cumsum(weight_BQ, axis=1) - weight_BQ / 2)[:, group_N]
    total_B1 = weight_BN.sum(axis=1, keepdims=True)
    mean_B1 = (weight_BN * rank_BN).sum(axis=1, keepdims=True) / np.maximum(total_B1, 1e-12)
    centred_BN: Doubles = rank_BN - mean_B1
    return centred_BN


MAE = MeanAbsoluteError()

NUMBER_MEASURES: dict[str, AnyMeasure] = {
    measure.name: measure for measure in (MAE, Determination(), RankCorrelation())
}
"""By name, what may decide where a clip has a number."""

"""Measures of answers about classes: what `--metric` offers.

``truth`` is the class number of each clip [M], or, where a clip may have several labels, whether
each class is there [M, K]. ``answers`` are log-probabilities [M, K]: of one class a clip, or of
each class by itself. All equal scikit-learn's figure of the same name on the same clips.

Shape letters: M clips, K classes, R draws of recordings, X sums, B rows in blocks.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidfit.metrics.measures import (
    AnyMeasure,
    ClipMean,
    Doubles,
    Range,
    RankedScores,
    mean_of_known,
    ratio,
)

_EVEN_ODDS = math.log(0.5)
_BLOCK = 8_000_000


@dataclass(frozen=True)
class Accuracy:
    """The share of clips whose most probable class is their label."""

    name: str = "accuracy"
    kind: Range = "share"
    higher_is_better: bool = True

    def sums(self, truth: Any, answers: Any) -> Doubles:  # noqa: ANN401
        """Return right answers and clips."""
        return np.array([float((answers.argmax(axis=1) == truth).sum()), float(len(truth))])

    def figure(self, sums_RX: Doubles) -> Doubles:
        """Return the share of right answers."""
        return ratio(sums_RX[:, 0], sums_RX[:, 1])


@dataclass(frozen=True)
class BalancedAccuracy:
    """The mean over classes of the share of their clips that are answered rightly (recall).

    Classes without a clip are left out. Also called mean class accuracy.
    """

    name: str = "balanced"
    kind: Range = "class mean"
    higher_is_better: bool = True

    def sums(self, truth: Any, answers: Any) -> Doubles:  # noqa: ANN401
        """Return right answers by class, then clips by class."""
        hit_M, classes = answers.argmax(axis=1) == truth, answers.shape[1]
        clips_K = np.bincount(truth, minlength=classes)
        right_K = np.bincount(truth[hit_M], minlength=classes)
        return np.concatenate([right_K, clips_K]).astype(np.float64)

    def figure(self, sums_RX: Doubles) -> Doubles:
        """Return the mean of the recalls."""
        right_RK, clips_RK = np.split(sums_RX, 2, axis=1)
        return mean_of_known(ratio(right_RK, clips_RK))


@dataclass(frozen=True)
class F1:
    """The harmonic mean of precision and recall: the mean over classes, or of all counts.

    A class that neither is there nor is answered is left out of the mean.
    """

    name: str
    macro: bool = True
    kind: Range = "bounded"
    higher_is_better: bool = True

    def sums(self, truth: Any, answers: Any) -> Doubles:  # noqa: ANN401
        """Return by class right answers, answers, and clips."""
        there_MK, said_MK = indicators(truth, answers.shape[1]), decided(truth, answers)
        counts = (there_MK & said_MK).sum(0), said_MK.sum(0), there_MK.sum(0)
        return np.concatenate(counts).astype(np.float64)

    def figure(self, sums_RX: Doubles) -> Doubles:
        """Return F1."""
        right_RK, said_RK, there_RK = np.split(sums_RX, 3, axis=1)
        if self.macro:
            return mean_of_known(ratio(2 * right_RK, said_RK + there_RK))
        return ratio(2 * right_RK.sum(axis=1), (said_RK + there_RK).sum(axis=1))


@dataclass(frozen=True)
class MeanOverClasses:
    """The mean over classes of a figure of each against all others, by scores in order.

    Parameters
    ----------
    of_class
        From the clips of a class, and all clips, that score at least as high as each threshold,
        [B, thresholds], the figure [B].
    at_hits
        Whether only thresholds at which a clip of the class lies matter to the figure.
    """

    name: str
    of_class: Callable[[Doubles, Doubles], Doubles]
    at_hits: bool = False
    kind: Range = "bounded"
    higher_is_better: bool = True

    def rows(self, truth: Any, answers: Any) -> tuple[Doubles, NDArray[np.bool_]]:  # noqa: ANN401
        """Return the answers, and which classes are there."""
        return answers.astype(np.float64), indicators(truth, answers.shape[1])

    def figure(self, rows: RankedScores, weight_RG: Doubles) -> Doubles:
        """Return the mean [R] over the classes for which the figure is known."""
        return _mean_over_classes(self, rows, weight_RG)


@dataclass(frozen=True)
class LogLoss(ClipMean):
    """The mean negative log-probability of the label, in nats."""

    name: str = "log-loss"
    kind: Range = "unbounded"
    higher_is_better: bool = False

    def sums(self, truth: Any, answers: Any) -> Doubles:  # noqa: ANN401
        """Return the sum of the losses and the number of clips."""
        log_MK = normalised(answers)
        return super().sums(truth, -log_MK[np.arange(len(truth)), truth])


@dataclass(frozen=True)
class BrierScore(ClipMean):
    """The mean squared distance of the probabilities from the label, in [0, 2] (Brier 1950)."""

    name: str = "brier"
    kind: Range = "unbounded"
    higher_is_better: bool = False

    def sums(self, truth: Any, answers: Any) -> Doubles:  # noqa: ANN401
        """Return the sum of the squared distances and the number of clips."""
        error_MK = np.exp(normalised(answers)) - indicators(truth, answers.shape[1])
        return super().sums(truth, (error_MK**2).sum(axis=1))


def is_of_decisions(measure: AnyMeasure) -> bool:
    """Return whether a measure sees which classes are said, and not how probable each is."""
    return isinstance(measure, F1)


def indicators(truth: Any, classes: int) -> NDArray[np.bool_]:  # noqa: ANN401
    """Return whether each class is there, [M, K]."""
    if truth.ndim == 2:
        return np.asarray(truth, np.bool_)
    return np.asarray(truth[:, None] == np.arange(classes))


def decided(truth: Any, answers: Any) -> NDArray[np.bool_]:  # noqa: ANN401
    """Return which classes are answered [M, K]: one, or all that are more probable than not."""
    if truth.ndim == 2:
        return np.asarray(answers > _EVEN_ODDS)
    return indicators(answers.argmax(axis=1), answers.shape[1])


def normalised(log_probabilities_MK: Any) -> Doubles:  # noqa: ANN401
    """Return log-probabilities that sum to one over classes."""
    log_MK = np.asarray(log_probabilities_MK, np.float64)
    log_MK = log_MK - log_MK.max(axis=1, keepdims=True)
    result: Doubles = log_MK - np.log(np.exp(log_MK).sum(axis=1, keepdims=True))
    return result


def _mean_over_classes(measure: MeanOverClasses, rows: RankedScores, weight_RG: Doubles) -> Doubles:
    """Return the mean [R] over classes of a figure of weighted rows in order."""
    clips, classes = rows.score_NK.shape
    figure_RK = np.empty((len(weight_RG), classes))
    block = max(1, _BLOCK // clips)
    for k in range(classes):
        order_N = np.argsort(-rows.score_NK[:, k], kind="stable")
        score_N, hit_N = rows.score_NK[order_N, k], rows.hit_NK[order_N, k]
        # Equal scores count as one threshold: only the last of them is looked at.
        last_N = np.append(score_N[1:] != score_N[:-1], True)
        of_N = rows.recording_N[order_N]
        if measure.at_hits and 0 < hit_N.sum() * weight_RG.shape[1] <= _BLOCK:
            found_BN, shown_BN = _above_hits(hit_N, last_N, of_N, weight_RG)
            figure_RK[:, k] = measure.of_class(found_BN, shown_BN)
            continue
        for start in range(0, len(weight_RG), block):
            weight_BN = weight_RG[start : start + block][:, of_N]
            found_BN = np.cumsum(weight_BN * hit_N, axis=1)[:, last_N]
            shown_BN = np.cumsum(weight_BN, axis=1)[:, last_N]
            figure_RK[start : start + block, k] = measure.of_class(found_BN, shown_BN)
    return mean_of_known(figure_RK)


def _above_hits(
    hit_N: NDArray[np.bool_],
    last_N: NDArray[np.bool_],
    of_N: NDArray[np.int64],
    weight_RG: Doubles,
) -> tuple[Doubles, Doubles]:
    """Return hits and rows above each threshold at which there is a hit, [R, T] both.

    Counted once by recording: of a rare class that is little work.
    """
    threshold_N: NDArray[np.int64] = np.cumsum(last_N) - last_N
    known: NDArray[np.int64] = np.unique(threshold_N[hit_N])
    groups, count = weight_RG.shape[1], len(known)
    bucket_N = np.searchsorted(known, threshold_N).astype(np.int64)

    def above(of: NDArray[np.int64], bucket: NDArray[np.int64]) -> Doubles:
        flat = np.bincount(of * (count + 1) + bucket, minlength=groups * (count + 1))
        counts_GT = flat.reshape(groups, count + 1)[:, :count].cumsum(axis=1)
        above_RT: Doubles = weight_RG @ counts_GT.astype(np.float64)
        return above_RT

    return above(of_N[hit_N], bucket_N[hit_N]), above(of_N, bucket_N)


def _average_precision(found_BN: Doubles, shown_BN: Doubles) -> Doubles:
    """Return the sum over thresholds i of (recall_i - recall_(i-1)) precision_i."""
    gained_BN = np.diff(found_BN, axis=1, prepend=0.0)
    precision_BN = np.where(shown_BN > 0, found_BN / np.maximum(shown_BN, 1e-12), 0.0)
    return ratio((gained_BN * precision_BN).sum(axis=1), found_BN[:, -1])


def _area_under_roc(found_BN: Doubles, shown_BN: Doubles) -> Doubles:
    """Return the chance that a clip of the class scores above one of another class."""
    false_BN = shown_BN - found_BN
    before_BN = np.concatenate([np.zeros((len(found_BN), 1)), found_BN[:, :-1]], axis=1)
    area_B = (np.diff(false_BN, axis=1, prepend=0.0) * (found_BN + before_BN) / 2).sum(axis=1)
    return ratio(area_B, found_BN[:, -1] * false_BN[:, -1])


ACCURACY, BALANCED, LOG_LOSS = Accuracy(), BalancedAccuracy(), LogLoss()
MAP = MeanOverClasses("map", _average_precision, at_hits=True)
AUROC = MeanOverClasses("auroc", _area_under_roc)

CLASS_MEASURES: dict[str, AnyMeasure] = {
    measure.name: measure
    for measure in (
        ACCURACY,
        BALANCED,
        F1("macro-f1"),
        MAP,
        AUROC,
        LOG_LOSS,
        BrierScore(),
    )
}
"""By name, what may decide where a clip has one class."""


SEVERAL_MEASURES: dict[str, AnyMeasure] = {
    measure.name: measure for measure in (MAP, F1("micro-f1", macro=False), F1("macro-f1"))
}
"""By name, what may decide where a clip may have several classes."""

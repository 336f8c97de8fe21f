"""From answers to clips of unseen recordings to what may be claimed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vidfit.contracts import Estimate, Floats, Indices
from vidfit.metrics import calibration_error, class_mean_interval, reliability, share_interval
from vidfit.reported import ReliabilityBin

RIGHT_ANSWERS_DECLINED = 0.05
"""Share of right held-out answers that the unknown threshold gives up."""

FAMILIAR_CLIPS_DECLINED = 0.01
"""Share of clips like those of the training that the novelty threshold calls unfamiliar."""


FEW_RECORDINGS = 10
"""With fewer recordings than that every figure is rough, and is said to be."""


def few_recordings(count: int) -> tuple[str, ...]:
    """Return the warning that so few recordings ask for, if they do."""
    if count >= FEW_RECORDINGS:
        return ()
    return (
        f"Few recordings: {count}. Hardly anything can be proven with fewer than "
        f"{FEW_RECORDINGS}, and intervals are wide. More recordings help more than more clips.",
    )


@dataclass(frozen=True)
class Scores:
    """Top-1 and mean class accuracy with intervals, where the errors lie, calibration."""

    accuracy: Estimate
    mean_class_accuracy: Estimate
    majority: Estimate
    confusion_KK: tuple[tuple[int, ...], ...]
    reliability: tuple[ReliabilityBin, ...]
    calibration_error: float


def score(
    probabilities_MK: Floats, labels_M: Indices, groups: Sequence[str], majority: int
) -> Scores:
    """Score answers to clips whose recordings the answering model has not seen.

    Parameters
    ----------
    probabilities_MK
        Calibrated probabilities.
    majority
        The most frequent class of the training clips.
    """
    answers_M = probabilities_MK.argmax(axis=1)
    hits_M = answers_M == labels_M
    classes = probabilities_MK.shape[1]
    confusion_KK = np.zeros((classes, classes), np.int64)
    np.add.at(confusion_KK, (labels_M, answers_M), 1)
    bins = reliability(probabilities_MK, labels_M)
    return Scores(
        share_interval(hits_M, groups),
        class_mean_interval(hits_M, labels_M, groups),
        share_interval(labels_M == majority, groups),
        tuple(tuple(int(n) for n in row) for row in confusion_KK),
        bins,
        calibration_error(bins),
    )


def unknown_thresholds(
    probabilities_MK: Floats, labels_M: Indices, novelty_M: Floats
) -> tuple[float, float]:
    """Return the least probability and the greatest novelty of an answer that is given.

    Parameters
    ----------
    probabilities_MK
        Calibrated held-out probabilities.
    novelty_M
        Novelty of the training clips, each to clips of other recordings.
    """
    confidence_M = probabilities_MK.max(axis=1)
    right_M = probabilities_MK.argmax(axis=1) == labels_M
    least = np.quantile(confidence_M[right_M], RIGHT_ANSWERS_DECLINED) if right_M.any() else 0.0
    return float(least), float(np.quantile(novelty_M, 1.0 - FAMILIAR_CLIPS_DECLINED))

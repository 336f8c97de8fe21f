"""From answers to clips of unseen recordings to what may be claimed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vidfit.contracts import Estimate, Floats, Indices
from vidfit.labels import class_shares
from vidfit.metrics import (
    ACCURACY,
    BALANCED,
    AnyMeasure,
    Scored,
    averaged,
    calibration_error,
    reliability,
    score_all,
)
from vidfit.reported import ReliabilityBin
from vidfit.shown import counted

_LEAST = 1e-9

FEW_RECORDINGS = 10
"""With fewer recordings than that every figure is rough, and is said to be."""


ENOUGH_RECORDINGS = 2 * FEW_RECORDINGS
"""With fewer than that the count is said."""


def few_recordings(count: int) -> tuple[str, ...]:
    """Return the warning that so few recordings ask for, if they do."""
    if count >= ENOUGH_RECORDINGS:
        return ()
    if count >= FEW_RECORDINGS:
        return (
            f"Only {counted(count, 'recording')}: intervals are wide, and small differences will "
            "not show. More recordings help more than more clips.",
        )
    return (
        f"Few recordings: {count}. Hardly anything can be proven with fewer than "
        f"{FEW_RECORDINGS}, and intervals are wide. More recordings help more than more clips.",
    )


@dataclass(frozen=True)
class Scores:
    """The figure that decides, top-1 and mean class accuracy; where errors lie; calibration.

    ``figure`` and ``majority``, that of the baseline, are of the measure that was asked for.
    """

    figure: Estimate
    accuracy: Estimate
    mean_class_accuracy: Estimate
    majority: Estimate
    confusion_KK: tuple[tuple[int, ...], ...]
    reliability: tuple[ReliabilityBin, ...]
    calibration_error: float


def score(
    deals: Sequence[Floats],
    labels_M: Indices,
    groups: Sequence[str],
    known_M: Indices,
    measure: AnyMeasure = ACCURACY,
) -> Scores:
    """Score answers to clips whose recordings the answering model has not seen.

    Parameters
    ----------
    deals
        Calibrated probabilities [M, K], by deal of the recordings to folds. Figures are averaged
        over the deals; errors are those of the mean answer to a clip.
    known_M
        Classes of the training clips, from whose shares the baseline answers.
    """
    mean_MK = np.mean(deals, axis=0)
    answers_M = mean_MK.argmax(axis=1)
    classes = mean_MK.shape[1]
    confusion_KK = np.zeros((classes, classes), np.int64)
    np.add.at(confusion_KK, (labels_M, answers_M), 1)
    bins = reliability(np.concatenate(deals), np.tile(labels_M, len(deals)))
    shares_MK = class_shares(known_M, classes, len(labels_M))

    def scored(by: AnyMeasure) -> Scored:
        return averaged(
            [
                score_all(by, labels_M, [np.log(np.maximum(one_MK, _LEAST)), shares_MK], groups)
                for one_MK in deals
            ]
        )

    figures = scored(measure)
    return Scores(
        figures.interval(0),
        scored(ACCURACY).interval(0),
        scored(BALANCED).interval(0),
        figures.interval(1),
        tuple(tuple(int(n) for n in row) for row in confusion_KK),
        bins,
        calibration_error(bins),
    )

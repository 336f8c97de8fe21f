"""Answers to clips of a class that a model has never seen: each class is left out in turn.

The probe is fitted again without the class, and, for every fold, without the fold, so that
known and new clips alike are of recordings that it has not seen. All fits share the axes of the
features, which know no label, and the penalty that all classes chose; each starts from the fit
of the same fold on all classes.

Shape letters: M clips, K classes, D features, R coordinates along the axes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Floats, Indices
from vidfit.evaluate.unknown import HeldOut
from vidfit.fusion.linear import (
    PENALTIES,
    held_out_novelty,
    log_softmax,
    out_of_fold,
    parts_of,
)
from vidfit.fusion.regression import TO_KEEP, Weights, regression
from vidfit.fusion.span import Span
from vidfit.labels import UNSEEN
from vidfit.metrics import fit_temperature, probabilities

LEAST_CLASSES = 3
"""Of two classes one is left, and a model of one class is always sure."""

MOST_CLASSES, MOST_CLIPS = 8, 2000
"""Most classes that are left out, and most clips that are looked at, to bound the time."""


@dataclass(frozen=True)
class LeftOut:
    """What a model that does not know a class says of all clips; ``new_M`` are of that class."""

    held: HeldOut
    new_M: NDArray[np.bool_]


def spread(labels_M: Indices, most: int = MOST_CLIPS) -> Indices:
    """Return the places of a limited number of clips, spread evenly over each class."""
    by_class = np.argsort(labels_M, kind="stable")
    kept = np.unique(np.linspace(0, len(by_class) - 1, min(most, len(by_class))).astype(int))
    return np.sort(by_class[kept])


def leave_classes_out(
    blocks: Sequence[Floats], labels_M: Indices, folds_M: Indices
) -> Iterator[LeftOut]:
    """Yield for each class what a probe without it says of clips of recordings it has not seen.

    Of more than `MOST_CLASSES` classes some are left out, spread over their numbers.

    Parameters
    ----------
    blocks
        Vectors [M, D_i] of each member.
    folds_M
        Folds of whole recordings.
    """
    span = Span.of(blocks)
    parts = parts_of(span, labels_M, folds_M)
    penalty = PENALTIES[out_of_fold(parts, labels_M)[0]]
    x_MR = span.coordinates_MR
    fits = [regression(x_MR[~p.test_M], labels_M[~p.test_M], penalty, TO_KEEP) for p in parts]
    classes = np.unique(labels_M)
    count = min(len(classes), MOST_CLASSES)
    for place in np.linspace(0, len(classes) - 1, count).astype(int):
        new_M = labels_M == classes[place]
        renamed_M = np.where(labels_M > classes[place], labels_M - 1, labels_M)
        answers_MK = np.full((len(labels_M), int(renamed_M[~new_M].max()) + 1), UNSEEN, np.float32)
        for part, start in zip(parts, fits, strict=True):
            learn_M = ~part.test_M & ~new_M
            first = _without(start, int(classes[place]))
            weight_KR, bias_K = regression(
                x_MR[learn_M], renamed_M[learn_M], penalty, TO_KEEP, start=first
            )
            answer_MK = log_softmax(part.asked_MR @ weight_KR.T + bias_K)
            answers_MK[part.test_M, : answer_MK.shape[1]] = answer_MK
        temperature = fit_temperature(answers_MK[~new_M], renamed_M[~new_M])
        confidence_M = probabilities(answers_MK, temperature).max(axis=1)
        novelty_M = held_out_novelty(blocks, folds_M, ~new_M)
        yield LeftOut(HeldOut(confidence_M, novelty_M), new_M)


def _without(weights: Weights, label: int) -> Weights:
    """Return weights and biases of the other classes."""
    weight_KR, bias_K = weights
    if label >= len(bias_K):  # the last class, of which this fold has nothing to learn
        return weights
    return np.delete(weight_KR, label, axis=0), np.delete(bias_K, label)

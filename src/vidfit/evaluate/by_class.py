"""How well each class is told from all others: precision, recall, F1 and average precision.

Shape letters: M clips, K classes, 1 the class in question, N thresholds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Estimate, Floats, Truth
from vidfit.metrics import (
    CLASS_MEASURES,
    F1,
    AnyMeasure,
    indicators,
    score_all,
    share_interval,
)
from vidfit.reported import ClassScores

POINTS = 60
"""Most points of a curve: more than a chart can show."""

_LEAST = 1e-9
_NONE = Estimate(math.nan, math.nan, math.nan)


def score_classes(
    answers_MK: Floats,
    labels_M: Truth,
    groups: Sequence[str],
    classes: Sequence[str],
    said_MK: NDArray[np.bool_] | None = None,
) -> tuple[ClassScores, ...]:
    """Score answers class by class, each with its 95 % interval over recordings.

    Parameters
    ----------
    answers_MK
        Probabilities of clips whose recordings the answering model has not seen.
    labels_M
        Class numbers, or whether each of several classes is there, [M, K].
    groups
        The recording of each clip.
    classes
        Names, by number.
    said_MK
        Which of several classes are said; ``None`` where each clip gets the most probable one.
    """
    log_MK = np.log(np.maximum(answers_MK.astype(np.float64), _LEAST))
    there_MK = indicators(labels_M, len(classes))
    answered_MK = indicators(answers_MK.argmax(axis=1), len(classes))
    answered_MK = answered_MK if said_MK is None else said_MK
    # As F1 reads answers: classes of which each clip has all of the probability or none.
    certain_MK = np.where(answered_MK, 0.0, -np.inf)
    f1 = _intervals(F1("f1"), there_MK, certain_MK, groups)
    area = _intervals(CLASS_MEASURES["map"], there_MK, log_MK, groups)
    return tuple(
        ClassScores(
            label=name,
            clips=int(there_MK[:, k].sum()),
            recordings=_recordings(there_MK[:, k], groups),
            precision=_share(there_MK[:, k], answered_MK[:, k], groups),
            recall=_share(answered_MK[:, k], there_MK[:, k], groups),
            f1=f1[k],
            average_precision=area[k],
            curve=precision_recall(there_MK[:, k], log_MK[:, k]),
        )
        for k, name in enumerate(classes)
    )


def _recordings(there_M: NDArray[np.bool_], groups: Sequence[str]) -> int:
    return len({groups[int(i)] for i in np.flatnonzero(there_M)})


def _share(hit_M: NDArray[np.bool_], of_M: NDArray[np.bool_], groups: Sequence[str]) -> Estimate:
    """Return the share of hits among some of the clips."""
    if not of_M.any():
        return _NONE
    return share_interval(hit_M[of_M], [groups[int(i)] for i in np.flatnonzero(of_M)])


def _intervals(
    measure: AnyMeasure, there_MK: NDArray[np.bool_], answers_MK: Floats, groups: Sequence[str]
) -> list[Estimate]:
    """Return a figure of each class; from one recording of it nothing can be said of others."""
    each = [
        score_all(measure, there_MK[:, [k]], [answers_MK[:, [k]]], groups)
        for k in range(there_MK.shape[1])
    ]
    found = each[0]
    for other in each[1:]:
        found = found.beside(other)
    return [
        _of_class(estimate, _recordings(there_MK[:, k], groups))
        for k, estimate in enumerate(found.intervals())
    ]


def _of_class(estimate: Estimate, recordings: int) -> Estimate:
    if not recordings:
        return _NONE
    return estimate if recordings > 1 else Estimate(estimate.value, math.nan, math.nan)


def precision_recall(
    there_M: NDArray[np.bool_], scores_M: Floats
) -> tuple[tuple[float, float], ...]:
    """Return recall and precision where clips above a score are taken, by falling score.

    One point for each score at which a clip of the class is taken, thinned to `POINTS`.
    """
    order_M = np.argsort(-scores_M, kind="stable")
    found_M, score_M = np.cumsum(there_M[order_M]), scores_M[order_M]
    # Equal scores count as one threshold: only the last of them is looked at.
    last_M = np.append(score_M[1:] != score_M[:-1], True)
    found_N, taken_N = found_M[last_M], np.flatnonzero(last_M) + 1
    more_N = np.diff(found_N, prepend=0) > 0
    found_N, taken_N = found_N[more_N], taken_N[more_N]
    if not len(found_N):
        return ()
    kept = np.unique(np.linspace(0, len(found_N) - 1, POINTS).round().astype(int))
    recall_N, precision_N = found_N / found_N[-1], found_N / taken_N
    return tuple((float(recall_N[i]), float(precision_N[i])) for i in kept)

"""Nested cross-validation: a score from recordings that no choice has seen.

Varma and Simon (2006), Bias in error estimation when using cross-validation for model
selection. In each outer fold everything is done again without the fold's recordings:
standardisation, penalties, stacking, the choice of the backbone and of the fusion.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Floats, Indices, Progress
from vidfit.metrics import fit_temperature, probabilities
from vidfit.selection.compare import Vectors, compare, fit_contenders

_NEVER = -20.0
"""Log-probability of a class that a fit has not seen."""

Folds = Callable[[Indices, Sequence[str], int], Indices]
"""Labels, groups and a seed -> the fold of each clip."""


Rows = tuple[Vectors, Indices, Sequence[str]]
"""Vectors by backbone, labels and recordings of clips."""


@dataclass(frozen=True)
class Nested:
    """Answers to every clip by fits that have not seen its recording.

    All are log-probabilities [M, K]. ``chosen_MK`` are those of whatever was chosen in the
    clip's outer fold, calibrated there; ``chosen_by_fold`` says what that was.
    """

    answers_MK: Mapping[str, Floats]
    chosen_MK: Floats
    chosen_by_fold: tuple[str, ...]


@dataclass(frozen=True)
class _Outside:
    """What one outer fold answers for the clips it has not seen."""

    answers_MK: Mapping[str, Floats]
    chosen: str
    calibrated_MK: Floats


def nested(
    rows: Rows,
    folds: Folds,
    *,
    inner_folds: Folds | None = None,
    seconds: Mapping[str, float] | None = None,
    progress: Progress | None = None,
) -> Nested:
    """Run the whole choice once for each outer fold and answer the clips left out.

    Parameters
    ----------
    rows
        Vectors, labels and recordings of the clips.
    folds, inner_folds
        Deal clips to the outer folds, and training clips to the folds on which is chosen;
        the same unless said otherwise.
    seconds
        As `compare` takes them.
    """
    vectors, labels_M, groups = rows
    outer_M = folds(labels_M, groups, 0)
    shape = (len(labels_M), int(labels_M.max()) + 1)
    answers: dict[str, Floats] = {}
    chosen_MK = np.full(shape, _NEVER, np.float32)
    chosen_by_fold = []
    for fold in np.unique(outer_M):
        test_M = outer_M == fold
        train = _rows(vectors, labels_M, groups, ~test_M)
        inner_M = (inner_folds or folds)(train[1], train[2], 1 + int(fold))
        test = _rows(vectors, labels_M, groups, test_M)[0]
        outside = _answer_outside(train, inner_M, test, seconds)
        for name, answer_MK in outside.answers_MK.items():
            out_MK = answers.setdefault(name, np.full(shape, _NEVER, np.float32))
            out_MK[test_M, : answer_MK.shape[1]] = answer_MK
        chosen_MK[test_M, : outside.calibrated_MK.shape[1]] = outside.calibrated_MK
        chosen_by_fold.append(outside.chosen)
        if progress:
            progress.advance()
    return Nested(answers, chosen_MK, tuple(chosen_by_fold))


def _rows(
    vectors: Vectors, labels_M: Indices, groups: Sequence[str], keep_M: NDArray[np.bool_]
) -> Rows:
    kept = np.flatnonzero(keep_M)
    return (
        {name: x_MD[kept] for name, x_MD in vectors.items()},
        labels_M[kept],
        [groups[int(i)] for i in kept],
    )


def _answer_outside(
    train: Rows, inner_M: Indices, outside: Vectors, seconds: Mapping[str, float] | None
) -> _Outside:
    """Fit and choose on training clips; answer the others, the chosen one calibrated."""
    vectors, labels_M, groups = train
    contenders = fit_contenders(vectors, labels_M, inner_M)
    answers = {c.name: c.log_probabilities(outside) for c in contenders}
    choice = compare(contenders, labels_M, groups, seconds).chosen
    temperature = fit_temperature(choice.out_of_fold_MK, labels_M)
    calibrated_MK = probabilities(answers[choice.name], temperature)
    return _Outside(answers, choice.name, np.log(np.maximum(calibrated_MK, np.exp(_NEVER))))

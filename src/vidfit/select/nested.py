"""Nested cross-validation: a score from recordings that no choice has seen.

Varma and Simon (2006), Bias in error estimation when using cross-validation for model
selection. In each outer fold everything is done again without the fold's recordings:
standardisation, penalties, stacking, the choice of the backbone and of the fusion.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vidfit.contracts import Floats, Indices, Progress
from vidfit.metrics import fit_temperature, probabilities
from vidfit.select.compare import Vectors, compare, fit_contenders

Folds = Callable[[Indices, Sequence[str], int], Indices]
"""Labels, groups and a seed -> the fold of each clip."""


@dataclass(frozen=True)
class Nested:
    """Answers to every clip by fits that have not seen its recording.

    All are log-probabilities [M, K]. ``chosen_MK`` are those of whatever was chosen in the
    clip's outer fold, calibrated there; ``chosen_by_fold`` says what that was.
    """

    answers_MK: Mapping[str, Floats]
    chosen_MK: Floats
    chosen_by_fold: tuple[str, ...]


def nested(
    vectors: Vectors,
    labels_M: Indices,
    groups: Sequence[str],
    folds: Folds,
    *,
    inner_folds: Folds | None = None,
    progress: Progress | None = None,
) -> Nested:
    """Run the whole choice once for each outer fold and answer the clips left out.

    Parameters
    ----------
    folds, inner_folds
        Deal clips to the outer folds, and training clips to the folds on which is chosen;
        the same unless said otherwise.
    """
    outer_M = folds(labels_M, groups, 0)
    group_M = np.asarray(groups)
    classes = int(labels_M.max()) + 1
    answers: dict[str, Floats] = {}
    chosen_MK = np.full((len(labels_M), classes), -20.0, np.float32)
    chosen_by_fold = []
    for fold in np.unique(outer_M):
        train, test = outer_M != fold, outer_M == fold
        inside = {name: x_MD[train] for name, x_MD in vectors.items()}
        outside = {name: x_MD[test] for name, x_MD in vectors.items()}
        inner_M = (inner_folds or folds)(labels_M[train], group_M[train].tolist(), 1 + int(fold))
        contenders = fit_contenders(inside, labels_M[train], inner_M)
        for contender in contenders:
            out_MK = answers.setdefault(contender.name, np.full_like(chosen_MK, -20.0))
            answer_MK = contender.log_probabilities(outside)
            out_MK[test, : answer_MK.shape[1]] = answer_MK
        choice = compare(contenders, labels_M[train], group_M[train].tolist()).chosen
        temperature = fit_temperature(choice.out_of_fold_MK, labels_M[train])
        calibrated_MK = probabilities(answers[choice.name][test], temperature)
        chosen_MK[test] = np.log(np.maximum(calibrated_MK, 1e-9))
        chosen_by_fold.append(choice.name)
        if progress:
            progress.advance()
    return Nested(answers, chosen_MK, tuple(chosen_by_fold))

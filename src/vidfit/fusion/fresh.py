"""Fusions of the members' answers whose combiner could read held-out labels off them.

As `vidfit.fusion.answers.fit_over_answers`, but the combiner that answers a fold is fitted on
answers that never saw the fold's labels (`vidfit.fusion.nested` says why).
"""

from __future__ import annotations

import numpy as np

from vidfit.fusion.answers import FitCombiner, OverAnswers
from vidfit.fusion.member import Fitted, Training
from vidfit.fusion.nested import without_fold


def fit_over_fresh_answers(training: Training, fit: FitCombiner) -> Fitted:
    """Fit a combiner on all out-of-fold answers, and for each fold on fresh ones without it."""
    answers_SMK, labels_M, folds_M = training.answers_SMK, training.labels_M, training.folds_M
    out_MK = np.empty_like(answers_SMK[0])
    for fold in np.unique(folds_M):
        part, test = without_fold(training, fold), folds_M == fold
        combiner = fit(part.answers_SMK, part.labels_M, part.folds_M)
        out_MK[test] = combiner.combine(answers_SMK[:, test])
    combiner = fit(answers_SMK, labels_M, folds_M)
    probes = tuple(member.probe for member in training.members)
    return Fitted(OverAnswers(probes, combiner), out_MK, tuple(range(len(probes))))

"""A logistic regression on the members' answers: any class of any member speaks for any other.

Unlike a stack (`vidfit.fusion.stack`) it can learn that a member confuses two classes, and pays
with S * K weights a class; so it is strongly regularised.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from vidfit.contracts import Floats, Indices
from vidfit.fusion.answers import FLOOR, OverAnswers, probes_of
from vidfit.fusion.linear import Linear, cross_fit, fit_linear
from vidfit.fusion.member import Fitted, Training
from vidfit.fusion.nested import can_cross_fit, without_fold
from vidfit.fusion.probes import with_classes

PENALTIES = (0.003, 0.03, 0.1, 1.0)
"""Inverse strengths of the L2 penalty (``C``), for inputs of unit variance, that are tried."""

_CAUTIOUS = 1
"""Which of them is taken where the folds cannot choose."""

_PREFIX = "combiner."


@dataclass(frozen=True)
class LogisticStack:
    """A probe whose features are the members' floored log-probabilities, side by side."""

    probe: Linear

    def combine(self, answers_SMK: Floats) -> Floats:
        """Return the regression's log-probabilities."""
        return self.probe.log_probabilities([side_by_side(answers_SMK)])

    def state(self) -> dict[str, Floats]:
        """Return the arrays of the regression."""
        return {_PREFIX + name: array for name, array in self.probe.state().items()}


def fit_logistic(training: Training) -> Fitted:
    """Fit a regression on the members' out-of-fold answers.

    Its own out-of-fold answers are of regressions on answers that never saw the fold
    (`vidfit.fusion.nested`).
    """
    answers_SMK, folds_M = training.answers_SMK, training.folds_M
    out_MK = np.empty_like(answers_SMK[0])
    for fold in np.unique(folds_M):
        part, test = without_fold(training, fold), folds_M == fold
        stack = fit_logistic_stack(part.answers_SMK, part.labels_M, part.folds_M)
        out_MK[test] = stack.combine(answers_SMK[:, test])
    stack = fit_logistic_stack(answers_SMK, training.labels_M, folds_M)
    probes = tuple(member.probe for member in training.members)
    return Fitted(OverAnswers(probes, stack), out_MK, tuple(range(len(probes))))


def restore(state: Mapping[str, Floats]) -> OverAnswers:
    """Return the fusion whose ``state`` this is."""
    own = {name.removeprefix(_PREFIX): a for name, a in state.items() if name.startswith(_PREFIX)}
    return OverAnswers(probes_of(state), LogisticStack(Linear(**own)))


def fit_logistic_stack(answers_SMK: Floats, labels_M: Indices, folds_M: Indices) -> LogisticStack:
    """Choose the penalty over the folds given, and fit with it."""
    x_MD = side_by_side(answers_SMK)
    # A probe divides its input by the root of its width; C is meant for unit variance.
    penalties = [penalty * x_MD.shape[1] for penalty in PENALTIES]
    if can_cross_fit(labels_M, folds_M):
        probe, _ = cross_fit([x_MD], labels_M, folds_M, penalties)
    else:
        probe = fit_linear([x_MD], labels_M, penalties[_CAUTIOUS])
    return LogisticStack(with_classes(probe, answers_SMK.shape[2]))


def side_by_side(answers_SMK: Floats) -> Floats:
    """Return the floored answers as features [M, S * K]."""
    count, clips, classes = answers_SMK.shape
    floored_MSK = np.maximum(answers_SMK, FLOOR).transpose(1, 0, 2)
    return np.ascontiguousarray(floored_MSK).reshape(clips, count * classes)

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
from vidfit.fusion.linear import Linear, Part, Path, fit_linear, out_of_fold
from vidfit.fusion.member import Fitted, Training
from vidfit.fusion.nested import with_columns, without_fold
from vidfit.fusion.probes import with_classes
from vidfit.fusion.span import Span

PENALTIES = (0.003, 0.03, 0.1, 1.0)
"""Inverse strengths of the L2 penalty (``C``), for inputs of unit variance, that are tried."""

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
    (`vidfit.fusion.nested`); they choose the penalty, as for a member alone.
    """
    answers_SMK, folds_M = training.answers_SMK, training.folds_M
    penalties = [penalty * _width(answers_SMK) for penalty in PENALTIES]
    held = []
    for fold in np.unique(folds_M):
        part, test_M = without_fold(training, int(fold)), folds_M == fold
        span = Span.of([side_by_side(part.answers_SMK)])
        path = Path(span.coordinates_MR, part.labels_M, penalties)
        held.append(Part(path, span.project([side_by_side(answers_SMK[:, test_M])]), test_M))
    best, out_MK = out_of_fold(held, training.labels_M)
    stack = fit_logistic_stack(answers_SMK, training.labels_M, PENALTIES[best])
    probes = tuple(member.probe for member in training.members)
    out_MK = with_columns(out_MK, training.classes)
    return Fitted(OverAnswers(probes, stack), out_MK, tuple(range(len(probes))))


def restore(state: Mapping[str, Floats]) -> OverAnswers:
    """Return the fusion whose ``state`` this is."""
    own = {name.removeprefix(_PREFIX): a for name, a in state.items() if name.startswith(_PREFIX)}
    return OverAnswers(probes_of(state), LogisticStack(Linear.of(own)))


def fit_logistic_stack(answers_SMK: Floats, labels_M: Indices, penalty: float) -> LogisticStack:
    """Fit with one of ``PENALTIES``."""
    probe = fit_linear([side_by_side(answers_SMK)], labels_M, penalty * _width(answers_SMK))
    return LogisticStack(with_classes(probe, answers_SMK.shape[2]))


def _width(answers_SMK: Floats) -> int:
    """Return how many inputs there are: a probe divides each by the root of that."""
    return int(answers_SMK.shape[0] * answers_SMK.shape[2])


def side_by_side(answers_SMK: Floats) -> Floats:
    """Return the floored answers as features [M, S * K]."""
    count, clips, classes = answers_SMK.shape
    floored_MSK = np.maximum(answers_SMK, FLOOR).transpose(1, 0, 2)
    return np.ascontiguousarray(floored_MSK).reshape(clips, count * classes)

"""Fusions that look at the members' answers alone.

Such a fusion is its members' probes and a combiner of their log-probabilities. The combiner is
fitted on out-of-fold answers: in-sample answers would teach it to trust the member that
overfits most (Wolpert 1992, Stacked generalization).

Shape letters: S members, M clips, K classes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from vidfit.contracts import Floats, Indices
from vidfit.fitted import FittedFusion
from vidfit.fusion.linear import Linear
from vidfit.fusion.member import Fitted, Training
from vidfit.labels import ONE, Kind

FLOOR = -8.0
"""Log-probabilities are cut at e^-8, so that no single sure error rules."""


class Combiner(Protocol):
    """From the members' answers to one."""

    def combine(self, answers_SMK: Floats) -> Floats:
        """Return log-probabilities [M, K] of the members' log-probabilities [S, M, K]."""
        ...

    def state(self) -> dict[str, Floats]:
        """Return the arrays that restore it."""
        ...


FitCombiner = Callable[[Floats, Indices, Indices], Combiner]
"""Answers [S, M, K], labels [M] and folds [M] -> a combiner."""


@dataclass(frozen=True)
class OverAnswers:
    """Fitted probes and the combiner of their answers."""

    members: tuple[FittedFusion, ...]
    combiner: Combiner

    def log_probabilities(self, blocks: Sequence[Floats]) -> Floats:
        """Return log-probabilities [M, K] of vectors [M, D_i] of each member."""
        answers = [
            member.log_probabilities([block])
            for member, block in zip(self.members, blocks, strict=True)
        ]
        return self.combiner.combine(np.stack(answers))

    def novelty(self, blocks: Sequence[Floats]) -> Floats:
        """Return the mean of the members' novelty, [M]."""
        each = [member.novelty([block]) for member, block in zip(self.members, blocks, strict=True)]
        result: Floats = np.mean(each, axis=0)
        return result

    def state(self) -> dict[str, Floats]:
        """Return the arrays that `restore_over_answers` needs."""
        return {**probes_state(self.members), **self.combiner.state()}


def fit_over_answers(training: Training, fit: FitCombiner) -> Fitted:
    """Fit a combiner on all out-of-fold answers, and once more without each fold."""
    answers_SMK, labels_M, folds_M = training.answers_SMK, training.labels_M, training.folds_M
    out_MK = np.empty_like(answers_SMK[0])
    for fold in np.unique(folds_M):
        train, test = folds_M != fold, folds_M == fold
        combiner = fit(answers_SMK[:, train], labels_M[train], folds_M[train])
        out_MK[test] = combiner.combine(answers_SMK[:, test])
    combiner = fit(answers_SMK, labels_M, folds_M)
    probes = tuple(member.probe for member in training.members)
    return Fitted(OverAnswers(probes, combiner), out_MK, tuple(range(len(probes))))


def probes_state(probes: Sequence[FittedFusion]) -> dict[str, Floats]:
    """Return the arrays of several probes under names that tell them apart."""
    return {
        f"member{i}.{name}": array
        for i, probe in enumerate(probes)
        for name, array in probe.state().items()
    }


def probes_of(state: Mapping[str, Floats], kind: Kind = ONE) -> tuple[Linear, ...]:
    """Return the probes of `probes_state`, found among other arrays."""
    names = Linear.__dataclass_fields__.keys() - {"kind"}
    count = sum(name.endswith(".bias_K") and name.startswith("member") for name in state)
    return tuple(
        Linear.of({name: state[f"member{i}.{name}"] for name in names}, kind) for i in range(count)
    )

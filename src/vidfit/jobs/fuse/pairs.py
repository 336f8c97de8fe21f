"""What pairs of models have in common, and what the second adds to the first."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np

from vidfit.contracts import Floats
from vidfit.fusion import Member, Training, fit_method
from vidfit.fusion.even import evened
from vidfit.jobs.fuse.value import Pair
from vidfit.metrics import (
    AnyMeasure,
    error_correlation,
    kappa,
    oracle_hits,
    score_all,
    share_interval,
)
from vidfit.selection import NEVER, Contender, Outer, hits
from vidfit.study.compare import Compared
from vidfit.study.table import Table


class Pairs:
    """Watches the outer folds, and stacks every two models there."""

    def __init__(self, table: Table, measure: AnyMeasure, *, even: bool) -> None:
        self._table, self._measure, self._even = table, measure, even
        self._answers: dict[tuple[str, str], Floats] = {}

    def see(self, outer: Outer) -> None:
        """Fit the stack of each pair on the training clips of a fold, and test it on the others."""
        singles = [c for c in outer.contenders if not c.method]
        if not self._table.kind.exclusive:  # they agree, and are right, on classes
            return
        for first, second in combinations(singles, 2):
            pair = Training(
                (_member(first, outer), _member(second, outer)), outer.train.labels_M, outer.inner_M
            )
            stack = fit_method("stack", pair).fusion
            blocks = [outer.test.vectors[c.name] for c in (first, second)]
            answer_MK = stack.log_probabilities(blocks)
            if self._even:  # as the single models are, which it is held against
                answer_MK = evened(answer_MK, outer.train.labels_M)
            shape = (len(outer.test_M), len(self._table.classes))
            all_MK = self._answers.setdefault(
                (first.name, second.name), np.full(shape, NEVER, np.float32)
            )
            all_MK[outer.test_M, : answer_MK.shape[1]] = answer_MK

    def found(self, compared: Compared) -> tuple[Pair, ...]:
        """Return the pairs, the largest addition first."""
        answers = compared.honest.answers_MK
        pairs = [
            self._pair(names, stacked_MK, answers) for names, stacked_MK in self._answers.items()
        ]
        return tuple(sorted(pairs, key=lambda pair: -pair.added.value))

    def _pair(
        self, names: tuple[str, str], stacked_MK: Floats, answers: Mapping[str, Floats]
    ) -> Pair:
        labels_M, groups = self._table.labels_M, self._table.groups
        of = [*(answers[name] for name in names), stacked_MK]
        scored = score_all(self._measure, labels_M, of, groups)
        first, second = (0, 1) if scored.merits_C[0] >= scored.merits_C[1] else (1, 0)
        hits_2M = np.stack([hits(of[i], labels_M) for i in (first, second)])
        return Pair(
            names[first],
            names[second],
            kappa(of[first].argmax(1), of[second].argmax(1), len(self._table.classes)),
            share_interval(oracle_hits(hits_2M), groups),
            error_correlation(*hits_2M),
            scored.lead(2, first),
        )


def _member(single: Contender, outer: Outer) -> Member:
    return Member(outer.train.vectors[single.name], single.fitted, single.out_of_fold_MK)

"""What pairs of models have in common, and what the second adds to the first."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np

from vidfit.combination import Pair
from vidfit.contracts import Floats
from vidfit.fusion import Member, Training, fit_method
from vidfit.jobs.compared import Compared
from vidfit.jobs.table import Table
from vidfit.metrics import error_correlation, kappa, oracle_hits, paired_interval, share_interval
from vidfit.selection import Contender, Outer, hits


class Pairs:
    """Watches the outer folds, and stacks every two models there."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._hits: dict[tuple[str, str], Floats] = {}

    def see(self, outer: Outer) -> None:
        """Fit the stack of each pair on the training clips of a fold, and test it on the others."""
        singles = [c for c in outer.contenders if not c.method]
        for first, second in combinations(singles, 2):
            pair = Training(
                (_member(first, outer), _member(second, outer)), outer.train.labels_M, outer.inner_M
            )
            stack = fit_method("stack", pair).fusion
            blocks = [outer.test.vectors[c.name] for c in (first, second)]
            hits_M = self._hits.setdefault(
                (first.name, second.name), np.zeros(len(outer.test_M), np.float32)
            )
            hits_M[outer.test_M] = hits(stack.log_probabilities(blocks), outer.test.labels_M)

    def found(self, compared: Compared) -> tuple[Pair, ...]:
        """Return the pairs, the largest addition first."""
        answers = compared.honest.answers_MK
        pairs = [_pair(names, hits_M, answers, self._table) for names, hits_M in self._hits.items()]
        return tuple(sorted(pairs, key=lambda pair: -pair.added.value))


def _member(single: Contender, outer: Outer) -> Member:
    probe = single.fitted
    return Member(outer.train.vectors[single.name], probe, single.out_of_fold_MK)  # type: ignore[arg-type]  # of a single model it is a Linear


def _pair(
    names: tuple[str, str], stacked_M: Floats, answers: Mapping[str, Floats], table: Table
) -> Pair:
    labels_M, groups = table.labels_M, table.groups
    first, second = sorted(names, key=lambda name: -hits(answers[name], labels_M).mean())
    hits_2M = np.stack([hits(answers[name], labels_M) for name in (first, second)])
    return Pair(
        first,
        second,
        kappa(answers[first].argmax(1), answers[second].argmax(1), len(table.classes)),
        share_interval(oracle_hits(hits_2M), groups),
        error_correlation(*hits_2M),
        paired_interval(stacked_M - hits_2M[0], groups),
    )

"""Distil the fusion of each outer fold into one backbone, to see what is kept of its gain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from vidfit.combination import Student
from vidfit.contracts import Cost, Indices
from vidfit.fusion import HEADS, fit_method
from vidfit.fusion.distil import fit_student, teacher
from vidfit.jobs.compared import Compared, model_of
from vidfit.jobs.folds import Folds
from vidfit.jobs.table import Table
from vidfit.metrics import paired_interval, ratio_interval, share_interval
from vidfit.model import Model
from vidfit.selection import FUSION, Contender, Outer, Rows, hits, merit

_BACKBONES = 2
"""So many of the best single models are tried as the student's backbone."""


@dataclass(frozen=True)
class Graduate:
    """What students of the folds are worth, and the student of all clips."""

    student: Student
    model: Model


class Students:
    """Watches the outer folds, and teaches a student in each."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._folds = Folds(table.classes)
        self._hits_M = np.zeros(len(table.clips), np.float32)
        self._taught = True

    def see(self, outer: Outer) -> None:
        """Teach on the training clips of a fold, and test on the others."""
        fusion = outer.choice.best_fusion
        if fusion is None or HEADS[fusion.head].pooling != "statistics":
            self._taught = False  # nobody to learn from, or nobody who can be asked here
            return
        student = self._student(fusion, outer.contenders, outer.train, outer.inner_M)
        answer_MK = student.log_probabilities(outer.test)
        self._hits_M[outer.test_M] = hits(answer_MK, outer.test.labels_M)

    def graduate(self, compared: Compared, costs: Mapping[str, Cost]) -> Graduate | None:
        """Return what the students kept, and the student of all clips as a model."""
        honest, fusion = compared.honest, compared.choice.best_fusion
        if fusion is None or honest.gain is None or not self._taught:
            return None
        rows, groups = self._table.rows, self._table.groups
        student = self._student(fusion, compared.contenders, rows, compared.folds_M)
        single_M = hits(honest.answers_MK[honest.best_single], rows.labels_M)
        fused_M = hits(honest.answers_MK[FUSION], rows.labels_M)
        gain_M = self._hits_M - single_M
        proven = honest.gain.proven
        value = Student(
            student.members[0],
            share_interval(self._hits_M, groups),
            paired_interval(gain_M, groups),
            ratio_interval(gain_M, fused_M - single_M, groups) if proven else None,
            costs[student.members[0]].seconds,
        )
        return Graduate(value, model_of(student, compared.folds_M, self._table))

    def _student(
        self, fusion: Contender, contenders: Sequence[Contender], rows: Rows, folds_M: Indices
    ) -> Contender:
        """Return the best student of a fusion on one of the best backbones."""

        def deal(learn_M: NDArray[np.bool_]) -> Indices:
            learned = rows.where(learn_M)
            return self._folds.to_choose(learned.labels_M, learned.groups, 0)

        teach = teacher(
            fusion.blocks(rows), partial(fit_method, fusion.method), rows.labels_M, deal
        )
        singles = [c for c in contenders if not c.method]
        singles.sort(key=lambda c: -merit(c.out_of_fold_MK, rows.labels_M))
        students = []
        for name in (single.name for single in singles[:_BACKBONES]):
            probe, out_MK = fit_student(rows.vectors[name], teach, rows.labels_M, folds_M)
            students.append(Contender(name, "student", "linear", (name,), probe, out_MK))
        return max(students, key=lambda c: merit(c.out_of_fold_MK, rows.labels_M))

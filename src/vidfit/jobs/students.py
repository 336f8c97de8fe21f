"""Distil the fusion of each outer fold into one backbone, to see what is kept of its gain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vidfit.combination import Student
from vidfit.contracts import Cost, Floats, Indices
from vidfit.fusion.distil import fit_student
from vidfit.jobs.compared import Compared, model_of
from vidfit.jobs.table import Table
from vidfit.metrics import mean_interval, ratio_interval
from vidfit.model import Model
from vidfit.selection import FUSION, Contender, Outer, Rows, hits, merit

_BACKBONES = 2
"""So many of the best single models are tried as the student's backbone."""


@dataclass(frozen=True)
class Graduate:
    """What a student is worth; ``model`` only where there was a gain to be kept."""

    student: Student
    model: Model | None


class Students:
    """Watches the outer folds, and teaches a student in each."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._hits_M = np.zeros(len(table.clips), np.float32)

    def see(self, outer: Outer) -> None:
        """Teach on the training clips of a fold, and test on the others."""
        if outer.choice.best_fusion is None:
            return
        student = _taught(outer.choice.best_fusion, outer.contenders, outer.train, outer.inner_M)
        answer_MK = student.log_probabilities(outer.test)
        self._hits_M[outer.test_M] = hits(answer_MK, outer.test.labels_M)

    def graduate(self, compared: Compared, costs: Mapping[str, Cost]) -> Graduate | None:
        """Return what the students kept, and the student of all clips as a model."""
        honest, fusion = compared.honest, compared.choice.best_fusion
        if fusion is None or honest.gain is None:
            return None
        rows, groups = self._table.rows, self._table.groups
        student = _taught(fusion, compared.contenders, rows, compared.folds_M)
        single_M = hits(honest.answers_MK[honest.best_single], rows.labels_M)
        fused_M = hits(honest.answers_MK[FUSION], rows.labels_M)
        gain_M = self._hits_M - single_M
        proven = honest.gain.proven
        value = Student(
            student.members[0],
            mean_interval(self._hits_M, groups),
            mean_interval(gain_M, groups),
            ratio_interval(gain_M, fused_M - single_M, groups) if proven else None,
            costs[student.members[0]].seconds,
        )
        return Graduate(value, model_of(student, compared.folds_M, self._table) if proven else None)


def _taught(
    teacher: Contender, contenders: Sequence[Contender], rows: Rows, folds_M: Indices
) -> Contender:
    """Return the best student on one of the best backbones."""
    singles = sorted(
        (c for c in contenders if not c.method),
        key=lambda c: -merit(c.out_of_fold_MK, rows.labels_M),
    )
    students = [
        _student(c.name, teacher.out_of_fold_MK, rows, folds_M) for c in singles[:_BACKBONES]
    ]
    return max(students, key=lambda c: merit(c.out_of_fold_MK, rows.labels_M))


def _student(backbone: str, teacher_MK: Floats, rows: Rows, folds_M: Indices) -> Contender:
    probe, out_MK = fit_student(rows.vectors[backbone], teacher_MK, rows.labels_M, folds_M)
    return Contender(f"student {backbone}", "student", "linear", (backbone,), probe, out_MK)

"""Distil the fusion of each outer fold into one backbone, to see what is kept of its gain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Cost, Indices
from vidfit.errors import NotEnoughDataError
from vidfit.fusion import fit_method
from vidfit.fusion.distil import fit_student, teacher
from vidfit.jobs.fuse.value import Student
from vidfit.metrics import ratio_interval, score_all
from vidfit.model import Model
from vidfit.selection import FUSION, NEVER, Contender, Outer, Rows, Terms, even_contender, merit
from vidfit.study.compare import Compared, model_of
from vidfit.study.folds import Folds
from vidfit.study.table import Table

_BACKBONES = 2
"""So many of the best single models are tried as the student's backbone."""


@dataclass(frozen=True)
class Graduate:
    """What students of the folds are worth, and the student of all clips."""

    student: Student
    model: Model


class Students:
    """Watches the outer folds, and teaches a student in each."""

    def __init__(self, table: Table, terms: Terms, notes: list[str]) -> None:
        self._table, self._notes = table, notes
        self._measure, self._even = terms.measure, terms.even
        self._folds = Folds(table.classes)
        shape = (len(table.clips), len(table.classes))
        self._answers_MK = np.full(shape, NEVER, np.float32)
        self._taught = True

    def see(self, outer: Outer) -> None:
        """Teach on the training clips of a fold, and test on the others."""
        fusion = outer.choice.best_fusion
        if fusion is None or not self._taught:
            self._taught = False  # nobody to learn from
            return
        try:
            student = self._student(fusion, outer.contenders, outer.train, outer.inner_M)
        except NotEnoughDataError as error:  # folds within folds leave a class too few clips
            self._taught = False
            self._notes.append(f"No student was taught: {error}")
            return
        answer_MK = student.log_probabilities(outer.test)
        self._answers_MK[outer.test_M, : answer_MK.shape[1]] = answer_MK

    def graduate(self, compared: Compared, costs: Mapping[str, Cost]) -> Graduate | None:
        """Return what the students kept, and the student of all clips as a model."""
        honest, fusion = compared.honest, compared.choice.best_fusion
        if fusion is None or honest.gain is None or not self._taught:
            return None
        rows = self._table.rows
        student = self._student(fusion, compared.contenders, rows, compared.folds_M)
        answers = [
            self._answers_MK,
            honest.answers_MK[honest.best_single],
            honest.answers_MK[FUSION],
        ]
        scored = score_all(self._measure, rows.labels_M, answers, rows.groups)
        of_student_G, of_single_G, of_fusion_G = scored.linear[0].T
        gains = of_student_G - of_single_G, of_fusion_G - of_single_G
        recordings = [str(number) for number in range(len(of_single_G))]
        value = Student(
            student.members[0],
            scored.interval(0),
            scored.lead(0, 1),
            ratio_interval(*gains, recordings) if honest.gain.proven else None,
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
        singles.sort(key=lambda c: -merit(self._measure, rows.labels_M, c.out_of_fold_MK))
        students = []
        for name in (single.name for single in singles[:_BACKBONES]):
            probe, out_MK = fit_student(rows.vectors[name], teach, rows.labels_M, folds_M)
            student = Contender(name, "student", "linear", (name,), probe, out_MK)
            students.append(even_contender(student, rows.labels_M) if self._even else student)
        return max(students, key=lambda c: merit(self._measure, rows.labels_M, c.out_of_fold_MK))

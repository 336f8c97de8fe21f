"""What is watched in the outer folds: pairs, and students."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from vidfit.contracts import Cost
from vidfit.jobs.fuse.pairs import Pairs
from vidfit.jobs.fuse.students import Students
from vidfit.metrics import BALANCED, score_all
from vidfit.selection import Rows, Terms, nested
from vidfit.study.folds import Folds

COSTS = {"m1": Cost(0.0, 0.1), "m2": Cost(0.0, 0.1)}


def table_of(recordings, spread):
    """Return a table with recordings and clips of each, by class, and two weak members."""
    rng, labels, groups = np.random.default_rng(1), [], []
    for k, (count, clips) in enumerate(recordings):
        for i in range(count):
            labels += [k] * clips
            groups += [f"{k}-{i}"] * clips
    labels_M = np.array(labels)
    centre_M6 = np.repeat(spread * labels_M[:, None], 6, axis=1)
    vectors = {
        name: (rng.normal(size=centre_M6.shape) + centre_M6).astype(np.float32) for name in COSTS
    }
    rows = Rows(vectors, labels_M, groups)
    return SimpleNamespace(
        classes=tuple("abc"[: len(recordings)]), clips=[0] * len(labels), rows=rows,
        groups=groups, labels_M=labels_M, kind=rows.kind,
    )  # fmt: skip


def watched(table, terms, look):
    folds = Folds(table.classes)
    return nested(table.rows, folds.by_recording, terms, inner_folds=folds.to_choose, look=look)


def test_pairs_answer_as_if_classes_were_even_where_single_models_do():
    table = table_of([(16, 10), (6, 3)], 0.55)
    scores = {}
    for even in (False, True):
        terms = Terms(COSTS, methods=("concat",), measure=BALANCED, even=True)
        pairs = Pairs(table, BALANCED, even=even)
        honest = watched(table, terms, pairs.see)
        (stacked_MK,) = pairs._answers.values()
        scored = score_all(BALANCED, table.labels_M, [stacked_MK], table.groups)
        scores[even] = float(scored.figures_C[0])
        (pair,) = pairs.found(SimpleNamespace(honest=honest))
        assert pair.added.value == pytest.approx(
            scores[even] - max(_single(table, honest, name) for name in COSTS), abs=1e-6
        )
    assert scores[True] > scores[False] + 0.05


def _single(table, honest, name):
    scored = score_all(BALANCED, table.labels_M, [honest.answers_MK[name]], table.groups)
    return float(scored.figures_C[0])


def test_no_student_is_taught_where_folds_within_folds_leave_too_few_clips():
    table = table_of([(6, 4), (6, 4), (2, 2)], 2.0)
    notes = []
    terms = Terms(COSTS, methods=("concat", "stack"))
    students = Students(table, terms, notes)
    honest = watched(table, terms, students.see)
    assert len(notes) == 1 and notes[0].startswith("No student was taught: ")
    compared = SimpleNamespace(honest=honest, choice=SimpleNamespace(best_fusion=object()))
    assert students.graduate(compared, COSTS) is None

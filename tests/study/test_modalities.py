"""What each modality adds: proven where no other suffices, and not where one does."""

from __future__ import annotations

import numpy as np

from vidfit.contracts import Clip
from vidfit.metrics import ACCURACY, BALANCED
from vidfit.study.modalities import by_modality
from vidfit.study.table import Table

_RNG = np.random.default_rng(0)
COUNT = 240
SEEN, SAID = (_RNG.integers(0, 2, COUNT) for _ in range(2))
SEES = {"eye": "frames", "ear": "sound"}
FOLDS = np.arange(COUNT) // 12 % 5


def vectors(of_M, holes=False):
    x_MD = (_RNG.normal(0, 0.5, (COUNT, 3)) + of_M[:, None]).astype(np.float32)
    if holes:
        x_MD[::4] = np.nan
    return x_MD


def table(labels_M, **of):
    clips = tuple(
        Clip(f"{i}.mp4", label=str(k), group=str(i // 12)) for i, k in enumerate(labels_M)
    )
    classes = tuple(sorted({str(k) for k in labels_M}))
    return Table(clips, classes, labels_M, of, (), np.ones(COUNT))


def test_both_are_needed_for_a_pair_of_what_is_seen_and_said():
    found = by_modality(
        table(2 * SEEN + SAID, eye=vectors(SEEN), ear=vectors(SAID)), SEES, FOLDS, ACCURACY
    )
    assert found.whole.value > 0.75 and all(one.ahead.low > 0.2 for one in found.without)
    lines = found.lines(ACCURACY)
    assert len(lines) == 3 and "it is needed" in lines[1] and "frames, sound" in lines[0]


def test_what_says_nothing_has_no_proven_gain_and_may_be_missing():
    noise = vectors(_RNG.integers(0, 2, COUNT), holes=True)
    found = by_modality(table(SEEN, eye=vectors(SEEN), ear=noise), SEES, FOLDS, ACCURACY)
    eye, ear = found.without
    assert eye.ahead.low > 0 and ear.ahead.low <= 0 and ear.alone.value < 0.65
    assert "no proven gain from it" in found.lines(ACCURACY)[2]


def test_one_modality_is_nothing_to_take_apart():
    same = {"eye": "frames", "ear": "frames"}
    assert (
        by_modality(table(SEEN, eye=vectors(SEEN), ear=vectors(SAID)), same, FOLDS, ACCURACY)
        is None
    )


def test_of_a_rare_class_answers_are_those_of_even_classes_where_they_decide():
    rare_M = (_RNG.random(COUNT) < 0.06).astype(np.int64)
    weak = {name: vectors(0.4 * rare_M) for name in SEES}
    of = [
        by_modality(table(rare_M, **weak), SEES, FOLDS, BALANCED, even=even).whole.value
        for even in (False, True)
    ]
    assert of[1] > of[0] + 0.05

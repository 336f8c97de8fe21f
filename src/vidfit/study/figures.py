"""The figures of a fit by all measures of its task, and its answers in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Estimate, Floats, Truth
from vidfit.evaluate import Scores, score_classes
from vidfit.labels import A_NUMBER, UNSEEN, Kind, Said
from vidfit.metrics import (
    AnyMeasure,
    averaged,
    is_of_decisions,
    score_all,
)
from vidfit.reported import ClassScores, ClipResult, Figure
from vidfit.study.table import Table

_UNKNOWN = Estimate(math.nan, math.nan, math.nan)


@dataclass(frozen=True)
class Held:
    """Answers to clips whose recordings the answering model has not seen.

    ``deals`` are stated answers [M, K], probabilities or numbers, by deal of the recordings to
    folds; ``said`` says by deal which of several classes were said. ``averages`` is that of the
    kind of label.
    """

    deals: Sequence[Floats]
    said: Sequence[NDArray[np.bool_]] = ()
    averages: bool = True

    @property
    def mean_MK(self) -> Floats:  # noqa: N802
        """The mean answer to each clip; where there is none, that of the first deal."""
        if not self.averages:
            return self.deals[0]
        mean_MK: Floats = np.mean(self.deals, axis=0)
        return mean_MK

    @property
    def said_MK(self) -> NDArray[np.bool_]:  # noqa: N802
        """Which classes most deals say."""
        return np.asarray(np.mean(self.said, axis=0) >= 0.5)

    def where(self, keep_M: NDArray[np.bool_]) -> Held:
        """Return the answers to some of the clips."""
        said = [s[keep_M] for s in self.said if len(s)]
        return Held([d[keep_M] for d in self.deals], said, self.averages)

    def seen_by(self, measure: AnyMeasure, kind: Kind) -> list[Floats]:
        """Return the answers of each deal as a measure sees them."""
        if kind.separate and is_of_decisions(measure):
            return [np.where(said_MK, 0.0, UNSEEN).astype(np.float32) for said_MK in self.said]
        return [kind.as_answers(stated_MK) for stated_MK in self.deals]

    def says(self, i: int, kind: Kind, classes: Sequence[str]) -> Said:
        """Return the answer to a clip in words."""
        limits = np.where(self.said_MK[i], -1.0, 2.0) if kind.separate else ()
        return kind.said(self.mean_MK[i], classes, tuple(limits))


def constant_of(table: Table, measure: AnyMeasure) -> Floats:
    """Return the answers [M, K] to the clips of a table by the baseline that looks at none."""
    clips = len(table.labels_M)
    return table.kind.constant(table.labels_M, table.kind.width(table.classes), clips, measure.name)


def figures_of(judged: Table, held: Held, known_M: Truth) -> tuple[Figure, ...]:
    """Return the figures by all measures of the task, beside those of the baseline."""
    kind, truth, groups = judged.kind, judged.labels_M, judged.groups
    found = []
    for name, measure in judged.task.measures.items():
        constant_MK = kind.constant(known_M, kind.width(judged.classes), len(truth), measure.name)
        deals = [
            score_all(measure, truth, [answer_MK, constant_MK], groups)
            for answer_MK in held.seen_by(measure, kind)
        ]
        both = averaged(deals)
        found.append(Figure(name, both.interval(0), both.interval(1), measure.higher_is_better))
    return tuple(found)


def scores_of(figures: Sequence[Figure], measure: AnyMeasure) -> Scores:
    """Return the figure that decides; there is no accuracy, confusion or calibration."""
    one = next(figure for figure in figures if figure.metric == measure.name)
    return Scores(one.score, _UNKNOWN, _UNKNOWN, one.baseline, (), (), math.nan)


def by_class(judged: Table, held: Held) -> tuple[ClassScores, ...]:
    """Return how well each class is told from all others; nothing where there are no classes."""
    kind = judged.kind
    if not kind.separate and not kind.exclusive:
        return ()
    said_MK = held.said_MK if kind.separate else None
    truth, groups = judged.labels_M, judged.groups
    return score_classes(held.mean_MK, truth, groups, judged.classes, said_MK)


def numbers(judged: Table, held: Held) -> tuple[tuple[float, float], ...]:
    """Return the number of each clip and the answer to it, where answers are numbers."""
    if judged.kind is not A_NUMBER:
        return ()
    pairs = zip(judged.labels_M, held.mean_MK[:, 0], strict=True)
    return tuple((float(number), float(answer)) for number, answer in pairs)


def results_of(judged: Table, held: Held, declined_M: NDArray[np.bool_]) -> tuple[ClipResult, ...]:
    """Return the answer to each clip, how sure it is, and how probable the truth was held.

    Of several labels the probabilities are of the least sure class that was said, and of all
    labels of the clip together (the geometric mean over classes); a number has none.
    """
    kind, classes = judged.kind, judged.classes
    lost_M = kind.losses(kind.as_answers(held.mean_MK), judged.labels_M)
    found = []
    for i, clip in enumerate(judged.clips):
        said = held.says(i, kind, classes)
        true = math.nan if math.isnan(said.probability) else float(np.exp(-lost_M[i]))
        found.append(ClipResult(clip, said.label, said.probability, true, bool(declined_M[i])))
    return tuple(found)

"""The figures of sentiment as the field has them (MMSA: Mao et al., ACL 2022, demonstrations).

On numbers in [-3, 3] (MOSI, MOSEI): accuracy of the sign with zeros counted as positive ("has 0")
and with true zeros left out ("non 0"), F1 of both weighted by class, accuracy of whole numbers
(seven classes, and five), and Pearson's correlation. On numbers in [-1, 1] (CH-SIMS): accuracy of
two, three and five ranges, and F1 of two.

``truth`` is the number of each clip [M], ``answers`` are numbers [M, 1].

Shape letters: M clips, K classes, R draws of recordings, X sums.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from vidfit.contracts import Indices
from vidfit.metrics import AnyMeasure
from vidfit.metrics.measures import Doubles, Range, ratio

Classes = Callable[[Doubles], Indices]
"""Numbers [M] -> classes [M], from 0."""


def has_zero(numbers_M: Doubles) -> Indices:
    """Return 1 for what is not negative."""
    return (numbers_M >= 0).astype(np.int64)


def above_zero(numbers_M: Doubles) -> Indices:
    """Return 1 for what is positive."""
    return (numbers_M > 0).astype(np.int64)


def whole(most: int) -> Classes:
    """Return what rounds numbers that are cut to [-most, most]; halves go to even ones."""
    return lambda numbers_M: np.round(np.clip(numbers_M, -most, most)).astype(np.int64) + most


def ranges(*edges: float) -> Classes:
    """Return what tells ranges apart, each with its upper edge, of numbers cut to [-1, 1]."""
    inner = np.array(edges)
    return lambda numbers_M: np.searchsorted(inner, np.clip(numbers_M, -1, 1), "left")


@dataclass(frozen=True)
class ClassesOfNumbers:
    """How often answers and truth are in one class, or F1 weighted by the classes' clips.

    Parameters
    ----------
    classes
        Numbers to classes.
    count
        How many there are.
    nonzero
        Whether clips whose true number is 0 are left out.
    f1
        Whether it is F1, rather than accuracy.
    """

    name: str
    classes: Classes
    count: int = 2
    nonzero: bool = False
    f1: bool = False
    higher_is_better: bool = True

    @property
    def kind(self) -> Range:
        """How its interval is found."""
        return "bounded" if self.f1 else "share"

    def sums(self, truth: Any, answers: Any) -> Doubles:  # noqa: ANN401
        """Return right answers and clips; of F1 by class right answers, answers and clips."""
        number_M, said_M = np.asarray(truth, np.float64), np.asarray(answers[:, 0], np.float64)
        if self.nonzero:
            number_M, said_M = number_M[number_M != 0], said_M[number_M != 0]
        there_M, told_M = self.classes(number_M), self.classes(said_M)
        if not self.f1:
            return np.array([float((there_M == told_M).sum()), float(len(there_M))])
        of = [
            np.bincount(c, minlength=self.count)
            for c in (there_M[there_M == told_M], told_M, there_M)
        ]
        return np.concatenate(of).astype(np.float64)

    def figure(self, sums_RX: Doubles) -> Doubles:
        """Return the share, or F1."""
        if not self.f1:
            return ratio(sums_RX[:, 0], sums_RX[:, 1])
        right_RK, told_RK, there_RK = np.split(sums_RX, 3, axis=1)
        f1_RK = np.nan_to_num(ratio(2 * right_RK, told_RK + there_RK))
        return ratio((f1_RK * there_RK).sum(axis=1), there_RK.sum(axis=1))


@dataclass(frozen=True)
class Correlation:
    """Pearson's correlation of answers and numbers."""

    name: str = "correlation"
    kind: Range = "up to one"
    higher_is_better: bool = True

    def sums(self, truth: Any, answers: Any) -> Doubles:  # noqa: ANN401
        """Return clips, and sums of both, their squares and their product."""
        x_M, y_M = np.asarray(truth, np.float64), np.asarray(answers[:, 0], np.float64)
        return np.array([len(x_M), x_M.sum(), y_M.sum(), x_M @ x_M, y_M @ y_M, x_M @ y_M])

    def figure(self, sums_RX: Doubles) -> Doubles:
        """Return the correlation: 0 where all answers are the same, NaN where all numbers are."""
        count_R, x_R, y_R, xx_R, yy_R, xy_R = sums_RX.T
        own_R = count_R * xx_R - x_R**2, count_R * yy_R - y_R**2
        silent_R = own_R[1] <= 1e-9 * np.maximum(count_R * yy_R, 1e-12)
        found_R = ratio(count_R * xy_R - x_R * y_R, np.sqrt(np.maximum(own_R[0] * own_R[1], 0)))
        return np.where(silent_R & (own_R[0] > 0), 0.0, found_R)


def _named(*measures: AnyMeasure) -> dict[str, AnyMeasure]:
    return {measure.name: measure for measure in measures}


MOSI_MEASURES = _named(
    ClassesOfNumbers("acc2-has0", has_zero),
    ClassesOfNumbers("acc2-non0", above_zero, nonzero=True),
    ClassesOfNumbers("f1-has0", has_zero, f1=True),
    ClassesOfNumbers("f1-non0", above_zero, nonzero=True, f1=True),
    ClassesOfNumbers("acc7", whole(3), 7),
    ClassesOfNumbers("acc5", whole(2), 5),
    Correlation(),
)
"""Of numbers in [-3, 3]."""

SIMS_MEASURES = _named(
    ClassesOfNumbers("sims-acc2", ranges(0.0)),
    ClassesOfNumbers("sims-acc3", ranges(-0.1, 0.1), 3),
    ClassesOfNumbers("sims-acc5", ranges(-0.7, -0.1, 0.1, 0.7), 5),
    ClassesOfNumbers("sims-f1", ranges(0.0), f1=True),
    Correlation(),
)
"""Of numbers in [-1, 1]."""

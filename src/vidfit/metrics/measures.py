"""What a figure is made of, so that it can be drawn again by recording.

A figure such as accuracy, F1 or average precision is computed from what each recording adds to it:
sums (`Measure`), or rows of scores that are sorted together (`RankedMeasure`). Intervals, ties,
the correction for choosing and "proven" all rest on this contract (`vidfit.metrics.scored`), not
on what the figure is. Most figures are no means over clips, so that their value for a set of
recordings cannot be had from their values for each.

Shape letters: M clips, K classes, R draws of recordings, X sums, N rows, G recordings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
Range = Literal["share", "class mean", "bounded", "up to one", "unbounded"]
"""How a figure's interval is found: of a share of clips; of the mean of a share of each class;
of a figure in [0, 1] that may not change though answers did; of one that is at most 1; of any
other."""


@runtime_checkable
class Measure(Protocol):
    """A figure that is a function of sums over recordings.

    Its sums over two recordings are the sum of theirs, and its figure does not change when all
    sums are multiplied by the same number.
    """

    @property
    def name(self) -> str:
        """What it is called: in options, in reports."""

    @property
    def kind(self) -> Range:
        """How its interval is found."""

    @property
    def higher_is_better(self) -> bool:
        """Whether more is better; of a loss less is."""

    def sums(self, truth: Any, answers: Any) -> Doubles:  # noqa: ANN401 - the task's own
        """Return what the clips of one recording add, [X]."""

    def figure(self, sums_RX: Doubles) -> Doubles:
        """Return the figure [R] of sums; NaN where nothing is left to compute it from."""


@dataclass(frozen=True)
class RankedScores:
    """Scores that are sorted together: by clip and class how sure, whether right, from where.

    Parameters
    ----------
    score_NK
        How much speaks for each class.
    hit_NK
        Whether the class is there.
    recording_N
        Number of the recording, from 0.
    """

    score_NK: Doubles
    hit_NK: NDArray[np.bool_]
    recording_N: NDArray[np.int64]


@runtime_checkable
class RankedMeasure(Protocol):
    """A figure of scores in order, such as average precision: it has no finite sums."""

    @property
    def name(self) -> str:
        """What it is called: in options, in reports."""

    @property
    def kind(self) -> Range:
        """How its interval is found."""

    @property
    def higher_is_better(self) -> bool:
        """Whether more is better."""

    def rows(self, truth: Any, answers: Any) -> tuple[Doubles, NDArray[np.bool_]]:  # noqa: ANN401
        """Return scores and hits [N, K] of one recording."""

    def figure(self, rows: RankedScores, weight_RG: Doubles) -> Doubles:
        """Return the figure [R] with each recording counted ``weight`` times."""


AnyMeasure = Measure | RankedMeasure


@dataclass(frozen=True)
class ClipMean:
    """The mean over clips of a value of each clip: ``answers`` are the values, without truth.

    ``kind`` is ``"share"`` where the values lie in [0, 1].
    """

    name: str
    kind: Range = "share"
    higher_is_better: bool = True

    def sums(self, truth: Any, answers: Any) -> Doubles:  # noqa: ANN401
        """Return the sum of the values and the number of clips."""
        return np.array([np.sum(answers, dtype=np.float64), len(answers)])

    def figure(self, sums_RX: Doubles) -> Doubles:
        """Return the mean."""
        return ratio(sums_RX[:, 0], sums_RX[:, 1])


LOSS = ClipMean("loss", "unbounded", higher_is_better=False)
"""What penalties and fusions are chosen by: the mean of `vidfit.labels.Kind.losses`."""


def ratio(above: Doubles, below: Doubles) -> Doubles:
    """Return a ratio, NaN where there is nothing to divide by."""
    result: Doubles = np.full(np.broadcast(above, below).shape, np.nan)
    np.divide(above, below, out=result, where=below > 0)
    return result


def mean_of_known(values_RK: Doubles) -> Doubles:
    """Return the mean [R] over the classes whose value is known; NaN where none is."""
    known_RK = np.isfinite(values_RK)
    total_R = np.where(known_RK, values_RK, 0.0).sum(axis=1)
    return ratio(total_R, known_RK.sum(axis=1).astype(np.float64))

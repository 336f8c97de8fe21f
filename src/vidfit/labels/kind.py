"""What an answer of a task is: how its labels are read, how its answers are judged and stated.

Shape letters: M clips, K answers to a clip, X strata.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Clip, Floats, Indices

Doubles = NDArray[np.float64]
Mask = NDArray[np.bool_]

UNSEEN = -20.0
"""Log-probability of what a fit has not seen; no loss of a clip is more than that many nats."""


@dataclass(frozen=True, slots=True)
class Said:
    """One answer in words: a label, and how sure it is.

    ``probability`` is NaN where there is none; ``value`` is the number of an answer that is one;
    ``scores`` are the probabilities of all classes, where a label may name several.
    """

    label: str
    probability: float
    scores: tuple[float, ...] = ()
    value: float | None = None


class Kind(Protocol):
    """A kind of label. The truth is an array of its own, one row a clip; answers are [M, K]."""

    @property
    def name(self) -> str:
        """Its key in documents."""

    @property
    def what(self) -> str:
        """What a clip has, as in "these have several labels"."""

    @property
    def exclusive(self) -> bool:
        """Whether a clip has exactly one of K classes, and its answers are log-probabilities."""

    @property
    def separate(self) -> bool:
        """Whether each of K classes is said by itself, above a threshold of its own."""

    @property
    def averages(self) -> bool:
        """Whether the mean of several answers to a clip is an answer."""

    @property
    def needs(self) -> str:
        """What can be learned and tested needs, in a sentence."""

    def classes(self, clips: Sequence[Clip]) -> tuple[str, ...]:
        """Return the names of the K answers that the labels of clips call for."""

    def width(self, classes: Sequence[str]) -> int:
        """Return K for these classes."""

    def truth(self, clips: Sequence[Clip], classes: Sequence[str]) -> Any:  # noqa: ANN401
        """Return the truth of clips, one row a clip."""

    def of_classes(self, clips: Sequence[Clip], classes: Collection[str]) -> list[Clip]:
        """Return clips as if there were these classes only; those without a label stay."""

    def lacking(self, clips: Sequence[Clip]) -> Mapping[str, str]:
        """Return by class that cannot be learned and tested what it lacks, in words."""

    def checked(self, label: str) -> str:
        """Return the text of a label in the one form of the kind.

        Raises
        ------
        ValueError
            If it cannot be of the kind: says what is wrong, and what is valid.
        """

    def columns(self, truth: Any) -> int:  # noqa: ANN401
        """Return K."""

    def strata(self, truth: Any) -> Mask:  # noqa: ANN401
        """Return what is to be spread evenly over folds, [M, X]; a clip may be in several."""

    def stratum(self, truth: Any) -> Indices:  # noqa: ANN401
        """Return one stratum a clip, [M]."""

    def order(self, truth: Any) -> tuple[Indices, Doubles]:  # noqa: ANN401
        """Return the video of each clip and when it starts, where clips are windows of videos."""

    def rarest(self, truth: Any) -> int:  # noqa: ANN401
        """Return the clips that the least known answer is learned from."""

    def constant(self, known: Any, columns: int, clips: int, measure: str) -> Floats:  # noqa: ANN401
        """Return the answers [M, K] of the baseline that looks at no clip: the same to all.

        Parameters
        ----------
        known
            Truth of the clips that it knows.
        columns
            K.
        measure
            Name of what it is measured by.
        """

    def constant_words(self, constant_MK: Floats, classes: Sequence[str]) -> str:
        """Return what the baseline always answers, in words."""

    def linked(self, scores_MK: NDArray[np.floating]) -> Floats:
        """Return the answers that linear scores stand for."""

    def weighed(self, answers_SMK: Floats, floor: float) -> NDArray[np.floating]:
        """Return what fusions weigh of answers, [S, M, K]; no log-probability is below a floor."""

    def losses(self, answers_MK: NDArray[np.floating], truth: Any) -> Floats:  # noqa: ANN401
        """Return what each answer loses, [M]: what penalties and fusions are chosen by."""

    def temperature(self, answers_MK: Floats, truth: Any) -> float:  # noqa: ANN401
        """Return what scores are divided by so that held-out answers are calibrated; 1 if none."""

    def stated(self, answers_MK: Floats, temperature: float) -> Floats:
        """Return answers as they are stated, such as probabilities."""

    def as_answers(self, stated_MK: Floats) -> Floats:
        """Return stated answers as answers again."""

    def confidence(self, stated_MK: Floats) -> Floats:
        """Return how sure each answer is, [M]; 0 where being unsure is no reason to decline."""

    def thresholds(self, stated_MK: Floats, truth: Any) -> tuple[float, ...]:  # noqa: ANN401
        """Return from which stated answer on each class is said; empty where there is no need."""

    def text(self, truth: Any, classes: Sequence[str]) -> str:  # noqa: ANN401
        """Return what is true of one clip as the text of a label."""

    def said(
        self, stated_K: Floats, classes: Sequence[str], thresholds: Sequence[float] = ()
    ) -> Said:
        """Return what one stated answer says."""

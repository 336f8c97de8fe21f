"""A number a clip: answers are numbers [M, 1]."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Clip, Floats, Indices
from vidfit.labels.kind import Doubles, Mask, Said

NUMBER = "number"
"""Name of the one answer."""

_PARTS = 5
"""Numbers are dealt by fifths of their order."""


@dataclass(frozen=True)
class Number:
    """The truth is numbers [M]."""

    name: str = "number"
    what: str = "a number"
    exclusive: bool = False
    separate: bool = False
    averages: bool = True
    needs: str = "Numbers that differ are needed"

    def classes(self, clips: Sequence[Clip]) -> tuple[str, ...]:
        """Return the name of the one answer."""
        return (NUMBER,)

    def width(self, classes: Sequence[str]) -> int:
        """Return one answer a class."""
        return len(classes)

    def truth(self, clips: Sequence[Clip], classes: Sequence[str]) -> Doubles:
        """Return the numbers [M]."""
        return np.array([float(str(clip.label)) for clip in clips], np.float64)

    def of_classes(self, clips: Sequence[Clip], classes: Collection[str]) -> list[Clip]:
        """Return all clips."""
        return list(clips)

    def lacking(self, clips: Sequence[Clip]) -> Mapping[str, str]:
        """Return that the numbers are all the same, if they are."""
        if len({float(str(clip.label)) for clip in clips}) > 1:
            return {}
        return {NUMBER: f"all {len(clips)} clips have the same number"}

    def checked(self, label: str) -> str:
        """Return the text of a finite number as it is."""
        try:
            finite = isfinite(float(label))
        except ValueError:
            finite = False
        if not finite:
            raise ValueError("is no number; valid with --labels number is a number a clip")
        return label

    def columns(self, truth: Doubles) -> int:
        """Return 1."""
        return 1

    def strata(self, truth: Doubles) -> Mask:
        """Return which fifth of the numbers each clip is in."""
        of_M = self.stratum(truth)
        return np.asarray(of_M[:, None] == np.unique(of_M))

    def stratum(self, truth: Doubles) -> Indices:
        """Return the fifth of the numbers."""
        edges = np.quantile(truth, np.arange(1, _PARTS) / _PARTS)
        return np.asarray(np.searchsorted(edges, truth, side="left"), np.int64)

    def order(self, truth: Doubles) -> tuple[Indices, Doubles]:
        """Return each clip as a video of its own."""
        return np.arange(len(truth)), np.zeros(len(truth))

    def rarest(self, truth: Doubles) -> int:
        """Return all clips."""
        return len(truth)

    def constant(self, known: Doubles, columns: int, clips: int, measure: str) -> Floats:
        """Return the median, or the mean where squared errors are measured."""
        middle = np.mean(known) if measure == "r2" else np.median(known)
        return np.full((clips, columns), middle, np.float32)

    def constant_words(self, constant_MK: Floats, classes: Sequence[str]) -> str:
        """Return the number."""
        return f"{float(constant_MK[0, 0]):.4g}"

    def linked(self, scores_MK: NDArray[np.floating]) -> Floats:
        """Return the scores, which are the numbers."""
        return scores_MK.astype(np.float32, copy=False)

    def weighed(self, answers_SMK: Floats, floor: float) -> Floats:
        """Return the numbers."""
        return answers_SMK

    def losses(self, answers_MK: NDArray[np.floating], truth: Doubles) -> Floats:
        """Return squared errors as shares of the variance."""
        spread = float(np.var(truth)) or 1.0
        error_M = (np.asarray(answers_MK[:, 0], np.float64) - truth) ** 2 / spread
        result: Floats = error_M  # type: ignore[assignment]
        return result

    def temperature(self, answers_MK: Floats, truth: Doubles) -> float:
        """Return 1."""
        return 1.0

    def stated(self, answers_MK: Floats, temperature: float) -> Floats:
        """Return the numbers."""
        return answers_MK

    def as_answers(self, stated_MK: Floats) -> Floats:
        """Return the numbers."""
        return stated_MK

    def confidence(self, stated_MK: Floats) -> Floats:
        """Return 0: a number has no probability."""
        return np.zeros(len(stated_MK), np.float32)

    def thresholds(self, stated_MK: Floats, truth: Doubles) -> tuple[float, ...]:
        """Return none."""
        return ()

    def text(self, truth: Any, classes: Sequence[str]) -> str:  # noqa: ANN401
        """Return the number."""
        return f"{float(truth):.4g}"

    def said(
        self,
        stated_K: Floats,
        classes: Sequence[str],
        thresholds: Sequence[float] = (),
    ) -> Said:
        """Return the number; it has no probability."""
        number = float(stated_K[0])
        return Said(self.text(number, classes), float("nan"), value=number)

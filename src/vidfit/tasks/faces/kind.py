"""The kind of label of a picture of a person: a name; an answer may be that it is nobody known.

Shape letters: M pictures, K people, X strata.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Clip, Floats, Indices
from vidfit.labels import Said
from vidfit.labels.one import OneClass

UNKNOWN = "unknown"
"""What is said of somebody who is none of the known people."""

LEAST_PEOPLE = 2

_NEVER = -1.0
"""Answer of the baseline: nobody is named."""


@dataclass(frozen=True)
class Identity(OneClass):
    """The truth is the number of the person; answers are those of `vidfit.metrics.identities`."""

    name: str = "identity"
    what: str = "a person"
    exclusive: bool = False
    needs: str = f"{LEAST_PEOPLE} people with two pictures each are needed to measure anything"

    def lacking(self, clips: Sequence[Clip]) -> Mapping[str, str]:
        """Return that there are too few people, if there are; one with one picture is known."""
        people = self.classes(clips)
        twice = [name for name in people if sum(clip.label == name for clip in clips) > 1]
        if len(twice) >= LEAST_PEOPLE:
            return {}
        said = f"{len(people)} people, {len(twice)} of them with two pictures or more"
        return dict.fromkeys(people, said)

    def checked(self, label: str) -> str:
        """Return the name.

        Raises
        ------
        ValueError
            If it is the word for somebody who is not known.
        """
        if label.strip().casefold() == UNKNOWN:
            raise ValueError(f"is what strangers are called; name the person, not {UNKNOWN!r}")
        return label

    def constant(self, known: Indices, columns: int, clips: int, measure: str) -> Floats:
        """Return that nobody is named."""
        return np.full((clips, columns), _NEVER, np.float32)

    def constant_words(self, constant_MK: Floats, classes: Sequence[str]) -> str:
        """Return the word for somebody who is not known."""
        return UNKNOWN

    def linked(self, scores_MK: NDArray[np.floating]) -> Floats:
        """Return the similarities, less the threshold, as they are."""
        return scores_MK.astype(np.float32, copy=False)

    def weighed(self, answers_SMK: Floats, floor: float) -> Floats:
        """Return the answers."""
        return answers_SMK

    def losses(self, answers_MK: NDArray[np.floating], truth: Any) -> Floats:  # noqa: ANN401
        """Return by how much the own person is less alike than the most alike other, [M]."""
        rows = np.arange(len(truth))
        others_MK = np.array(answers_MK, np.float32)
        others_MK[rows, truth] = -np.inf
        best_M = others_MK.max(axis=1) if answers_MK.shape[1] > 1 else np.zeros(len(truth))
        lost_M: Floats = np.asarray(best_M - answers_MK[rows, truth], np.float32)
        return lost_M

    def temperature(self, answers_MK: Floats, truth: Any) -> float:  # noqa: ANN401
        """Return 1: there are no probabilities."""
        return 1.0

    def stated(self, answers_MK: Floats, temperature: float) -> Floats:
        """Return the answers."""
        return answers_MK

    def as_answers(self, stated_MK: Floats) -> Floats:
        """Return the answers."""
        return stated_MK

    def confidence(self, stated_MK: Floats) -> Floats:
        """Return 0: that nobody is named is an answer, not a declined one."""
        return np.zeros(len(stated_MK), np.float32)

    def said(
        self, stated_K: Floats, classes: Sequence[str], thresholds: Sequence[float] = ()
    ) -> Said:
        """Return the most alike person, or that it is nobody who is known."""
        best = int(stated_K.argmax())
        over = float(stated_K[best])
        return Said(classes[best] if over >= 0 else UNKNOWN, float("nan"), value=over)


IDENTITY = Identity()

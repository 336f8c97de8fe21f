"""A class for each pixel: the label of a picture is the file of its mask.

Shape letters: M pictures, C classes, K numbers of an answer (`vidfit.metrics.areas`).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Clip, Floats, Indices
from vidfit.labels.kind import Doubles, Mask, Said
from vidfit.manifest.annotations.masks import VOID, VOID_NAMES
from vidfit.metrics.areas import (
    LabelledMask,
    answer_of,
    cells_of,
    numbers_of_answer,
    shares_of_cells,
)

PRIOR_GRID = (44, 60)
"""Rows and columns of the place prior."""

_NAMED, _LEAST = 3, 0.005


@dataclass(frozen=True)
class Masks:
    """The truth is `LabelledMask` [M]; an answer says its grid, and of each cell [C].

    Parameters
    ----------
    names
        Of the classes.
    numbers
        The class of each number of a mask, `VOID` where it has none; empty where the numbers of
        masks are those of classes.
    """

    names: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()
    name: str = "mask"
    what: str = "a mask"
    exclusive: bool = False
    separate: bool = False
    averages: bool = False
    needs: str = "Masks of two classes or more, in two recordings, are needed"

    def classes(self, clips: Sequence[Clip]) -> tuple[str, ...]:
        """Return the names of the classes."""
        return self.names

    def width(self, classes: Sequence[str]) -> int:
        """Return K."""
        return numbers_of_answer(len(classes))

    def truth(self, clips: Sequence[Clip], classes: Sequence[str]) -> NDArray[Any]:
        """Return the masks."""
        truth = np.empty(len(clips), object)
        numbers = self.numbers or tuple(range(len(self.names)))
        truth[:] = [LabelledMask(str(clip.label), numbers, len(self.names)) for clip in clips]
        return truth

    def of_classes(self, clips: Sequence[Clip], classes: Collection[str]) -> list[Clip]:
        """Return all clips: a picture shows what it shows."""
        return list(clips)

    def lacking(self, clips: Sequence[Clip]) -> Mapping[str, str]:
        """Return what is missing where fewer than two classes have a pixel."""
        there_MC = self.strata(self.truth(clips, self.names))
        if there_MC.any(axis=0).sum() >= 2:
            return {}
        return dict.fromkeys(self.names, "all pixels are of one class, or of none")

    def checked(self, label: str) -> str:
        """Return the path of a mask."""
        if not label.strip():
            raise ValueError("is empty; valid is the path of a mask")
        return label

    def columns(self, truth: Any) -> int:  # noqa: ANN401
        """Return K."""
        return numbers_of_answer(truth[0].classes)

    def strata(self, truth: Any) -> Mask:  # noqa: ANN401
        """Return whether each class has a pixel, [M, C]."""
        return np.stack([mask.counts() > 0 for mask in truth])

    def stratum(self, truth: Any) -> Indices:  # noqa: ANN401
        """Return the class with the most pixels."""
        return np.array([int(mask.counts().argmax()) for mask in truth], np.int64)

    def order(self, truth: Any) -> tuple[Indices, Doubles]:  # noqa: ANN401
        """Return each picture as a video of its own."""
        return np.arange(len(truth)), np.zeros(len(truth))

    def rarest(self, truth: Any) -> int:  # noqa: ANN401
        """Return in how many pictures the rarest class that is there has a pixel."""
        counts_C = self.strata(truth).sum(axis=0)
        return int(counts_C[counts_C > 0].min(initial=len(truth)))

    def constant(self, known: Any, columns: int, clips: int, measure: str) -> Floats:  # noqa: ANN401
        """Return the place prior: how frequent each class is at each place."""
        answer_K = _prior(tuple(known))
        return np.broadcast_to(answer_K, (clips, len(answer_K)))

    def constant_words(self, constant_MK: Floats, classes: Sequence[str]) -> str:
        """Return what the place prior is."""
        return "the usual class of each place"

    def linked(self, scores_MK: NDArray[np.floating]) -> Floats:
        """Return answers as they are: their log-probabilities are normalised by place."""
        return np.asarray(scores_MK, np.float32)

    def weighed(self, answers_SMK: Floats, floor: float) -> Floats:
        """Return answers as they are."""
        return answers_SMK

    def losses(self, answers_MK: NDArray[np.floating], truth: Any) -> Floats:  # noqa: ANN401
        """Return the mean negative log-probability of the pixels of each picture."""
        return np.array([_loss(*pair) for pair in zip(answers_MK, truth, strict=True)], np.float32)

    def temperature(self, answers_MK: Floats, truth: Any) -> float:  # noqa: ANN401
        """Return 1: classes are weighed, so that probabilities are not those of pixels."""
        return 1.0

    def stated(self, answers_MK: Floats, temperature: float) -> Floats:
        """Return answers as they are."""
        return np.asarray(answers_MK, np.float32)

    def as_answers(self, stated_MK: Floats) -> Floats:
        """Return answers as they are."""
        return np.asarray(stated_MK, np.float32)

    def confidence(self, stated_MK: Floats) -> Floats:
        """Return no confidence: nothing is declined for a lack of it."""
        return np.zeros(len(stated_MK), np.float32)

    def thresholds(self, stated_MK: Floats, truth: Any) -> tuple[float, ...]:  # noqa: ANN401
        """Return none."""
        return ()

    def text(self, truth: Any, classes: Sequence[str]) -> str:  # noqa: ANN401
        """Return the path of the mask."""
        return str(truth.path)

    def said(
        self, stated_K: Floats, classes: Sequence[str], thresholds: Sequence[float] = ()
    ) -> Said:
        """Return the shares of the picture that the largest classes have, and how sure it is."""
        log_YXC = cells_of(stated_K)
        share_C = np.bincount(log_YXC.argmax(axis=2).ravel(), minlength=log_YXC.shape[2])
        share_C = share_C / share_C.sum()
        largest = [
            int(c) for c in np.argsort(-share_C, kind="stable")[:_NAMED] if share_C[c] >= _LEAST
        ]
        label = ", ".join(f"{classes[c]} {share_C[c]:.0%}" for c in largest)
        return Said(label, float(np.exp(log_YXC.max(axis=2)).mean()))


@lru_cache(maxsize=16)
def _prior(known: tuple[LabelledMask, ...]) -> Floats:
    classes = known[0].classes
    total_UC = np.zeros((PRIOR_GRID[0] * PRIOR_GRID[1], classes))
    for mask in known:
        total_UC += shares_of_cells(mask.labels(), classes, PRIOR_GRID)
    everywhere_C = total_UC.sum(axis=0) / max(total_UC.sum(), 1.0)
    share_UC = (total_UC + everywhere_C) / (total_UC.sum(axis=1, keepdims=True) + 1.0)
    log_UC = np.log(np.maximum(share_UC, math.exp(-12.0)))
    answer_K = answer_of(log_UC.reshape(*PRIOR_GRID, classes))
    answer_K.flags.writeable = False
    return answer_K


def _loss(answer_K: Floats, mask: LabelledMask) -> float:
    log_YXC = cells_of(answer_K)
    shares_UC = shares_of_cells(mask.labels(), mask.classes, log_YXC.shape[:2])
    total = float(shares_UC.sum())
    lost = -float((shares_UC * log_YXC.reshape(shares_UC.shape)).sum())
    return lost / total if total else 0.0


MASKS = Masks()


def named(names: Sequence[str]) -> Masks:
    """Return the kind of masks whose numbers have these names; void is left out."""
    void = {number for number, name in enumerate(names) if is_void(name)}
    kept = [number for number in range(len(names)) if number not in void]
    numbers = tuple(kept.index(i) if i in kept else VOID for i in range(len(names)))
    return Masks(tuple(names[number] for number in kept), numbers)


def is_void(name: str) -> bool:
    """Return whether a name says that pixels are of no class."""
    return name.strip().casefold() in VOID_NAMES

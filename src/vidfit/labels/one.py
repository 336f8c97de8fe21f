"""One class a clip: answers are log-probabilities of K classes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Clip, Floats, Indices
from vidfit.labels.kind import UNSEEN, Doubles, Mask, Said

NO_LABEL = -1
"""The class number of a clip without a label."""

TEMPERATURES = np.exp(np.linspace(np.log(0.25), np.log(8.0), 121))
"""Those that are tried: in [0.25, 8]."""

_LEAST = 1e-9


@dataclass(frozen=True)
class OneClass:
    """The truth is class numbers [M]."""

    name: str = "one"
    what: str = "one class"
    exclusive: bool = True
    separate: bool = False
    averages: bool = True
    needs: str = ""

    def classes(self, clips: Sequence[Clip]) -> tuple[str, ...]:
        """Return the classes, sorted."""
        return tuple(sorted({clip.label for clip in clips if clip.label is not None}))

    def width(self, classes: Sequence[str]) -> int:
        """Return one answer a class."""
        return len(classes)

    def truth(self, clips: Sequence[Clip], classes: Sequence[str]) -> Indices:
        """Return class numbers [M]; no class is -1."""
        number = {name: k for k, name in enumerate(classes)} | {None: NO_LABEL}
        return np.array([number[clip.label] for clip in clips], np.int64)

    def of_classes(self, clips: Sequence[Clip], classes: Collection[str]) -> list[Clip]:
        """Return the clips of these classes, and those without a label."""
        return [clip for clip in clips if clip.label is None or clip.label in classes]

    def lacking(self, clips: Sequence[Clip]) -> Mapping[str, str]:
        """Return nothing: folds of one class are dealt, and refused, by `vidfit.study.folds`."""
        return {}

    def checked(self, label: str) -> str:
        """Return the class as it is."""
        return label

    def columns(self, truth: Indices) -> int:
        """Return one more than the highest class number."""
        return int(truth.max()) + 1

    def strata(self, truth: Indices) -> Mask:
        """Return whether each clip is of each class."""
        return np.asarray(truth[:, None] == np.unique(truth))

    def stratum(self, truth: Indices) -> Indices:
        """Return the class."""
        return np.asarray(truth, np.int64)

    def order(self, truth: Indices) -> tuple[Indices, Doubles]:
        """Return each clip as a video of its own."""
        return np.arange(len(truth)), np.zeros(len(truth))

    def rarest(self, truth: Indices) -> int:
        """Return the clips of the rarest class."""
        return min(Counter(truth.tolist()).values())

    def constant(self, known: Indices, columns: int, clips: int, measure: str) -> Floats:
        """Return the shares of the classes among the known clips: the most frequent is answered."""
        return class_shares(known, columns, clips)

    def constant_words(self, constant_MK: Floats, classes: Sequence[str]) -> str:
        """Return the most frequent class."""
        return classes[int(constant_MK[0].argmax())]

    def linked(self, scores_MK: NDArray[np.floating]) -> Floats:
        """Return the logarithm of the softmax, stable for large values."""
        shifted = scores_MK - scores_MK.max(axis=1, keepdims=True)
        log_MK: Floats = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        return log_MK.astype(np.float32, copy=False)

    def weighed(self, answers_SMK: Floats, floor: float) -> Floats:
        """Return the log-probabilities."""
        return np.maximum(answers_SMK, floor)

    def losses(self, answers_MK: NDArray[np.floating], truth: Any) -> Floats:  # noqa: ANN401
        """Return the negative log-probability of the label, each at most 20 nats."""
        result: Floats = -np.clip(answers_MK[np.arange(len(truth)), truth], UNSEEN, None)
        return result

    def temperature(self, answers_MK: Floats, truth: Any) -> float:  # noqa: ANN401
        """Return the temperature with the lowest log-loss."""
        logits = answers_MK.astype(np.float64)[None] / TEMPERATURES[:, None, None]
        logits -= logits.max(axis=2, keepdims=True)
        normaliser = np.log(np.exp(logits).sum(axis=2))
        of_label = logits[:, np.arange(len(truth)), truth]
        return float(TEMPERATURES[int(np.argmin((normaliser - of_label).mean(axis=1)))])

    def stated(self, answers_MK: Floats, temperature: float) -> Floats:
        """Return probabilities."""
        logits = answers_MK.astype(np.float64) / temperature
        exp = np.exp(logits - logits.max(axis=1, keepdims=True))
        result: Floats = (exp / exp.sum(axis=1, keepdims=True)).astype(np.float32)
        return result

    def as_answers(self, stated_MK: Floats) -> Floats:
        """Return log-probabilities, none below `UNSEEN`."""
        result: Floats = np.log(np.maximum(stated_MK, np.exp(UNSEEN)))
        return result

    def confidence(self, stated_MK: Floats) -> Floats:
        """Return the probability of the most probable class."""
        result: Floats = stated_MK.max(axis=1)
        return result

    def thresholds(self, stated_MK: Floats, truth: Any) -> tuple[float, ...]:  # noqa: ANN401
        """Return none: the most probable class is said."""
        return ()

    def text(self, truth: Any, classes: Sequence[str]) -> str:  # noqa: ANN401
        """Return the class."""
        return classes[int(truth)]

    def said(
        self,
        stated_K: Floats,
        classes: Sequence[str],
        thresholds: Sequence[float] = (),
    ) -> Said:
        """Return the most probable class."""
        best = int(stated_K.argmax())
        return Said(classes[best], float(stated_K[best]))


def class_shares(known_M: Indices, classes: int, clips: int) -> Floats:
    """Return log-probabilities [M, K] that are the shares of the classes among known clips."""
    counts_K = np.bincount(known_M, minlength=classes)
    log_K = np.log(np.maximum(counts_K / counts_K.sum(), _LEAST)).astype(np.float32)
    return np.tile(log_K, (clips, 1))

"""Several classes a clip: answers are log-probabilities of K classes that stand by themselves."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Clip, Floats, Indices
from vidfit.label_kinds import joined, names_in
from vidfit.labels.kind import UNSEEN, Doubles, Mask, Said
from vidfit.labels.one import TEMPERATURES
from vidfit.labels.thresholds import f1_thresholds, log_sigmoid, odds

LEAST = 2
"""Recordings with a class, and without it, that it needs."""

_LEAST_SHARE = 1e-9


@dataclass(frozen=True)
class SeveralClasses:
    """The truth is whether each class is there, [M, K]."""

    name: str = "several"
    what: str = "several labels"
    exclusive: bool = False
    separate: bool = True
    averages: bool = True
    needs: str = "A class needs two recordings with it, and two without"

    def classes(self, clips: Sequence[Clip]) -> tuple[str, ...]:
        """Return the classes, sorted."""
        labels = (clip.label for clip in clips if clip.label is not None)
        return tuple(sorted({name for label in labels for name in names_in(label)}))

    def width(self, classes: Sequence[str]) -> int:
        """Return one answer a class."""
        return len(classes)

    def truth(self, clips: Sequence[Clip], classes: Sequence[str]) -> Mask:
        """Return whether each class is there, [M, K]."""
        place = {name: k for k, name in enumerate(classes)}
        there_MK = np.zeros((len(clips), len(classes)), np.bool_)
        for row, clip in enumerate(clips):
            there_MK[row, [place[n] for n in names_in(str(clip.label)) if n in place]] = True
        return there_MK

    def of_classes(self, clips: Sequence[Clip], classes: Collection[str]) -> list[Clip]:
        """Return the clips with the names of these classes only."""
        return [
            clip
            if clip.label is None
            else replace(clip, label=joined(n for n in names_in(clip.label) if n in classes))
            for clip in clips
        ]

    def lacking(self, clips: Sequence[Clip]) -> Mapping[str, str]:
        """Return the classes that too few recordings have, or lack."""
        classes = self.classes(clips)
        there_MK, groups = self.truth(clips, classes), np.array([c.recording for c in clips])
        found = {}
        for k, name in enumerate(classes):
            with_it, without = set(groups[there_MK[:, k]]), set(groups[~there_MK[:, k]])
            if min(len(with_it), len(without)) < LEAST:
                plural = "s" * (len(with_it) != 1)
                found[name] = (
                    f"{name!r} is in clips of {len(with_it)} recording{plural}, and missing from "
                    f"clips of {len(without)}"
                )
        return found

    def checked(self, label: str) -> str:
        """Return the classes joined, sorted, each once."""
        return joined(names_in(label))

    def columns(self, truth: Mask) -> int:
        """Return the number of classes."""
        return int(truth.shape[1])

    def strata(self, truth: Mask) -> Mask:
        """Return the classes of each clip, and those that it has not."""
        return np.concatenate([truth, ~truth], axis=1)

    def stratum(self, truth: Mask) -> Indices:
        """Return the set of classes of each clip."""
        return np.asarray(np.unique(truth, axis=0, return_inverse=True)[1].reshape(-1), np.int64)

    def order(self, truth: Mask) -> tuple[Indices, Doubles]:
        """Return each clip as a video of its own."""
        return np.arange(len(truth)), np.zeros(len(truth))

    def rarest(self, truth: Mask) -> int:
        """Return the clips of the rarest class."""
        return int(truth.sum(axis=0).min())

    def constant(self, known: Mask, columns: int, clips: int, measure: str) -> Floats:
        """Return the shares of the classes; all are said where that is measured, by F1."""
        if measure.endswith("f1"):
            return np.full((clips, columns), -_LEAST_SHARE, np.float32)
        log_K = np.log(np.clip(known.mean(axis=0), _LEAST_SHARE, 1.0 - 1e-6)).astype(np.float32)
        return np.tile(log_K, (clips, 1))

    def constant_words(self, constant_MK: Floats, classes: Sequence[str]) -> str:
        """Return what the shares are."""
        return "how often each class occurs"

    def linked(self, scores_MK: NDArray[np.floating]) -> Floats:
        """Return the logarithm of the sigmoid of each score."""
        return log_sigmoid(scores_MK)

    def weighed(self, answers_SMK: Floats, floor: float) -> Doubles:
        """Return the log-odds, none too sure either way."""
        return np.clip(odds(answers_SMK), floor, -floor)

    def losses(self, answers_MK: NDArray[np.floating], truth: Mask) -> Floats:
        """Return the mean over classes of the negative log-probability of what is true."""
        signed_MK = np.where(truth, odds(answers_MK), -odds(answers_MK))
        lost_MK = np.minimum(np.logaddexp(0.0, -signed_MK), -UNSEEN)
        each: Floats = lost_MK.mean(axis=1)
        return each

    def temperature(self, answers_MK: Floats, truth: Mask) -> float:
        """Return the temperature of the lowest log-loss, which all classes share."""
        signed_MK = np.where(truth, odds(answers_MK), -odds(answers_MK))
        found = [float(np.logaddexp(0.0, -signed_MK / t).mean()) for t in TEMPERATURES]
        return float(TEMPERATURES[int(np.argmin(found))])

    def stated(self, answers_MK: Floats, temperature: float) -> Floats:
        """Return the probability of each class."""
        return np.exp(log_sigmoid(odds(answers_MK) / temperature))

    def as_answers(self, stated_MK: Floats) -> Floats:
        """Return log-probabilities, none below `UNSEEN`."""
        result: Floats = np.log(np.maximum(stated_MK, np.exp(UNSEEN)))
        return result

    def confidence(self, stated_MK: Floats) -> Floats:
        """Return 0: a clip may rightly have no class."""
        return np.zeros(len(stated_MK), np.float32)

    def thresholds(self, stated_MK: Floats, truth: Mask) -> tuple[float, ...]:
        """Return by class the probability above which it is said for the best F1."""
        limits_K = f1_thresholds(self.as_answers(stated_MK), truth)
        return tuple(float(1.0 / (1.0 + np.exp(-limit))) for limit in limits_K)

    def text(self, truth: Any, classes: Sequence[str]) -> str:  # noqa: ANN401
        """Return the classes that are there, joined."""
        return joined(classes[int(k)] for k in np.flatnonzero(truth))

    def said(
        self, stated_K: Floats, classes: Sequence[str], thresholds: Sequence[float] = ()
    ) -> Said:
        """Return the classes above their thresholds; as sure as the least sure of them."""
        scores = tuple(float(p) for p in stated_K)
        which = [k for k, limit in enumerate(thresholds) if scores[k] > limit]
        sure = min((scores[k] for k in which), default=1.0 - max(scores))
        return Said(joined(classes[k] for k in which), sure, scores)

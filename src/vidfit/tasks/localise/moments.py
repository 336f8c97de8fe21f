"""The kind of label of a window: the span that it lies in, ``walk 4.64 7.68``, or background.

Shape letters: M windows, K answers, the background first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Clip, Floats, Indices
from vidfit.labels import ONE, Said, class_shares
from vidfit.labels.kind import Doubles, Mask
from vidfit.metrics.segments import BACKGROUND, CLASS, START, VIDEO

NOTHING = "background"
"""Label of a window that no span covers."""

_LEAST = 2


@dataclass(frozen=True)
class Moments:
    """The truth is that of `vidfit.metrics.segments`; answers are log-probabilities [M, K]."""

    name: str = "moments"
    what: str = "labelled spans"
    exclusive: bool = False
    separate: bool = False
    averages: bool = True
    needs: str = "A class needs spans in two recordings"

    def classes(self, clips: Sequence[Clip]) -> tuple[str, ...]:
        """Return the background, and the classes of spans, sorted."""
        found = {span_of(clip)[0] for clip in clips if clip.label is not None}
        return (NOTHING, *sorted(found - {NOTHING}))

    def width(self, classes: Sequence[str]) -> int:
        """Return one answer a class."""
        return len(classes)

    def truth(self, clips: Sequence[Clip], classes: Sequence[str]) -> Doubles:
        """Return class, video, start and end of each window, and of its span, [M, 6]."""
        number = {name: float(k) for k, name in enumerate(classes)}
        videos = {path: i for i, path in enumerate(dict.fromkeys(clip.path for clip in clips))}
        rows = []
        for clip in clips:
            label, start, end = span_of(clip)
            until = end if clip.end_seconds is None else clip.end_seconds
            rows.append((number[label], videos[clip.path], clip.start_seconds, until, start, end))
        return np.array(rows, np.float64).reshape(-1, 6)

    def of_classes(self, clips: Sequence[Clip], classes: Collection[str]) -> list[Clip]:
        """Return windows of these classes and of the background, and those without a label."""
        kept = {*classes, NOTHING}
        return [clip for clip in clips if clip.label is None or span_of(clip)[0] in kept]

    def lacking(self, clips: Sequence[Clip]) -> Mapping[str, str]:
        """Return the classes that a single recording has."""
        groups: dict[str, set[str]] = defaultdict(set)
        for clip in clips:
            groups[span_of(clip)[0]].add(clip.recording)
        few = {name: len(of) for name, of in groups.items() if len(of) < _LEAST}
        few.pop(NOTHING, None)
        if len(groups.keys() - few.keys() - {NOTHING}) == 0:
            few.setdefault(NOTHING, 0)
        return {name: f"{name!r} is in {count} recording" for name, count in few.items()}

    def checked(self, label: str) -> str:
        """Return a span as its class, start and end; the background by its name."""
        if label == NOTHING:
            return label
        name, start, end = parsed(label)
        return written(name, start, end)

    def columns(self, truth: Doubles) -> int:
        """Return the classes and the background."""
        return int(truth[:, CLASS].max(initial=1)) + 1

    def strata(self, truth: Doubles) -> Mask:
        """Return whether each window is of each class."""
        return ONE.strata(self.stratum(truth))

    def stratum(self, truth: Doubles) -> Indices:
        """Return the class, 0 for background."""
        return numbers_of(truth)

    def rarest(self, truth: Doubles) -> int:
        """Return the windows of the rarest class."""
        return ONE.rarest(self.stratum(truth))

    def constant(self, known: Doubles, columns: int, clips: int, measure: str) -> Floats:
        """Return the shares of the classes among the known windows."""
        return class_shares(numbers_of(known), columns, clips)

    def constant_words(self, constant_MK: Floats, classes: Sequence[str]) -> str:
        """Return the most frequent class."""
        return ONE.constant_words(constant_MK, classes)

    def order(self, truth: Doubles) -> tuple[Indices, Doubles]:
        """Return the video of each window and when it starts."""
        return truth[:, VIDEO].astype(np.int64), truth[:, START]

    def linked(self, scores_MK: NDArray[np.floating]) -> Floats:
        """Return the logarithm of the softmax."""
        return ONE.linked(scores_MK)

    def weighed(self, answers_SMK: Floats, floor: float) -> NDArray[np.floating]:
        """Return the log-probabilities."""
        return ONE.weighed(answers_SMK, floor)

    def losses(self, answers_MK: NDArray[np.floating], truth: Doubles) -> Floats:
        """Return the negative log-probability of the class of each window."""
        return ONE.losses(answers_MK, numbers_of(truth))

    def temperature(self, answers_MK: Floats, truth: Doubles) -> float:
        """Return the temperature with the lowest log-loss."""
        return ONE.temperature(answers_MK, numbers_of(truth))

    def stated(self, answers_MK: Floats, temperature: float) -> Floats:
        """Return probabilities."""
        return ONE.stated(answers_MK, temperature)

    def as_answers(self, stated_MK: Floats) -> Floats:
        """Return log-probabilities."""
        return ONE.as_answers(stated_MK)

    def confidence(self, stated_MK: Floats) -> Floats:
        """Return the probability of the most probable class."""
        return ONE.confidence(stated_MK)

    def thresholds(self, stated_MK: Floats, truth: Doubles) -> tuple[float, ...]:
        """Return none."""
        return ()

    def text(self, truth: Any, classes: Sequence[str]) -> str:  # noqa: ANN401
        """Return the span as it is written."""
        number = int(truth[CLASS])
        return NOTHING if number == BACKGROUND else written(classes[number], *truth[4:6])

    def said(
        self, stated_K: Floats, classes: Sequence[str], thresholds: Sequence[float] = ()
    ) -> Said:
        """Return the most probable class, or background."""
        return ONE.said(stated_K, classes, thresholds)


MOMENTS = Moments()


def numbers_of(truth: Doubles) -> Indices:
    """Return class numbers [M], 0 for background."""
    return truth[:, CLASS].astype(np.int64)


def span_of(clip: Clip) -> tuple[str, float, float]:
    """Return class, start and end of the span that a window lies in."""
    label = str(clip.label)
    return (NOTHING, 0.0, 0.0) if label == NOTHING else parsed(label)


def parsed(label: str) -> tuple[str, float, float]:
    """Return class, start and end from the text of a span.

    Raises
    ------
    ValueError
        If it is no such text.
    """
    name, *times = label.rsplit(" ", 2)
    try:
        start, end = map(float, times)
    except ValueError:
        start, end = 0.0, -1.0
    if not name or not 0 <= start < end:
        raise ValueError("is no span; valid is a class, its start and its end: 'walk 4.64 7.68'")
    return name, start, end


def written(name: str, start: float, end: float) -> str:
    """Return the text of a span."""
    return f"{name} {start:.3f} {end:.3f}"

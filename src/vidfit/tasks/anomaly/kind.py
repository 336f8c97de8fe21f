"""The kind of label of a window: of a normal recording, usual, or in an unusual event.

Labels are ``normal`` (of a recording that is normal throughout: it may be learned from),
``usual`` (of one that has, or may have, events), and ``unusual 4.64 7.68`` (the event's start and
end). An answer [M, 1] is minus the logarithm of a p-value, less that of `ALARM`: above 0 a window
is as strange as at most that share of the windows of normal recordings.

Shape letters: M windows, X strata.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Clip, Floats, Indices
from vidfit.labels import Said
from vidfit.labels.kind import Doubles, Mask
from vidfit.labels.number import Number
from vidfit.metrics.segments import CLASS, START, VIDEO
from vidfit.metrics.unusual import NORMAL
from vidfit.shown import counted
from vidfit.tasks.localise.moments import parsed, written

NORMAL_LABEL, USUAL, UNUSUAL = "normal", "usual", "unusual"

ALARM = 0.01
"""P-value from which a window is an alarm."""

LEAST_RECORDINGS = 4
"""Of normal recordings: those that answer, that a threshold is of, and two that are learned."""


@dataclass(frozen=True)
class Unusual(Number):
    """The truth is that of `vidfit.metrics.unusual`."""

    name: str = "unusual"
    what: str = "normal recordings, and events to find"
    needs: str = f"{LEAST_RECORDINGS} normal recordings are needed"

    def classes(self, clips: Sequence[Clip]) -> tuple[str, ...]:
        """Return the name of the one answer."""
        return (UNUSUAL,)

    def truth(self, clips: Sequence[Clip], classes: Sequence[str]) -> Doubles:
        """Return class, video, start and end, start and end of the event, and whether normal."""
        videos = {path: i for i, path in enumerate(dict.fromkeys(clip.path for clip in clips))}
        rows = []
        for clip in clips:
            label = str(clip.label)
            event = () if label in (NORMAL_LABEL, USUAL) else parsed(label)[1:]
            start, end = event or (0.0, 0.0)
            until = clip.end_seconds  # only a clip that was never read has none
            until = max(end, clip.start_seconds + 1.0) if until is None else until
            rows.append(
                (bool(event), videos[clip.path], clip.start_seconds, until, start, end,
                 label == NORMAL_LABEL)
            )  # fmt: skip
        return np.array(rows, np.float64).reshape(-1, NORMAL + 1)

    def lacking(self, clips: Sequence[Clip]) -> Mapping[str, str]:
        """Return that there are too few normal recordings, if there are."""
        normal = {clip.recording for clip in clips if clip.label == NORMAL_LABEL}
        if len(normal) >= LEAST_RECORDINGS:
            return {}
        return {UNUSUAL: f"normal throughout: {counted(len(normal), 'recording')}"}

    def checked(self, label: str) -> str:
        """Return ``normal``, ``usual``, or ``unusual`` with start and end."""
        if label in (NORMAL_LABEL, USUAL):
            return label
        try:
            return written(UNUSUAL, *parsed(label)[1:])
        except ValueError as error:
            raise ValueError(
                "is none of 'normal', 'usual', and an event with its start and end, such as "
                "'unusual 4.64 7.68'"
            ) from error

    def strata(self, truth: Doubles) -> Mask:
        """Return whether each window is of a normal recording, or of an event."""
        of_M = self.stratum(truth)
        return np.asarray(of_M[:, None] == np.unique(of_M))

    def stratum(self, truth: Doubles) -> Indices:
        """Return 0 for a normal recording, 1 for an event, 2 for the rest."""
        rest_M = 2 - truth[:, CLASS].astype(np.int64)
        return np.where(truth[:, NORMAL] > 0, 0, rest_M)

    def order(self, truth: Doubles) -> tuple[Indices, Doubles]:
        """Return the video of each window and when it starts."""
        return truth[:, VIDEO].astype(np.int64), truth[:, START]

    def rarest(self, truth: Doubles) -> int:
        """Return the windows that are learned from."""
        return int((truth[:, NORMAL] > 0).sum())

    def constant(self, known: Doubles, columns: int, clips: int, measure: str) -> Floats:
        """Return that nothing is unusual."""
        return np.full((clips, 1), math.log(ALARM), np.float32)

    def constant_words(self, constant_MK: Floats, classes: Sequence[str]) -> str:
        """Return the word for what is no alarm."""
        return USUAL

    def losses(self, answers_MK: NDArray[np.floating], truth: Doubles) -> Floats:
        """Return the log-loss of answers as the logarithm of odds."""
        against_M = np.where(truth[:, CLASS] > 0, -answers_MK[:, 0], answers_MK[:, 0])
        lost_M: Floats = np.logaddexp(0.0, against_M).astype(np.float32)
        return lost_M

    def stated(self, answers_MK: Floats, temperature: float) -> Floats:
        """Return minus the decimal logarithm of the p-value."""
        stated_MK: Floats = ((answers_MK - math.log(ALARM)) / math.log(10)).astype(np.float32)
        return stated_MK

    def as_answers(self, stated_MK: Floats) -> Floats:
        """Return stated answers as answers again."""
        answers_MK: Floats = (stated_MK * math.log(10) + math.log(ALARM)).astype(np.float32)
        return answers_MK

    def text(self, truth: Any, classes: Sequence[str]) -> str:  # noqa: ANN401
        """Return the label."""
        if truth[CLASS]:
            return written(UNUSUAL, *truth[4:6])
        return NORMAL_LABEL if truth[NORMAL] else USUAL

    def said(
        self, stated_K: Floats, classes: Sequence[str], thresholds: Sequence[float] = ()
    ) -> Said:
        """Return whether it is an alarm, one less the p-value, and minus its logarithm."""
        score = float(stated_K[0])
        label = UNUSUAL if score >= -math.log10(ALARM) else USUAL
        return Said(label, 1.0 - 10.0 ** -max(score, 0.0), value=score)


KIND = Unusual()

"""The kind of label of a frame: its boxes.

Shape letters: M frames, S boxes of a frame, K numbers of an answer, X strata.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidfit.boxes import Box
from vidfit.contracts import Clip, Floats, Indices
from vidfit.labels import Said
from vidfit.labels.kind import Doubles, Mask
from vidfit.labels.number import Number
from vidfit.metrics.boxes import (
    ANSWERED,
    ANSWERS,
    CLASS,
    COLUMNS,
    EDGES,
    IGNORED,
    NAME,
    NOTHING,
    NUMBERS,
    SCORE,
    SIZE,
    matched,
)
from vidfit.tasks.detect.labels import FrameLabel, name_number, parsed, written

SAID_SCORE = 0.5
"""From which score on a box is said."""

_LEAST = 2
_SURE = 0.01
"""Probability that a missed object is taken to have been given."""


@dataclass(frozen=True)
class FrameBoxes(Number):
    """Truth and answers are those of `vidfit.metrics.boxes`."""

    name: str = "boxes"
    what: str = "boxes"
    averages: bool = False
    needs: str = "A class needs boxes in two recordings"

    def classes(self, clips: Sequence[Clip]) -> tuple[str, ...]:
        """Return the classes of boxes, sorted; those that are only ignored are none."""
        labels = (parsed(clip.label) for clip in clips if clip.label is not None)
        return tuple(sorted({b.label for label in labels for b in label.boxes if not b.ignored}))

    def width(self, classes: Sequence[str]) -> int:
        """Return the numbers of an answer, whatever the classes are."""
        return ANSWERS * NUMBERS

    def truth(self, clips: Sequence[Clip], classes: Sequence[str]) -> Doubles:
        """Return the boxes of each frame, [M, S, 9]."""
        number = {name: k for k, name in enumerate(classes)}
        labels = [parsed(str(clip.label)) for clip in clips]
        most = max((len(label.boxes) for label in labels), default=0)
        truth_MSX = np.zeros((len(clips), max(most, 1), COLUMNS))
        truth_MSX[:, :, CLASS] = NOTHING
        for rows_SX, label in zip(truth_MSX, labels, strict=True):
            rows_SX[:, SIZE] = label.size_pixels
            known = [box for box in label.boxes if box.label in number]
            for row, box in zip(rows_SX, known, strict=False):
                row[CLASS], row[EDGES], row[IGNORED] = number[box.label], box.edges, box.ignored
                row[NAME] = name_number(box.label)
        return truth_MSX

    def of_classes(self, clips: Sequence[Clip], classes: Collection[str]) -> list[Clip]:
        """Return the frames with the boxes of these classes only."""
        return [
            clip if clip.label is None else replace(clip, label=_only(clip.label, classes))
            for clip in clips
        ]

    def lacking(self, clips: Sequence[Clip]) -> Mapping[str, str]:
        """Return the classes that a single recording has."""
        groups: dict[str, set[str]] = defaultdict(set)
        for clip in clips:
            for name in self.classes([clip]):
                groups[name].add(clip.recording)
        few = {name: len(of) for name, of in groups.items() if len(of) < _LEAST}
        if len(groups) == len(few):
            few.setdefault("boxes", 0)
        return {name: f"{name!r} is in {count} recording" for name, count in few.items()}

    def checked(self, label: str) -> str:
        """Return the boxes in the one form of the kind."""
        return written(parsed(label))

    def columns(self, truth: Doubles) -> int:
        """Return the numbers of an answer."""
        return self.width(())

    def strata(self, truth: Doubles) -> Mask:
        """Return whether each frame has each class, and whether it has none."""
        class_MS = truth[:, :, CLASS]
        most = int(class_MS.max(initial=NOTHING)) + 1
        there_MK = np.stack([(class_MS == k).any(axis=1) for k in range(NOTHING, most)], axis=1)
        there_MK[:, 0] = ~there_MK[:, 1:].any(axis=1)
        return there_MK[:, there_MK.any(axis=0)]

    def stratum(self, truth: Doubles) -> Indices:
        """Return the set of classes of each frame."""
        sets = np.unique(self.strata(truth), axis=0, return_inverse=True)[1]
        return np.asarray(sets.reshape(-1), np.int64)

    def rarest(self, truth: Doubles) -> int:
        """Return the frames of the rarest class."""
        return int(self.strata(truth).sum(axis=0).min())

    def constant(self, known: Doubles, columns: int, clips: int, measure: str) -> Floats:
        """Return no boxes."""
        return np.zeros((clips, self.width(())), np.float32)

    def constant_words(self, constant_MK: Floats, classes: Sequence[str]) -> str:
        """Return that there are none."""
        return "no boxes"

    def losses(self, answers_MK: NDArray[np.floating], truth: Doubles) -> Floats:
        """Return the mean log-loss of each frame's boxes, right or not, and of missed objects."""
        return np.array(
            [_loss(frame, answer_K) for frame, answer_K in zip(truth, answers_MK, strict=True)],
            np.float32,
        )

    def text(self, truth: Any, classes: Sequence[str]) -> str:  # noqa: ANN401
        """Return the label of a frame."""
        rows = truth[truth[:, CLASS] != NOTHING]
        boxes = (_box(classes[int(row[CLASS])], row[EDGES], row[IGNORED] > 0) for row in rows)
        width, height = truth[0, SIZE]
        return written(FrameLabel((int(width), int(height)), tuple(boxes)))

    def said(
        self, stated_K: Floats, classes: Sequence[str], thresholds: Sequence[float] = ()
    ) -> Said:
        """Return how many objects of which class are there, and how sure the surest is."""
        boxes = boxes_of(stated_K, classes, SAID_SCORE)
        names = [box.label for box in boxes]
        counts = [f"{names.count(name)} {name}" for name in dict.fromkeys(names)]
        return Said(", ".join(counts) or "nothing", max((b.score or 0.0 for b in boxes), default=0))


def boxes_of(stated_K: Floats, classes: Sequence[str], least: float = 0.0) -> tuple[Box, ...]:
    """Return the boxes of an answer, in shares of the picture, the surest first.

    Parameters
    ----------
    least
        Score from which on.
    """
    rows = np.asarray(stated_K, np.float64).reshape(-1, NUMBERS)
    rows = rows[(rows[:, SCORE] > 0) & (rows[:, SCORE] >= least)]
    return tuple(
        replace(_box(classes[int(row[ANSWERED])], row[:4]), score=float(row[SCORE]))
        for row in rows[np.argsort(-rows[:, SCORE], kind="stable")]
    )


def _box(label: str, edges_4: Doubles, ignored: bool = False) -> Box:
    left, top, right, bottom = map(float, edges_4)
    return Box(label, left, top, right, bottom, ignored=bool(ignored))


def _only(label: str, classes: Collection[str]) -> str:
    found = parsed(label)
    return written(replace(found, boxes=tuple(b for b in found.boxes if b.label in classes)))


def _loss(frame: Doubles, answer_K: NDArray[np.floating]) -> float:
    found = matched(frame, answer_K, (0.5,))
    score_D = np.clip(found.score_D, _SURE, 1.0 - _SURE)
    kept_D = ~found.skipped_TD[0]
    lost_D = -np.log(np.where(found.right_TD[0], score_D, 1.0 - score_D))[kept_D]
    missed = int(found.missed_TO[0].sum())
    return float((lost_D.sum() - missed * np.log(_SURE)) / max(kept_D.sum() + missed, 1))


KIND = FrameBoxes()

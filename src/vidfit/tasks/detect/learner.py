"""How a detector's boxes are learned from: as they are, or scored again by what they look like.

A box is of a class where it overlaps an object of that class by half; one against all else, with
what it looks like, the detector's scores, its size and its place. Boxes themselves stay as the
detector draws them.

Shape letters: M frames, N boxes of a frame, B boxes that are learned from, X numbers of a box, K
classes, S boxes of the truth.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidfit.boxes import areas, overlaps
from vidfit.contracts import Floats, Indices
from vidfit.fusion.each import each_regression
from vidfit.fusion.span import inverse_scale
from vidfit.labels.kind import Doubles
from vidfit.metrics import score_all
from vidfit.metrics.boxes import AP, CLASS, EDGES, IGNORED, NAME, NOTHING
from vidfit.tasks.detect import head
from vidfit.tasks.detect.head import ABSENT, Boxes, BoxScorer, own_scores
from vidfit.tasks.detect.kind import KIND, FrameBoxes
from vidfit.tasks.detect.picked import picked
from vidfit.tasks.detect.seen import SeenBoxes, classes_told
from vidfit.tasks.detect.weighted import weighted_boxes

OBJECT, ELSE = 0.5, 0.4
"""Intersection over union from which on a box is an object, and below which it is something else.
"""

MOST_BOXES = 12_000
"""That are learned from, spread over all."""

PENALTIES = (0.5, 5.0, 50.0)
"""Inverse strengths of the L2 penalty (scikit-learn's ``C``)."""

_TOLERANCE = 1e-3


@dataclass(frozen=True)
class ScoredAgain:
    """Settings are the detector as it is, and penalties of the scores that replace its own.

    Parameters
    ----------
    penalties
        That are tried; none leaves the detector as it is.
    """

    kind: FrameBoxes = KIND
    head: str = "boxes"
    penalties: tuple[float, ...] = PENALTIES

    def tried(self, vectors_MD: Floats, truth: Any, folds_M: Indices) -> list[Floats]:  # noqa: ANN401
        """Return out-of-fold answers of the detector as it is, and with each penalty."""
        return self._read(vectors_MD, truth).tried(folds_M, self.penalties)

    def fit(
        self,
        vectors_MD: Floats,
        truth: Any,  # noqa: ANN401
        folds_M: Indices,
    ) -> tuple[Boxes, Floats]:
        """Fit with the setting of the highest average precision."""
        scorer, answers_MK = self._member(vectors_MD, truth, folds_M)
        return Boxes((scorer,)), answers_MK

    def together(
        self,
        blocks: Sequence[Floats],
        truth: Any,  # noqa: ANN401
        folds_M: Indices,
    ) -> tuple[Boxes, Floats]:
        """Fit each detector by itself; their boxes are weighed together."""
        found = [self._member(x_MD, truth, folds_M) for x_MD in blocks]
        answers_MK = weighted_boxes([answers_MK for _, answers_MK in found])
        return Boxes(tuple(scorer for scorer, _ in found)), answers_MK

    def restore(self, state: Mapping[str, Floats], widths: Sequence[int], classes: int) -> Boxes:
        """Check the arrays and rebuild the head."""
        return head.restore(state, widths, classes)

    def _member(
        self,
        vectors_MD: Floats,
        truth: Any,  # noqa: ANN401
        folds_M: Indices,
    ) -> tuple[BoxScorer, Floats]:
        read = self._read(vectors_MD, truth)
        tried = read.tried(folds_M, self.penalties)
        scored = score_all(AP, truth, tried, [""] * len(truth))
        best = int(np.nan_to_num(scored.figures_C).argmax())
        return read.scorer(best, self.penalties), tried[best]

    def _read(self, vectors_MD: Floats, truth: Any) -> _Read:  # noqa: ANN401
        classes, names = classes_told(vectors_MD)
        seen = SeenBoxes.of(vectors_MD, classes)
        return _Read(seen, truth, from_classes(truth, names), _labelled(seen, truth))


@dataclass(frozen=True)
class _Learned:
    """Boxes that may be learned from: where they are, and of which classes."""

    frame_B: Indices
    box_B: Indices
    there_BK: NDArray[np.bool_]

    def where(self, keep_M: NDArray[np.bool_]) -> _Learned:
        """Return those of some frames, `MOST_BOXES` at most: objects first, which are few."""
        of_B = np.flatnonzero(keep_M[self.frame_B])
        right_B = self.there_BK[of_B].any(axis=1)
        objects = _spread(of_B[right_B], MOST_BOXES // 2)
        others = _spread(of_B[~right_B], MOST_BOXES - len(objects))
        of_B = np.sort(np.concatenate([objects, others]))
        return _Learned(self.frame_B[of_B], self.box_B[of_B], self.there_BK[of_B])


def _spread(places: Indices, most: int) -> Indices:
    """Return all places, or at most that number of them at equal distances."""
    if len(places) <= most:
        return places
    some: Indices = places[np.linspace(0, len(places) - 1, most).astype(int)]
    return some


@dataclass(frozen=True)
class _Read:
    """What was seen in frames, what is true, and what may be learned from."""

    seen: SeenBoxes
    truth: Doubles
    from_K: Floats
    learned: _Learned

    def tried(self, folds_M: Indices, penalties: Sequence[float]) -> list[Floats]:
        """Return answers [M, 600] by fits without a frame's fold, for each setting."""
        edges_MN4 = self.seen.edges_MN4
        answers = [picked(edges_MN4, own_scores(self.seen, self.from_K))]
        answers += [np.zeros_like(answers[0]) for _ in penalties]
        for fold in np.unique(folds_M) if penalties else ():
            asked_M = folds_M == fold
            asked = self.seen.where(asked_M)
            scorers = self.fitted(~asked_M, penalties)
            for answers_MK, scorer in zip(answers[1:], scorers, strict=True):
                answers_MK[asked_M] = picked(asked.edges_MN4, scorer.scores(asked))
        return answers

    def scorer(self, setting: int, penalties: Sequence[float]) -> BoxScorer:
        """Return what a setting gives, fitted on all frames."""
        everyone = np.ones(len(self.truth), np.bool_)
        again = setting > 0
        wanted = [penalties[setting - 1]] if again else [PENALTIES[0]]
        return self.fitted(everyone, wanted, again)[0]

    def fitted(
        self, keep_M: NDArray[np.bool_], penalties: Sequence[float], again: bool = True
    ) -> list[BoxScorer]:
        """Fit with each penalty on some frames."""
        some = self.learned.where(keep_M)
        x_BX = self.seen.numbers((some.frame_B, some.box_B))
        if not len(x_BX):
            x_BX = np.zeros((1, x_BX.shape[1]), np.float32)
            some = _Learned(some.frame_B, some.box_B, np.zeros((1, len(self.from_K)), np.bool_))
        edges = np.cumsum(self.seen.blocks)[:-1]
        parts = [part for part in np.split(x_BX, edges, axis=1) if part.shape[1]]
        mean_X = x_BX.mean(axis=0)
        scale_X = np.concatenate([inverse_scale(part) for part in parts])
        z_BX = ((x_BX - mean_X) * scale_X).astype(np.float32)
        found, start = [], None
        for penalty in penalties:
            start = each_regression(z_BX, some.there_BK, penalty, _TOLERANCE, start=start)
            found.append(
                BoxScorer(
                    np.array([self.seen.classes], np.float32),
                    self.from_K,
                    np.array([again], np.float32),
                    mean_X.astype(np.float32),
                    scale_X.astype(np.float32),
                    *(np.asarray(part, np.float32) for part in start),
                )
            )
        return found


def from_classes(truth: Doubles, names: Floats) -> Floats:
    """Return which class of the detector has the name of each class; `ABSENT` where none has."""
    rows = truth.reshape(-1, truth.shape[2])
    rows = rows[rows[:, CLASS] != NOTHING]
    count = int(rows[:, CLASS].max(initial=0)) + 1
    from_K = np.full(count, ABSENT, np.float32)
    for number, name in {(int(row[CLASS]), row[NAME]) for row in rows}:
        same = np.flatnonzero(names == name)
        if len(same):
            from_K[number] = same[0]
    return from_K


def _labelled(seen: SeenBoxes, truth: Doubles) -> _Learned:
    """Return the boxes of which it is known what they are."""
    classes = int(truth[:, :, CLASS].max(initial=0)) + 1
    frames, boxes, there = [], [], [np.zeros((0, classes), np.bool_)]
    for m, (rows_SX, edges_N4, own_N) in enumerate(
        zip(truth, seen.edges_MN4, seen.own_MN, strict=True)
    ):
        is_NK, known_N = _classes_of(edges_N4.astype(np.float64), rows_SX, classes)
        known_N &= own_N > 0
        taken = np.flatnonzero(known_N)
        frames.append(np.full(len(taken), m))
        boxes.append(taken)
        there.append(is_NK[taken])
    return _Learned(np.concatenate(frames), np.concatenate(boxes), np.concatenate(there))


def _classes_of(
    edges_N4: Doubles, rows_SX: Doubles, classes: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return of which classes boxes are [N, K], and whether that is known [N]."""
    is_NK = np.zeros((len(edges_N4), classes), np.bool_)
    rows_SX = rows_SX[rows_SX[:, CLASS] != NOTHING]
    if not len(rows_SX):
        return is_NK, np.ones(len(edges_N4), np.bool_)
    over_NS = overlaps(edges_N4, rows_SX[:, EDGES])
    ignored_S = rows_SX[:, IGNORED] > 0
    for s in np.flatnonzero(~ignored_S):
        is_NK[:, int(rows_SX[s, CLASS])] |= over_NS[:, s] >= OBJECT
    near_N = (over_NS >= ELSE).any(axis=1)
    if ignored_S.any():
        near_N |= (_inside(edges_N4, rows_SX[ignored_S][:, EDGES]) >= OBJECT).any(axis=1)
    return is_NK, np.asarray(is_NK.any(axis=1) | ~near_N)


def _inside(edges_N4: Doubles, others_S4: Doubles) -> Doubles:
    """Return which share of each box lies within others, [N, S]."""
    low = np.maximum(edges_N4[:, None, :2], others_S4[None, :, :2])
    high = np.minimum(edges_N4[:, None, 2:], others_S4[None, :, 2:])
    both_NS: Doubles = np.maximum(high - low, 0.0).prod(axis=2)
    return both_NS / np.maximum(areas(edges_N4), 1e-12)[:, None]

"""Average precision of boxes, as COCO counts it (Lin et al., "Microsoft COCO", ECCV 2014).

The truth is [M, S, 9], a row a box of a frame: class (`NOTHING` fills up), left, top, right and
bottom in shares of the picture, whether it is ignored, width and height of the picture in pixels,
and a number that stands for the class's name. An answer [M, 600] is a hundred boxes of six
numbers: left, top, right, bottom, score and class; a score of 0 is no box.

A box that is ignored is COCO's crowd: any number of answers within it count neither as right nor
as wrong. Average precision has no sums: each answer is a row, right or not at each overlap, and
each object a row with the score minus infinity, so that recall knows of it.

Shape letters: M frames, S boxes of a frame, N rows, D answers, O objects, T overlaps, G
recordings, R draws of recordings, P answers that are right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidfit.boxes import Edges, areas
from vidfit.boxes import overlaps as overlaps_of_edges
from vidfit.metrics.measures import AnyMeasure, Doubles, Range, RankedScores, mean_of_known

CLASS, EDGES, IGNORED, SIZE, NAME, COLUMNS = 0, slice(1, 5), 5, slice(6, 8), 8, 9
"""Columns of the truth."""

NOTHING = -1
"""Class of a row of the truth that is no box."""

ANSWERS, NUMBERS, SCORE, ANSWERED = 100, 6, 4, 5
"""Answers to a frame, numbers of an answer, and columns of score and class."""

OVERLAPS = tuple(float(x) for x in np.linspace(0.5, 0.95, 10))

SMALL, MEDIUM = 32.0**2, 96.0**2
"""Pixels up to which an object is small, and medium."""

SIZES = {"small": (0.0, SMALL), "medium": (SMALL, MEDIUM), "large": (MEDIUM, 1e10)}

_RECALLS = np.linspace(0.0, 1.0, 101)
_BLOCK = 4_000_000
_SURE = 1.0 - 1e-10


@dataclass(frozen=True)
class BoxPrecision:
    """The mean over classes and overlaps of the area under precision by recall.

    Parameters
    ----------
    overlaps
        Intersections over union from which on an answer is right.
    pixels
        Areas of the objects that count; others are ignored.
    """

    name: str
    overlaps: tuple[float, ...] = OVERLAPS
    pixels: tuple[float, float] = (0.0, 1e10)
    kind: Range = "bounded"
    higher_is_better: bool = True

    def rows(self, truth: Any, answers: Any) -> tuple[Doubles, NDArray[np.bool_]]:  # noqa: ANN401
        """Return score and class [N, 2], and right and skipped at each overlap [N, 2 T]."""
        return rows_of(truth, answers, self.overlaps, self.pixels)

    def figure(self, rows: RankedScores, weight_RG: Doubles) -> Doubles:
        """Return the mean [R] over the classes that are there."""
        return mean_of_known(self.by_class(rows, weight_RG))

    def by_class(self, rows: RankedScores, weight_RG: Doubles) -> Doubles:
        """Return the average precision [R, K] of each class that has objects, by its number."""
        weight_RG = np.asarray(weight_RG, np.float64)
        classes = classes_of(rows)
        found_RK = np.empty((len(weight_RG), len(classes)))
        for k, number in enumerate(classes):
            found_RK[:, k] = self._of_class(rows, number, weight_RG)
        return found_RK

    def _of_class(self, rows: RankedScores, number: int, weight_RG: Doubles) -> Doubles:
        counts = len(self.overlaps)
        of_N = rows.score_NK[:, 1] == number
        score_N, recording_N = rows.score_NK[of_N, 0], rows.recording_N[of_N]
        hit_NX = rows.hit_NK[of_N]
        is_object_N = np.isneginf(score_N)
        objects_G = np.bincount(recording_N[is_object_N], minlength=weight_RG.shape[1])
        objects_R = weight_RG @ objects_G
        order_N = np.argsort(-score_N, kind="stable")[: int((~is_object_N).sum())]
        total_R = np.zeros(len(weight_RG))
        for t in range(counts):
            kept_N = order_N[~hit_NX[order_N, counts + t]]
            ranked = _Ranked(hit_NX[kept_N, t], recording_N[kept_N], int(is_object_N.sum()))
            total_R += ranked.precision(objects_R, weight_RG)
        return np.where(objects_R > 0, total_R / counts, np.nan)


@dataclass(frozen=True)
class _Ranked:
    """Answers of a class, the surest first: whether each is right, and of which recording.

    ``objects`` is how many there are to find.
    """

    right_N: NDArray[np.bool_]
    recording_N: NDArray[np.int64]
    objects: int

    def precision(self, objects_R: Doubles, weight_RG: Doubles) -> Doubles:
        """Return the area [R] under precision by recall, each precision the best from there on.

        COCO takes the mean of it at 101 recalls, which jumps where a recall passes one of them:
        draws of recordings would move it by such jumps. They move the area itself, to which is
        added by how much COCO's figure of all recordings differs from it.
        """
        from scipy.sparse import csr_array

        places = int(self.right_N.sum())
        found_R = np.zeros(len(weight_RG))
        if not places:
            return found_R
        place_N: NDArray[np.int64] = np.cumsum(self.right_N) - self.right_N
        seen_N = place_N < places  # what is less sure than the last right one changes nothing
        shape = (weight_RG.shape[1], places)
        right_GP, wrong_GP = (
            csr_array((np.ones(int(of_N.sum())), (self.recording_N[of_N], place_N[of_N])), shape)
            for of_N in (self.right_N, seen_N & ~self.right_N)
        )

        def curve(some_RG: Doubles, objects_R: Doubles) -> tuple[Doubles, Doubles]:
            right_RP = np.cumsum(some_RG @ right_GP, axis=1)
            wrong_RP = np.cumsum(some_RG @ wrong_GP, axis=1)
            return _curve(right_RP, wrong_RP, objects_R)

        step = max(1, _BLOCK // places)
        for at in range(0, len(weight_RG), step):
            some = slice(at, at + step)
            best_RP, recall_RP = curve(weight_RG[some], objects_R[some])
            found_R[some] = (best_RP * np.diff(recall_RP, axis=1, prepend=0.0)).sum(axis=1)
        all_1G = np.ones((1, weight_RG.shape[1]))
        (best_P,), (recall_P,) = curve(all_1G, np.array([float(self.objects)]))
        area = float((best_P * np.diff(recall_P, prepend=0.0)).sum())
        reached_P = np.searchsorted(_RECALLS, recall_P, "right")
        counted = float((best_P * np.diff(reached_P, prepend=0)).sum()) / len(_RECALLS)
        return np.clip(found_R + (counted - area), 0.0, 1.0)


def _curve(right_RP: Doubles, wrong_RP: Doubles, objects_R: Doubles) -> tuple[Doubles, Doubles]:
    """Return the best precision from each recall on, and that recall, [R, P].

    Precision is highest where an answer is right: only there is it looked at.
    """
    precision_RP = right_RP / np.maximum(right_RP + wrong_RP, np.spacing(1))
    best_RP = np.maximum.accumulate(precision_RP[:, ::-1], axis=1)[:, ::-1]
    return best_RP, right_RP / np.maximum(objects_R, np.spacing(1))[:, None]


def classes_of(rows: RankedScores) -> list[int]:
    """Return the numbers of the classes that have objects."""
    is_object_N = np.isneginf(rows.score_NK[:, 0])
    return [int(number) for number in np.unique(rows.score_NK[is_object_N, 1])]


# ---------------------------------------------------------------- matching


@dataclass(frozen=True)
class FrameMatches:
    """What the answers to a frame are, the surest first, and what became of its objects.

    ``right_TD`` and ``skipped_TD`` say it of answers at each overlap, ``missed_TO`` of objects
    that count; ``answer_D`` and ``object_O`` are their numbers in answer and truth.
    """

    score_D: Doubles
    class_D: NDArray[np.int64]
    right_TD: NDArray[np.bool_]
    skipped_TD: NDArray[np.bool_]
    answer_D: NDArray[np.int64]
    class_O: NDArray[np.int64]
    missed_TO: NDArray[np.bool_]
    object_O: NDArray[np.int64]


@dataclass(frozen=True)
class _Objects:
    """Objects of a frame; ``unjudged_O`` neither count nor make wrong."""

    edges_O4: Edges
    class_O: NDArray[np.int64]
    crowd_O: NDArray[np.bool_]
    unjudged_O: NDArray[np.bool_]


def rows_of(
    truth: Any,  # noqa: ANN401
    answers: Any,  # noqa: ANN401
    overlaps: tuple[float, ...] = OVERLAPS,
    pixels: tuple[float, float] = (0.0, 1e10),
) -> tuple[Doubles, NDArray[np.bool_]]:
    """Return the rows of frames: see `BoxPrecision`."""
    scores, hits = [np.zeros((0, 2))], [np.zeros((0, 2 * len(overlaps)), np.bool_)]
    for frame, answer in zip(truth, answers, strict=True):
        found = matched(frame, answer, overlaps, pixels)
        sure_N = np.concatenate([found.score_D, np.full(len(found.class_O), -np.inf)])
        scores.append(np.column_stack([sure_N, np.concatenate([found.class_D, found.class_O])]))
        both_DX = np.concatenate([found.right_TD, found.skipped_TD]).T
        hits += [both_DX, np.zeros((len(found.class_O), both_DX.shape[1]), np.bool_)]
    return np.concatenate(scores), np.concatenate(hits)


def matched(
    frame_SX: Doubles,
    answer_K: Any,  # noqa: ANN401
    overlaps: tuple[float, ...] = OVERLAPS,
    pixels: tuple[float, float] = (0.0, 1e10),
) -> FrameMatches:
    """Return what the answers to a frame are.

    Each answer, the surest first, takes the object of its class that it overlaps most, of those
    that are not taken.
    """
    boxes_NX = np.asarray(answer_K, np.float64).reshape(-1, NUMBERS)
    answer_D = np.argsort(-boxes_NX[:, SCORE], kind="stable")
    answer_D = answer_D[boxes_NX[answer_D, SCORE] > 0]
    scale_4 = np.tile(frame_SX[0, SIZE], 2)
    edges_D4 = boxes_NX[answer_D, :4] * scale_4
    class_D = boxes_NX[answer_D, ANSWERED].astype(np.int64)
    object_O = np.flatnonzero(frame_SX[:, CLASS] != NOTHING)
    objects = _objects(frame_SX[object_O], scale_4, pixels)
    right_TD, skipped_TD, missed_TO = _matches(edges_D4, class_D, objects, overlaps)
    area_D = areas(edges_D4)
    skipped_TD |= ~right_TD & ((area_D < pixels[0]) | (area_D > pixels[1]))
    counted_O = ~objects.unjudged_O
    return FrameMatches(
        boxes_NX[answer_D, SCORE],
        class_D,
        right_TD,
        skipped_TD,
        answer_D,
        objects.class_O[counted_O],
        missed_TO[:, counted_O],
        object_O[counted_O],
    )


def _objects(rows_OX: Doubles, scale_4: Doubles, pixels: tuple[float, float]) -> _Objects:
    edges_O4 = rows_OX[:, EDGES] * scale_4
    crowd_O = rows_OX[:, IGNORED] > 0
    area_O = areas(edges_O4)
    unjudged_O = crowd_O | (area_O < pixels[0]) | (area_O > pixels[1])
    return _Objects(edges_O4, rows_OX[:, CLASS].astype(np.int64), crowd_O, unjudged_O)


def _matches(
    edges_D4: Edges,
    class_D: NDArray[np.int64],
    objects: _Objects,
    overlaps: tuple[float, ...],
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """Return right [T, D], skipped [T, D] and missed [T, O]."""
    shape_TD = (len(overlaps), len(edges_D4))
    right_TD, skipped_TD = np.zeros(shape_TD, np.bool_), np.zeros(shape_TD, np.bool_)
    missed_TO = np.ones((len(overlaps), len(objects.crowd_O)), np.bool_)
    if not len(edges_D4) or not len(objects.crowd_O):
        return right_TD, skipped_TD, missed_TO
    over_DO = _overlaps_of(edges_D4, objects)
    over_DO[class_D[:, None] != objects.class_O[None, :]] = -1.0
    least_T = np.minimum(overlaps, _SURE)
    for d in np.flatnonzero((over_DO >= least_T.min()).any(axis=1)):
        for t in np.flatnonzero(least_T <= over_DO[d].max()):
            o = _best(over_DO[d], missed_TO[t], objects, float(least_T[t]))
            if o >= 0:
                missed_TO[t, o] = False
                (skipped_TD if objects.unjudged_O[o] else right_TD)[t, d] = True
    return right_TD, skipped_TD, missed_TO


def _best(over_O: Doubles, free_O: NDArray[np.bool_], objects: _Objects, least: float) -> int:
    """Return the object that an answer takes, -1 for none: one that counts, if there is one."""
    may_O = (over_O >= least) & (free_O | objects.crowd_O)
    for of_O in (may_O & ~objects.unjudged_O, may_O & objects.unjudged_O):
        if of_O.any():
            masked_O = np.where(of_O, over_O, -1.0)
            # Of equals the last, as COCO's own code has it.
            return len(masked_O) - 1 - int(np.argmax(masked_O[::-1]))
    return -1


def _overlaps_of(edges_D4: Edges, objects: _Objects) -> Doubles:
    """Return intersections over union; of a crowd, over the answer's own area."""
    over_DO = overlaps_of_edges(edges_D4, objects.edges_O4)
    crowd_O = objects.crowd_O
    if crowd_O.any():
        area_D1, area_1O = areas(edges_D4)[:, None], areas(objects.edges_O4[crowd_O])[None]
        # From o = both / (first + second - both) follows both = o (first + second) / (1 + o).
        both_DO = over_DO[:, crowd_O] * (area_D1 + area_1O) / (1.0 + over_DO[:, crowd_O])
        over_DO[:, crowd_O] = both_DO / np.maximum(area_D1, np.spacing(1))
    return over_DO


AP = BoxPrecision("ap50-95")
AP50 = BoxPrecision("ap50", (0.5,))

BOX_MEASURES: dict[str, AnyMeasure] = {measure.name: measure for measure in (AP, AP50)}
"""By name, what may decide where boxes are looked for."""

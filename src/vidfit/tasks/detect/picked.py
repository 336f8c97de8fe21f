"""From scores of boxes by class to answers: overlapping boxes of a class left out, the best kept.

Shape letters: M frames, N boxes of a frame, K classes, A answers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Floats
from vidfit.metrics.boxes import ANSWERED, ANSWERS, NUMBERS, SCORE

OVERLAP = 0.5
"""Intersection over union from which on two boxes of a class are one object."""

_BLOCK = 256


def picked(edges_MN4: Floats, score_MNK: Floats) -> Floats:
    """Return the answers [M, 600] of frames.

    Parameters
    ----------
    edges_MN4
        Boxes.
    score_MNK
        How sure it is that a box is of each class; 0 or less where it is not there.
    """
    count = len(edges_MN4)
    answers_MK = np.zeros((count, ANSWERS * NUMBERS), np.float32)
    for at in range(0, count, _BLOCK):
        some = slice(at, at + _BLOCK)
        answers_MK[some] = _picked(edges_MN4[some], score_MNK[some])
    return answers_MK


def _picked(edges_MN4: Floats, score_MNK: Floats) -> Floats:
    frames, boxes, classes = score_MNK.shape
    like_MNN = overlaps_within(edges_MN4) > OVERLAP
    kept_MNK = np.stack([_apart(like_MNN, score_MNK[:, :, k]) for k in range(classes)], axis=2)
    left_MP = np.where(kept_MNK, score_MNK, 0.0).reshape(frames, boxes * classes)
    order_MA = np.argsort(-left_MP, axis=1, kind="stable")[:, :ANSWERS]
    box_MA, class_MA = np.divmod(order_MA, classes)
    score_MA = np.take_along_axis(left_MP, order_MA, axis=1)
    result_MAX = np.zeros((frames, ANSWERS, NUMBERS), np.float32)
    found_MAX = result_MAX[:, : order_MA.shape[1]]
    found_MAX[:, :, :SCORE] = np.take_along_axis(edges_MN4, box_MA[:, :, None], axis=1)
    found_MAX[:, :, SCORE], found_MAX[:, :, ANSWERED] = score_MA, class_MA
    found_MAX[score_MA <= 0] = 0.0
    return result_MAX.reshape(frames, -1)


def overlaps_within(edges_MN4: Floats) -> Floats:
    """Return the intersection over union of each two boxes of a frame, [M, N, N]."""
    left, top, right, bottom = np.moveaxis(edges_MN4, 2, 0)
    wide = np.minimum(right[:, :, None], right[:, None]) - np.maximum(
        left[:, :, None], left[:, None]
    )
    high = np.minimum(bottom[:, :, None], bottom[:, None]) - np.maximum(
        top[:, :, None], top[:, None]
    )
    both_MNN = np.maximum(wide, 0.0) * np.maximum(high, 0.0)
    area_MN = np.maximum(right - left, 0.0) * np.maximum(bottom - top, 0.0)
    union_MNN = area_MN[:, :, None] + area_MN[:, None] - both_MNN
    over_MNN: Floats = both_MNN / np.maximum(union_MNN, np.float32(1e-12))
    return over_MNN


def _apart(like_MNN: NDArray[np.bool_], score_MN: Floats) -> NDArray[np.bool_]:
    """Return which boxes are left when each, the surest first, takes its like off the list.

    All frames go in step: the surest boxes of each, then the second ones, and so on.
    """
    order_MN = np.argsort(-score_MN, axis=1, kind="stable")
    kept_MN = score_MN > 0
    frames = np.arange(len(score_MN))
    for rank in range(int(kept_MN.sum(axis=1).max(initial=0))):
        box_M = order_MN[:, rank]
        takes_M = kept_MN[frames, box_M]
        off_MN = like_MNN[frames, box_M] & takes_M[:, None]
        off_MN[frames, box_M] = False
        kept_MN &= ~off_MN
    return kept_MN

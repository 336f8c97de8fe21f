"""Boxes of several detectors weighed together.

Solovyev, Wang, Gabruseva, "Weighted boxes fusion: ensembling boxes from different object detection
models" (Image and Vision Computing 2021): boxes of a class that overlap are one, whose edges are
their mean by score; its score is their mean, less where detectors did not find it.

Shape letters: M frames, N boxes, S detectors.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vidfit.boxes import Edges, overlaps
from vidfit.contracts import Floats
from vidfit.metrics.boxes import ANSWERED, ANSWERS, NUMBERS, SCORE
from vidfit.metrics.measures import Doubles

OVERLAP = 0.55
"""Of the paper: intersection over union from which on boxes are one."""

LEAST_SCORE = 0.01
"""Boxes below it are left as they are not worth a look."""


def weighted_boxes(answers_SMK: Sequence[Floats]) -> Floats:
    """Return answers [M, 600] of answers of each detector."""
    parts = [one.reshape(len(one), ANSWERS, NUMBERS) for one in answers_SMK]
    found_MK = np.zeros((len(parts[0]), ANSWERS * NUMBERS), np.float32)
    for frame, row_K in enumerate(found_MK):
        boxes_NX = np.concatenate([part[frame] for part in parts]).astype(np.float64)
        kept_NX = boxes_NX[boxes_NX[:, SCORE] >= LEAST_SCORE]
        joined = [
            _joined(kept_NX[kept_NX[:, ANSWERED] == number], len(parts))
            for number in np.unique(kept_NX[:, ANSWERED])
        ]
        if joined:
            all_NX = np.concatenate(joined)
            first_NX = all_NX[np.argsort(-all_NX[:, SCORE], kind="stable")[:ANSWERS]]
            row_K[: first_NX.size] = first_NX.reshape(-1)
    return found_MK


def _joined(boxes_NX: Doubles, detectors: int) -> Doubles:
    """Return boxes of one class of a frame as the objects that they stand for."""
    order = np.argsort(-boxes_NX[:, SCORE], kind="stable")
    mean_N4: Edges = np.zeros((len(boxes_NX), 4))
    weight_N, score_N, count_N = (np.zeros(len(boxes_NX)) for _ in range(3))
    clusters = 0
    for box_X in boxes_NX[order]:
        own = clusters
        if clusters:
            over = overlaps(box_X[None, :4], mean_N4[:clusters])[0]
            own = int(np.argmax(over)) if over.max() > OVERLAP else clusters
        clusters = max(clusters, own + 1)
        score = float(box_X[SCORE])
        mean_N4[own] = (mean_N4[own] * weight_N[own] + box_X[:4] * score) / (weight_N[own] + score)
        weight_N[own] += score
        score_N[own] += score
        count_N[own] += 1
    some = slice(clusters)
    share = np.minimum(count_N[some], detectors) / detectors
    mean_score = score_N[some] / count_N[some] * share
    number = np.full(clusters, boxes_NX[0, ANSWERED])
    return np.column_stack([mean_N4[some], mean_score, number])

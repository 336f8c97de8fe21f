"""Vectors of a detector that does not exist, which tell the truth through noise: for proofs.

Shape letters: M frames, S boxes of the truth, D numbers of a box.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from vidfit.contracts import Floats
from vidfit.metrics.boxes import ANSWERS, CLASS, EDGES, NOTHING

CLASSES, LOOKS, ELSEWHERE = 3, 6, 4
"""Classes that it claims to know, numbers of what a box looks like, and boxes where nothing is."""

_NOISE = 0.3


def told_boxes(truth: Any) -> Floats:  # noqa: ANN401
    """Return vectors [M, 101 D]: of each object a box near to it, and of no object a few others."""
    rng = np.random.default_rng(0)
    dim = 4 + CLASSES + LOOKS
    rows_MND = np.zeros((len(truth), 1 + ANSWERS, dim), np.float32)
    rows_MND[:, 0, : 1 + CLASSES] = [CLASSES, *range(1, 1 + CLASSES)]
    means = rng.normal(size=(1 + int(truth[:, :, CLASS].max()) + 1, LOOKS))
    for rows_ND, boxes_SX in zip(rows_MND, truth, strict=True):
        at = 1
        real = boxes_SX[boxes_SX[:, CLASS] != NOTHING]
        places = rng.uniform(0.0, 0.9, (ELSEWHERE, 2))
        others = np.concatenate([places, places + 0.06], axis=1)
        for number, edges in [
            *((int(row[CLASS]), row[EDGES]) for row in real),
            *((NOTHING, edges) for edges in others),
        ]:
            rows_ND[at, :4] = np.clip(edges + 0.002 * rng.normal(size=4), 0.0, 1.0)
            rows_ND[at, 4 : 4 + CLASSES] = rng.uniform(0.05, 0.6, CLASSES)
            rows_ND[at, 4 + CLASSES :] = means[number + 1] + _NOISE * rng.normal(size=LOOKS)
            at += 1
    return rows_MND.reshape(len(truth), -1)

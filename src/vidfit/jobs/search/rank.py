"""The shots nearest to a query, by comparison with all of them, block by block.

Exact, and bound by how fast memory delivers the vectors: see `benchmarks.search`.

Shape letters: Q vectors of the query, S shots, D features, B shots of a block.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Floats
from vidfit.jobs.search.shots import unit

_BLOCK_SHOTS = 512
"""So many vectors stay in the cache of a core while they are worked on."""

_SAMPLED_SHOTS = 8192
_LEAST_SHOTS = 8

Prepare = Callable[[NDArray[Any]], Floats]


@dataclass(frozen=True)
class Best:
    """The place of a shot: which matrix, which row; and how near it is, a cosine."""

    matrix: int
    row: int
    score: float


def nearest(
    matrices: Sequence[NDArray[Any]],
    query_QD: Floats,
    allowed: Sequence[NDArray[np.bool_]],
    count: int,
    prepare: Prepare,
) -> list[Best]:
    """Return the rows that are nearest to any of the query's vectors, the nearest first.

    Parameters
    ----------
    matrices
        Vectors [S, D] of segments.
    allowed
        Which rows of each may be answers.
    prepare
        What is done to a block, and to the query: `of_unit_length`, or `standardised`.
    """
    query_DQ = unit(prepare(query_QD)).T
    count = min(count, sum(map(len, matrices)))
    if not count:
        return []
    best = np.full(count, -np.inf, np.float32)
    places = np.full((count, 2), -1, np.int64)
    for number, (matrix_SD, allowed_S) in enumerate(zip(matrices, allowed, strict=True)):
        for start in range(0, len(matrix_SD), _BLOCK_SHOTS):
            block_BD = prepare(matrix_SD[start : start + _BLOCK_SHOTS])
            scores_B = (block_BD @ query_DQ).max(axis=1)
            scores_B[~allowed_S[start : start + _BLOCK_SHOTS]] = -np.inf
            (good,) = np.nonzero(scores_B > best[-1])
            if not len(good):
                continue
            both = np.concatenate([best, scores_B[good]])
            rows = np.column_stack([np.full(len(good), number), start + good])
            order = np.argsort(-both, kind="stable")[:count]
            best, places = both[order], np.concatenate([places, rows])[order]
    return [
        Best(int(number), int(row), float(score))
        for (number, row), score in zip(places, best, strict=True)
        if number >= 0
    ]


def of_unit_length(vectors_BD: NDArray[Any]) -> Floats:
    """Return vectors that have length 1 already, as float32."""
    return np.asarray(vectors_BD, np.float32)


def standardised(matrices: Sequence[NDArray[Any]]) -> Prepare:
    """Return what takes mean and deviation of a library off vectors, and makes them unit ones.

    Both are those of a sample of the shots, evenly spread; of too few shots nothing is known.
    """
    total = sum(map(len, matrices))
    step = max(1, total // _SAMPLED_SHOTS)
    sample_SD = np.concatenate([matrix_SD[::step] for matrix_SD in matrices]).astype(np.float32)
    if total < _LEAST_SHOTS:
        return lambda vectors_BD: unit(np.asarray(vectors_BD, np.float32))
    mean_D, scale_D = sample_SD.mean(axis=0), 1 / np.maximum(sample_SD.std(axis=0), 1e-6)

    def prepare(vectors_BD: NDArray[Any]) -> Floats:
        moved_BD: Floats = np.subtract(vectors_BD, mean_D, dtype=np.float32)
        moved_BD *= scale_D
        squares_B = np.einsum("bd,bd->b", moved_BD, moved_BD)
        moved_BD /= np.sqrt(np.maximum(squares_B, 1e-24))[:, None]
        return moved_BD

    return prepare

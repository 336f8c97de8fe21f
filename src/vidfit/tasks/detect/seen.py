"""What a detector saw in frames, as the learner is given it: vectors that say how to read them.

A vector [101 D] is rows of D numbers. The first has the number of classes C and a number for the
name of each (`name_number`); each of the others is a box: four edges in shares of the picture, C
scores, and what its place looks like.

Shape letters: M frames, N boxes of a frame, D numbers of a box, C classes of the detector.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Backbone, Detector, Floats
from vidfit.errors import BackboneError
from vidfit.features import Pooling
from vidfit.metrics.boxes import ANSWERS
from vidfit.tasks.detect.labels import name_number

EDGES = 4
LEAST_SCORE = 1e-3
"""Odds of a class score lie between that and one less that."""


def facts(backbone: Backbone) -> Floats:
    """Return what goes before the boxes of a detector, [D].

    Raises
    ------
    BackboneError
        If it is no detector.
    """
    if not isinstance(backbone, Detector):
        raise BackboneError(
            f"{backbone.spec.name} finds no boxes; valid are detectors: nanodet, or a detector of "
            "Hugging Face, hf:FOLDER"
        )
    names = [name_number(name) for name in backbone.classes]
    first_D = np.zeros(backbone.spec.dim, np.float32)
    first_D[: 1 + len(names)] = [len(names), *names]
    return first_D


def side_by_side(tokens_ND: Floats) -> Floats:
    """Return the first hundred boxes one after the other; where there are fewer, zeros follow."""
    kept_ND = np.zeros((ANSWERS, tokens_ND.shape[1]), np.float32)
    kept_ND[: len(tokens_ND)] = tokens_ND[:ANSWERS]
    return kept_ND.reshape(-1)


BOXES_APART = Pooling(side_by_side, 1 + ANSWERS, beside=facts)
"""Boxes kept as they are."""


@dataclass(frozen=True)
class SeenBoxes:
    """Boxes of frames, [M, N, D]; the ``classes`` numbers after the edges are scores."""

    boxes_MND: Floats
    classes: int

    @classmethod
    def of(cls, vectors_MD: Floats, classes: int) -> SeenBoxes:
        """Return the boxes of vectors, by the number of classes."""
        rows_MND = vectors_MD.reshape(len(vectors_MD), 1 + ANSWERS, -1)
        return cls(rows_MND[:, 1:], classes)

    def where(self, keep_M: NDArray[np.bool_]) -> SeenBoxes:
        """Return some of the frames."""
        return SeenBoxes(self.boxes_MND[keep_M], self.classes)

    @property
    def edges_MN4(self) -> Floats:  # noqa: N802
        """Edges in shares of the picture."""
        return self.boxes_MND[:, :, :EDGES]

    @property
    def scores_MNC(self) -> Floats:  # noqa: N802
        """Scores of the detector's own classes, 0 to 1."""
        return self.boxes_MND[:, :, EDGES : EDGES + self.classes]

    @cached_property
    def own_MN(self) -> Floats:  # noqa: N802
        """The highest score of each box; 0 of one that is not there."""
        own_MN: Floats = self.scores_MNC.max(axis=2)
        return own_MN

    def numbers(self, at: tuple[NDArray[np.int64], NDArray[np.int64]]) -> Floats:
        """Return what is learned from of boxes [B, X]: looks, odds of scores, size and place."""
        rows_BD = self.boxes_MND[at]
        left, top, right, bottom = rows_BD[:, :EDGES].T
        wide, high = np.maximum(right - left, 1e-3), np.maximum(bottom - top, 1e-3)
        place_BX = np.column_stack(
            [(left + right) / 2, (top + bottom) / 2, np.log(wide), np.log(high),
             odds(self.own_MN[at])]
        )  # fmt: skip
        scores_BC = odds(rows_BD[:, EDGES : EDGES + self.classes])
        looks_BE = rows_BD[:, EDGES + self.classes :]
        return np.concatenate([looks_BE, scores_BC, place_BX], axis=1).astype(np.float32)

    @property
    def blocks(self) -> tuple[int, int, int]:
        """Numbers of each part of `numbers`."""
        return self.boxes_MND.shape[2] - EDGES - self.classes, self.classes, 5


def odds(score: Floats) -> Floats:
    """Return the logarithm of the odds, none too sure either way."""
    sure = np.clip(score, LEAST_SCORE, 1.0 - LEAST_SCORE)
    result: Floats = np.log(sure / (1.0 - sure)).astype(np.float32)
    return result


def classes_told(vectors_MD: Floats) -> tuple[int, Floats]:
    """Return the number of the detector's classes, and the numbers of their names."""
    first_D = vectors_MD[0, : vectors_MD.shape[1] // (1 + ANSWERS)]
    most = len(first_D) - EDGES
    told = float(first_D[0])
    count = int(np.clip(told, 1, most)) if np.isfinite(told) else 1
    return count, np.asarray(first_D[1 : 1 + count])

"""How places are learned from: a linear softmax on some cells of each picture.

Shape letters: M pictures, D numbers of one, S cells, F numbers of a cell, C classes, K numbers of
an answer.
"""

from __future__ import annotations

import threading
import zlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Floats, Indices
from vidfit.features.places import Places
from vidfit.labels import Kind
from vidfit.metrics.areas import (
    LabelledMask,
    answer_of,
    intersections_over_unions,
    shares_of_cells,
)
from vidfit.metrics.measures import mean_of_known
from vidfit.tasks.segment import head
from vidfit.tasks.segment.head import PlaceHead, PlaceProbe, averaged
from vidfit.tasks.segment.kind import MASKS
from vidfit.tasks.segment.softmax import CellWeights, class_weights, fit_path

PENALTIES = (3e-2, 1e-2, 3e-3)
"""That are tried, the strongest first."""

CELLS, CELLS_TO_CHOOSE, LEAST_CELLS = 150_000, 30_000, 16
"""That are learned from in all; by which the penalty is chosen; at least of each picture."""

_LEAST_KNOWN = 0.5
"""Share of a cell that must not be void."""


@dataclass(frozen=True)
class Cells:
    """Cells of some pictures: what is seen of them, standardised, and shares of classes.

    ``picture_S`` is the number of the picture of each; the last number of a cell is 1.
    """

    x_SX: Floats
    shares_SC: Floats
    picture_S: Indices
    mean_F: Floats
    scale_F: Floats
    levels_3: Floats

    def probe(self, weights: CellWeights) -> PlaceProbe:
        """Return the probe of some weights."""
        return PlaceProbe(
            self.mean_F, self.scale_F, weights.weight_FC, weights.bias_C, self.levels_3
        )


@dataclass(frozen=True)
class CellProbe:
    """A linear softmax of cells; its settings are penalties.

    Parameters
    ----------
    cells
        That are learned from, drawn evenly from the pictures: 2 kB each of memory.
    to_choose
        That the penalty is chosen by.
    weigh
        Power of a class's share, inverted, by which its cells count.
    """

    kind: Kind = MASKS
    head: str = "places"
    penalties: tuple[float, ...] = PENALTIES
    cells: int = CELLS
    to_choose: int = CELLS_TO_CHOOSE
    weigh: float = 0.5

    def fit(self, vectors_MD: Floats, truth: Any, folds_M: Indices) -> tuple[PlaceHead, Floats]:  # noqa: ANN401
        """Fit with the penalty of the highest mean IoU of cells, out of fold."""
        return self.together([vectors_MD], truth, folds_M)

    def together(
        self,
        blocks: Sequence[Floats],
        truth: Any,  # noqa: ANN401
        folds_M: Indices,
    ) -> tuple[PlaceHead, Floats]:
        """Fit on several encoders, whose log-probabilities are averaged by place."""
        fits = [KEPT.fits(self, vectors_MD, truth, folds_M) for vectors_MD in blocks]
        taken = [[path[fit.best] for path in fit.by_fold] for fit in fits]
        answers_MK = _answers(blocks, folds_M, taken, self.kind.columns(truth))
        return PlaceHead(tuple(fit.whole for fit in fits)), answers_MK

    def tried(self, vectors_MD: Floats, truth: Any, folds_M: Indices) -> list[Floats]:  # noqa: ANN401
        """Return answers [M, K] for each penalty."""
        by_fold, _ = self.paths(vectors_MD, truth, folds_M)
        columns = self.kind.columns(truth)
        return [
            _answers([vectors_MD], folds_M, [[path[i] for path in by_fold]], columns)
            for i in range(len(self.penalties))
        ]

    def restore(
        self, state: Mapping[str, Floats], widths: Sequence[int], classes: int
    ) -> PlaceHead:
        """Check the arrays and rebuild the head."""
        return head.restore(state, widths, classes)

    def paths(
        self,
        vectors_MD: Floats,
        truth: Any,  # noqa: ANN401
        folds_M: Indices,
    ) -> tuple[list[list[PlaceProbe]], int]:
        """Return probes by fold that is left out and by penalty, and which penalty is best.

        Only mean and scale of the numbers are shared between folds; they know no label.
        """
        cells = cells_of_pictures(vectors_MD, truth, self.to_choose)
        classes = cells.shares_SC.shape[1]
        confusion_PCC = np.zeros((len(self.penalties), classes, classes))
        by_fold = []
        for fold in np.unique(folds_M):
            out_S = folds_M[cells.picture_S] == fold
            path = self._path(cells, ~out_S, self.penalties)
            for i, weights in enumerate(path):
                said_S = weights.scores(cells.x_SX[out_S, :-1]).argmax(axis=1)
                np.add.at(confusion_PCC[i].T, said_S, cells.shares_SC[out_S])
            by_fold.append([cells.probe(weights) for weights in path])
        figure_P = mean_of_known(intersections_over_unions(confusion_PCC))
        return by_fold, int(np.nan_to_num(figure_P).argmax())

    def whole(self, vectors_MD: Floats, truth: Any, penalty: float) -> PlaceProbe:  # noqa: ANN401
        """Return the probe of all pictures with one penalty."""
        cells = cells_of_pictures(vectors_MD, truth, self.cells)
        every_S = slice(None)
        return cells.probe(self._path(cells, every_S, (penalty,))[0])

    def _path(
        self, cells: Cells, learn_S: NDArray[np.bool_] | slice, penalties: Sequence[float]
    ) -> list[CellWeights]:
        """Fit on some cells; a class without a cell is never said."""
        shares_SC = cells.shares_SC[learn_S]
        weight_C = class_weights(shares_SC, self.weigh)
        path = fit_path(cells.x_SX[learn_S], shares_SC * weight_C, penalties)
        never_C = np.where(weight_C > 0, 0.0, -1e4).astype(np.float32)
        return [CellWeights(one.weight_FC, one.bias_C + never_C) for one in path]


@dataclass(frozen=True)
class Fit:
    """Probes by fold left out and penalty, which penalty is best, and the probe of all."""

    by_fold: list[list[PlaceProbe]]
    best: int
    whole: PlaceProbe


@dataclass
class KeptFits:
    """The last fits: one encoder alone, and the same beside others, is fitted once."""

    of: OrderedDict[tuple[Any, ...], tuple[Floats, Fit]] = field(default_factory=OrderedDict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def fits(self, probe: CellProbe, vectors_MD: Floats, truth: Any, folds_M: Indices) -> Fit:  # noqa: ANN401
        """Return the fits of an encoder."""
        which = getattr(vectors_MD, "rows_M", np.zeros(0)).tobytes()
        table = getattr(vectors_MD, "table_XD", vectors_MD)
        key = (probe, id(table), which, tuple(truth), folds_M.tobytes())
        with self.lock:
            if key in self.of:
                return self.of[key][1]
        by_fold, best = probe.paths(vectors_MD, truth, folds_M)
        found = Fit(by_fold, best, probe.whole(vectors_MD, truth, probe.penalties[best]))
        with self.lock:
            self.of[key] = table, found  # its table is held, so that its number stays its own
            while len(self.of) > _FITS_KEPT:
                self.of.popitem(last=False)
        return found


_FITS_KEPT = 8
KEPT = KeptFits()


def _answers(
    blocks: Sequence[Floats],
    folds_M: Indices,
    taken: Sequence[Sequence[PlaceProbe]],
    columns: int,
) -> Floats:
    """Return answers [M, K] to each picture by the probes without its fold."""
    answers_MK = np.empty((len(folds_M), columns), np.float32)
    place_M = np.unique(folds_M, return_inverse=True)[1]
    for m, rows in enumerate(zip(*blocks, strict=True)):
        each = [
            probes[place_M[m]].log_probabilities(Places.of(row_D))
            for probes, row_D in zip(taken, rows, strict=True)
        ]
        answers_MK[m] = answer_of(averaged(each))
    return answers_MK


def cells_of_pictures(vectors_MD: Floats, truth: Sequence[LabelledMask], count: int) -> Cells:
    """Return some labelled cells of each picture, the same whatever other pictures there are."""
    each = max(LEAST_CELLS, count // len(truth))
    levels = Places.of(vectors_MD[0]).levels
    x_SX = np.ones((each * len(truth), sum(levels) + 3), np.float32)
    shares, pictures, end = [], [], 0
    for m, (row_D, mask) in enumerate(zip(vectors_MD, truth, strict=True)):
        places = Places.of(row_D)
        taken_S, shares_SC = _drawn(mask, places.grid, each)
        x_SX[end : end + len(taken_S), :-1] = places.cells(taken_S)
        end += len(taken_S)
        shares.append(shares_SC)
        pictures.append(np.full(len(taken_S), m))
    x_SX = x_SX[:end]
    x_SF = x_SX[:, :-1]
    mean_F = x_SF.mean(axis=0)
    x_SF -= mean_F
    spread_F = np.sqrt(np.einsum("sf,sf->f", x_SF, x_SF) / max(end, 1))
    scale_F = 1 / np.maximum(spread_F, 1e-4)
    x_SF *= scale_F
    return Cells(
        x_SX, np.concatenate(shares), np.concatenate(pictures), mean_F, scale_F,
        np.array(levels, np.float32),
    )  # fmt: skip


@lru_cache(maxsize=4096)
def _drawn(mask: LabelledMask, grid: tuple[int, int], count: int) -> tuple[Indices, Floats]:
    """Return the numbers of some cells of a picture and the shares of classes in each."""
    shares_UC = shares_of_cells(mask.labels(), mask.classes, grid)
    known_U = np.flatnonzero(shares_UC.sum(axis=1) >= _LEAST_KNOWN)
    rng = np.random.default_rng(zlib.crc32(Path(mask.path).name.encode()))
    taken_S = np.sort(rng.permutation(known_U)[:count])
    return taken_S, shares_UC[taken_S]

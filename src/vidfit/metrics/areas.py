"""Measures of the areas of classes in pictures: of each pixel a class, and how edges of areas lie.

The truth of a picture is a `LabelledMask`; an answer says of each cell of a grid how probable
each class is, and is judged at the size of the mask: log-probabilities are interpolated, the
largest is the class of the pixel. Masks are never interpolated, and void pixels do not count.

A figure is made of sums over all pixels of all pictures, as is usual (Everingham et al. 2010,
"The Pascal Visual Object Classes Challenge"): the mean of figures of pictures is another one, and
a picture without a class has none of it.

Shape letters: Y, X cells or pixels, C classes, K numbers of an answer, R draws, S sums.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Floats
from vidfit.errors import VideoError
from vidfit.features.places import FINE_SIDE, MOST_BLOCKS, scaled
from vidfit.manifest.annotations.masks import (
    VOID,
    index_counts,
    is_mask_text,
    mask_of_text,
    read_index,
)
from vidfit.metrics.measures import AnyMeasure, Doubles, Range, mean_of_known, ratio

T = TypeVar("T")

Labels = NDArray[np.uint8]
"""Class numbers of pixels [Y, X]; `VOID` where there is none."""

MOST_CELLS = MOST_BLOCKS * FINE_SIDE**2
"""Of the grid of an answer."""

_GRID = 2
"""Numbers of an answer before its log-probabilities: rows and columns of its grid."""

_KEPT_BYTES = 128 * 2**20

EDGE_SHARE = 0.0075
"""How far edges may lie apart, in shares of the diagonal (Csurka et al. 2013)."""


@dataclass(frozen=True)
class LabelledMask:
    """The true classes of the pixels of a picture: a number for each.

    Parameters
    ----------
    path
        That of an image with one channel; or the mask itself, as `mask_text` writes it.
    numbers
        The class of each number that pixels have, `VOID` where they have none; numbers beyond
        have none.
    classes
        How many classes there are.
    """

    path: str
    numbers: tuple[int, ...]
    classes: int

    def labels(self) -> Labels:
        """Read the class numbers [Y, X].

        Raises
        ------
        VideoError
            If the file cannot be read, or is no such image.
        """
        table = np.full(256, VOID, np.uint8)
        table[: len(self.numbers)] = self.numbers
        return table[_numbers(self.path)]

    def counts(self) -> NDArray[np.int64]:
        """Return how many pixels each class has, [C]."""
        if is_mask_text(self.path):
            return np.array(_counts(self), np.int64)
        pixels = _asked(self.path, lambda: index_counts(Path(self.path))).pixels
        found = np.zeros(VOID + 1, np.int64)
        np.add.at(found, np.array(self.numbers, np.int64), pixels[: len(self.numbers)])
        return found[: self.classes]


def _numbers(path: str) -> Labels:
    is_text = is_mask_text(path)
    return _asked(path, lambda: mask_of_text(path) if is_text else read_index(Path(path)))


def _asked(path: str, read: Callable[[], T]) -> T:
    """Return what is read of a mask; what is wrong with it is said with its name."""
    try:
        return read()
    except ValueError as error:
        name = "a mask of annotations" if is_mask_text(path) else path
        raise VideoError(f"{name}: {error}") from error


@lru_cache(maxsize=100_000)
def _counts(mask: LabelledMask) -> tuple[int, ...]:
    found = np.bincount(mask.labels().ravel(), minlength=VOID + 1)
    return tuple(int(count) for count in found[: mask.classes])


def shares_of_cells(labels_YX: Labels, classes: int, grid: tuple[int, int]) -> Floats:
    """Return which share of the pixels of each cell is of each class, [cells, C]; void is none."""
    height, width = labels_YX.shape
    grow = max(-(-2 * grid[0] // height), -(-2 * grid[1] // width), 1)
    if grow > 1:
        labels_YX = labels_YX.repeat(grow, axis=0).repeat(grow, axis=1)
        height, width = labels_YX.shape
    row_Y = ((np.arange(height) + 0.5) * grid[0] / height).astype(np.int64)
    column_X = ((np.arange(width) + 0.5) * grid[1] / width).astype(np.int64)
    cell_YX = row_Y[:, None] * grid[1] + column_X
    known_YX = labels_YX < classes
    cells = grid[0] * grid[1]
    found = np.bincount(
        cell_YX[known_YX] * classes + labels_YX[known_YX], minlength=cells * classes
    ).reshape(cells, classes)
    pixels = np.bincount(cell_YX.ravel(), minlength=cells)
    shares: Floats = (found / pixels[:, None]).astype(np.float32)
    return shares


def numbers_of_answer(classes: int) -> int:
    """Return K: the numbers of an answer to a picture."""
    return _GRID + MOST_CELLS * classes


def answer_of(log_YXC: Floats) -> Floats:
    """Return log-probabilities of the cells of a grid as an answer [K], which says the grid."""
    rows, columns, classes = log_YXC.shape
    answer_K = np.zeros(numbers_of_answer(classes), np.float32)
    answer_K[:_GRID] = rows, columns
    answer_K[_GRID : _GRID + log_YXC.size] = log_YXC.ravel()
    return answer_K


def cells_of(answer_K: Floats) -> Floats:
    """Return the log-probabilities [Y, X, C] of an answer."""
    classes = (len(answer_K) - _GRID) // MOST_CELLS
    rows, columns = (int(x) for x in answer_K[:_GRID])
    if not 0 < rows * columns <= MOST_CELLS:  # nothing was answered: all classes are alike
        return np.zeros((1, 1, classes), np.float32)
    taken = rows * columns * classes
    return answer_K[_GRID : _GRID + taken].reshape(rows, columns, classes)


def pixels_of(log_YXC: Floats, size: tuple[int, int]) -> Labels:
    """Return the most probable class of each pixel of a picture of a size."""
    best_YX = scaled(log_YXC[..., :1], size)[..., 0].copy()
    labels_YX = np.zeros(size, np.uint8)
    for number in range(1, log_YXC.shape[2]):
        level_YX = scaled(log_YXC[..., number : number + 1], size)[..., 0]
        more_YX = level_YX > best_YX
        labels_YX[more_YX] = number
        np.maximum(best_YX, level_YX, out=best_YX)
    return labels_YX


# ------------------------------------------------------------------ sums of a picture


def confused(truth_YX: Labels, answer_YX: Labels, classes: int) -> Doubles:
    """Return the pixels by true and answered class, [C, C]; where the truth is void none count."""
    known_YX = truth_YX < classes
    pairs = truth_YX[known_YX].astype(np.int64) * classes + answer_YX[known_YX]
    found = np.bincount(pairs, minlength=classes**2).reshape(classes, classes)
    return found.astype(np.float64)


def edges_compared(truth_YX: Labels, answer_YX: Labels, classes: int) -> Doubles:
    """Return how the edges of the area of each class lie, [C, 4]; at void pixels none count.

    Answered ones that lie near true ones, answered ones, true ones that lie near answered ones,
    true ones.
    """
    import cv2

    known_YX = truth_YX < classes
    edges_C4 = np.zeros((classes, 4))
    reach = max(1, round(EDGE_SHARE * float(np.hypot(*truth_YX.shape))))
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2)
    for number in np.unique(np.concatenate([truth_YX[known_YX], answer_YX[known_YX]])):
        areas = [np.equal(one, number) for one in (truth_YX, answer_YX)]
        part = _around(areas[0] | areas[1], reach)
        edges_C4[number] = _edges(areas[0][part], areas[1][part], known_YX[part], disk)
    return edges_C4


def _around(area_YX: NDArray[np.bool_], reach: int) -> tuple[slice, slice]:
    """Return the rows and columns of an area, and as many beside them as edges may lie apart."""
    found = []
    for along in (1, 0):
        place = np.flatnonzero(area_YX.any(axis=along))
        first, last = (int(place[0]), int(place[-1])) if len(place) else (0, 0)
        found.append(slice(max(first - reach - 1, 0), last + reach + 2))
    return found[0], found[1]


def _edges(
    true_YX: NDArray[np.bool_],
    said_YX: NDArray[np.bool_],
    known_YX: NDArray[np.bool_],
    disk: NDArray[Any],
) -> tuple[float, float, float, float]:
    """Return near and all pixels of the edges of an area, those of the answer first."""
    import cv2

    edges = [_edge(area_YX) & known_YX for area_YX in (said_YX, true_YX)]
    near = [cv2.dilate(edge_YX.astype(np.uint8), disk) > 0 for edge_YX in edges]
    said, true = edges
    return (
        float((said & near[1]).sum()), float(said.sum()),
        float((true & near[0]).sum()), float(true.sum()),
    )  # fmt: skip


def _edge(area_YX: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the pixels of an area beside a pixel that is not of it, to the right or below."""
    edge_YX = np.zeros_like(area_YX)
    edge_YX[:, :-1] |= area_YX[:, :-1] != area_YX[:, 1:]
    edge_YX[:-1] |= area_YX[:-1] != area_YX[1:]
    return edge_YX


@dataclass
class _Kept:
    """Sums of pictures that were compared before: a comparison asks for them many times.

    ``compare`` makes them of the true and answered classes of pixels and the number of classes.
    """

    compare: Callable[[Labels, Labels, int], Doubles]
    of: OrderedDict[tuple[LabelledMask, bytes], Doubles] = field(default_factory=OrderedDict)
    held: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def sums(self, mask: LabelledMask, answer_K: Floats) -> Doubles:
        digest = hashlib.blake2b(answer_K.tobytes(), digest_size=16).digest()
        key = mask, digest
        with self.lock:
            if key in self.of:
                self.of.move_to_end(key)
                return self.of[key]
        labels_YX = mask.labels()
        answer_YX = pixels_of(cells_of(answer_K), labels_YX.shape)
        found = self.compare(labels_YX, answer_YX, mask.classes)
        with self.lock:
            self.held += 0 if key in self.of else found.nbytes
            self.of[key] = found
            while self.held > _KEPT_BYTES:
                self.held -= self.of.popitem(last=False)[1].nbytes
        return found


# Edges take ten times as long as classes of pixels, and choices do not ask for them.
_CONFUSED, _EDGES = _Kept(confused), _Kept(edges_compared)


def confusion_of_picture(mask: LabelledMask, answer_K: Floats) -> Doubles:
    """Return the pixels of a picture by true and answered class, [C, C]."""
    return _CONFUSED.sums(mask, answer_K)


def confusion_of(truth: Any, answers: Any) -> Doubles:  # noqa: ANN401
    """Return the pixels of some pictures by true and answered class, [C, C]."""
    found = [confusion_of_picture(*pair) for pair in zip(truth, answers, strict=True)]
    result: Doubles = np.sum(found, axis=0)
    return result


def intersections_over_unions(confusion_RCC: Doubles) -> Doubles:
    """Return the figure of each class, [R, C]; NaN of a class that no pixel truly has."""
    both_RC = np.diagonal(confusion_RCC, axis1=1, axis2=2)
    true_RC, said_RC = confusion_RCC.sum(axis=2), confusion_RCC.sum(axis=1)
    result: Doubles = np.where(true_RC > 0, ratio(both_RC, true_RC + said_RC - both_RC), np.nan)
    return result


# ------------------------------------------------------------------ measures


@dataclass(frozen=True)
class MeanIou:
    """Mean over classes of intersection over union, from one confusion matrix of all pixels."""

    name: str = "miou"
    kind: Range = "bounded"
    higher_is_better: bool = True

    def sums(self, truth: Any, answers: Any) -> Doubles:  # noqa: ANN401
        """Return the pixels by true and answered class, [C * C]."""
        return confusion_of(truth, answers).ravel()

    def figure(self, sums_RX: Doubles) -> Doubles:
        """Return the mean over the classes that are there."""
        return mean_of_known(intersections_over_unions(_square(sums_RX)))


@dataclass(frozen=True)
class PixelAccuracy:
    """The share of pixels whose class is right."""

    name: str = "pixels"
    kind: Range = "bounded"
    higher_is_better: bool = True

    def sums(self, truth: Any, answers: Any) -> Doubles:  # noqa: ANN401
        """Return right pixels and all pixels."""
        confusion_CC = confusion_of(truth, answers)
        return np.array([np.trace(confusion_CC), confusion_CC.sum()])

    def figure(self, sums_RX: Doubles) -> Doubles:
        """Return the share."""
        return ratio(sums_RX[:, 0], sums_RX[:, 1])


@dataclass(frozen=True)
class BoundaryF1:
    """Mean over classes of the F1 of edges: those count that have one of their class near them.

    Csurka et al. (2013), "What is a good evaluation measure for semantic segmentation?".
    """

    name: str = "edges"
    kind: Range = "bounded"
    higher_is_better: bool = True

    def sums(self, truth: Any, answers: Any) -> Doubles:  # noqa: ANN401
        """Return near and all edge pixels by class, [C * 4]."""
        found = [_EDGES.sums(*pair) for pair in zip(truth, answers, strict=True)]
        result: Doubles = np.sum(found, axis=0).ravel()
        return result

    def figure(self, sums_RX: Doubles) -> Doubles:
        """Return the mean over the classes that are there."""
        near_said, said, near_true, true = np.moveaxis(sums_RX.reshape(len(sums_RX), -1, 4), 2, 0)
        precision, recall = ratio(near_said, np.maximum(said, 1.0)), ratio(near_true, true)
        both = ratio(2 * precision * recall, np.maximum(precision + recall, 1e-12))
        return mean_of_known(np.where(true > 0, both, np.nan))


def _square(sums_RX: Doubles) -> Doubles:
    classes = round(sums_RX.shape[1] ** 0.5)
    return sums_RX.reshape(len(sums_RX), classes, classes)


AREA_MEASURES: dict[str, AnyMeasure] = {
    measure.name: measure for measure in (MeanIou(), PixelAccuracy(), BoundaryF1())
}
"""By name of ``--metric``; the first decides."""

"""What an encoder saw at the places of a picture, in tokens and back.

A token is a block of 32 x 32 pixels: 16 fine cells of 8 x 8 pixels, 4 middle cells of 16 x 16,
and one coarse cell, each with what a stage of the encoder says of it, row by row; then where the
block is (the row and column of its middle, in shares of the picture), and how many numbers a fine
and a middle cell has. Tokens stand in the order of reading, so that they say by themselves how
many rows and columns there are. That is a quarter of what all stages brought to fine cells take.

Shape letters: R rows and Q columns of blocks, N = R * Q tokens, D numbers of a token, F, G and E
numbers of a fine, a middle and a coarse cell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Floats, Indices
from vidfit.errors import BackboneError
from vidfit.features.pool import Pooling

BLOCK_PIXELS, FINE_PIXELS = 32, 8
"""Sides of a block and of a fine cell."""

FINE_SIDE, MIDDLE_SIDE = 4, 2
"""Fine and middle cells along a side of a block."""

TOLD = 4
"""Numbers of a token behind its cells: row, column, F and G."""

MOST_BLOCKS = 181
"""Of a picture."""


@dataclass(frozen=True)
class Places:
    """What was seen at the places of one picture.

    Parameters
    ----------
    fine_YXF, middle_YXG, coarse_YXE
        By cell, [4R, 4Q, F], [2R, 2Q, G] and [R, Q, E].
    """

    fine_YXF: Floats
    middle_YXG: Floats
    coarse_YXE: Floats

    @classmethod
    def of(cls, tokens_X: Floats) -> Places:
        """Return what tokens [N, D] say, or one row that `in_places` made of them.

        Raises
        ------
        ValueError
            If they are no tokens of places.
        """
        tokens_ND = np.asarray(tokens_X, np.float32)
        if tokens_ND.ndim == 1:
            tokens_ND = tokens_ND.reshape(MOST_BLOCKS, -1)
        rows, columns, fine, middle = grid_of(tokens_ND)
        tokens_RQD = tokens_ND[: rows * columns].reshape(rows, columns, -1)
        first = FINE_SIDE**2 * fine
        after = first + MIDDLE_SIDE**2 * middle
        return cls(
            _cells(tokens_RQD[..., :first], FINE_SIDE),
            _cells(tokens_RQD[..., first:after], MIDDLE_SIDE),
            tokens_RQD[..., after:-TOLD],
        )

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of fine cells."""
        return self.fine_YXF.shape[0], self.fine_YXF.shape[1]

    @property
    def levels(self) -> tuple[int, int, int]:
        """F, G and E."""
        return self.fine_YXF.shape[2], self.middle_YXG.shape[2], self.coarse_YXE.shape[2]

    def tokens(self) -> Floats:
        """Return the tokens [N, D]."""
        rows, columns = self.coarse_YXE.shape[:2]
        row_R, column_Q = (np.arange(rows) + 0.5) / rows, (np.arange(columns) + 0.5) / columns
        told_RQT = np.empty((rows, columns, TOLD))
        told_RQT[..., 0], told_RQT[..., 1] = row_R[:, None], column_Q
        told_RQT[..., 2:] = self.levels[:2]
        parts = [_blocks(self.fine_YXF, rows), _blocks(self.middle_YXG, rows), self.coarse_YXE]
        tokens_RQD = np.concatenate([*parts, told_RQT], axis=2).astype(np.float32)
        return tokens_RQD.reshape(rows * columns, -1)

    def cells(self, which_S: Indices) -> Floats:
        """Return all that is known of some fine cells by number, [S, F + G + E + 2].

        What larger cells say is interpolated between their middles; row and column come last.
        """
        rows, columns = self.grid
        row_S, column_S = (which_S // columns + 0.5) / rows, (which_S % columns + 0.5) / columns
        levels = (self.fine_YXF, self.middle_YXG, self.coarse_YXE)
        flat = [_between(level, row_S, column_S) for level in levels]
        place_S2 = np.stack([row_S, column_S], axis=1).astype(np.float32)
        return np.concatenate([*flat, place_S2], axis=1)


def grid_of(tokens_ND: Floats) -> tuple[int, int, int, int]:
    """Return R, Q, F and G of tokens, behind which there may be rows of zeros.

    Raises
    ------
    ValueError
        If they are no tokens of places.
    """
    row, column, fine, middle = (float(x) for x in tokens_ND[0, -TOLD:])
    if not (0 < row <= 0.5 and 0 < column <= 0.5 and fine >= 0 and middle >= 0):
        raise ValueError("these are no tokens of places: the first one says no place")
    rows, columns = round(0.5 / row), round(0.5 / column)
    taken = FINE_SIDE**2 * round(fine) + MIDDLE_SIDE**2 * round(middle) + TOLD
    if rows * columns > len(tokens_ND) or taken > tokens_ND.shape[1]:
        raise ValueError(f"these are no tokens of places: {rows} x {columns} of {len(tokens_ND)}")
    return rows, columns, round(fine), round(middle)


def places_of(grid: tuple[int, int]) -> Floats:
    """Return row and column of the middle of each cell of a grid, in shares, [cells, 2]."""
    rows, columns = grid
    row_Y, column_X = (np.arange(rows) + 0.5) / rows, (np.arange(columns) + 0.5) / columns
    both = np.stack(np.meshgrid(row_Y, column_X, indexing="ij"), axis=-1)
    return both.reshape(-1, 2).astype(np.float32)


def scaled(values_YXC: Floats, grid: tuple[int, int]) -> Floats:
    """Return values of cells, interpolated (bilinear, between middles) to a grid, [Y, X, C]."""
    import cv2

    if values_YXC.shape[:2] == grid:
        return values_YXC
    size = grid[1], grid[0]
    found_YXC = np.empty((*grid, values_YXC.shape[2]), np.float32)
    for c in range(0, values_YXC.shape[2], _AT_ONCE):
        piece_YXC = cv2.resize(np.ascontiguousarray(values_YXC[..., c : c + _AT_ONCE]), size)
        found_YXC[..., c : c + _AT_ONCE] = piece_YXC.reshape(*grid, -1)
    return found_YXC


def _between(
    values_YXC: Floats, row_S: NDArray[np.floating], column_S: NDArray[np.floating]
) -> Floats:
    """Return values [S, C] at places in shares of the picture, as `scaled` interpolates."""
    height, width = values_YXC.shape[:2]
    y_S = np.clip(row_S * height - 0.5, 0, height - 1)
    x_S = np.clip(column_S * width - 0.5, 0, width - 1)
    above_S, left_S = y_S.astype(np.int64), x_S.astype(np.int64)
    below_S, right_S = np.minimum(above_S + 1, height - 1), np.minimum(left_S + 1, width - 1)
    down_S1 = (y_S - above_S).astype(np.float32)[:, None]
    over_S1 = (x_S - left_S).astype(np.float32)[:, None]
    upper_SC = values_YXC[above_S, left_S] * (1 - over_S1) + values_YXC[above_S, right_S] * over_S1
    lower_SC = values_YXC[below_S, left_S] * (1 - over_S1) + values_YXC[below_S, right_S] * over_S1
    between: Floats = upper_SC * (1 - down_S1) + lower_SC * down_S1
    return between


_AT_ONCE = 64
"""Channels that OpenCV scales at a time."""


def in_places(tokens_ND: Floats) -> Floats:
    """Return tokens one after the other, in `MOST_BLOCKS` places: behind the last stand zeros.

    Raises
    ------
    BackboneError
        If they are no tokens of places, or too many.
    """
    try:
        rows, columns, *_ = grid_of(tokens_ND)
    except ValueError as error:
        raise BackboneError(
            "the encoder does not say what is where in a picture; valid are encoders of places, "
            "such as efficientnet-lite0-places, and segmenters of Hugging Face"
        ) from error
    if rows * columns > MOST_BLOCKS:
        raise BackboneError(
            f"the encoder says of {rows} x {columns} blocks of a picture what is there, and a fit "
            f"learns of {MOST_BLOCKS}: it answers as it is (vidfit predict NAME --task segment)"
        )
    row_X: NDArray[Any] = np.zeros((MOST_BLOCKS, tokens_ND.shape[1]), np.float16)
    limit = float(np.finfo(np.float16).max)
    row_X[: len(tokens_ND)] = np.clip(tokens_ND, -limit, limit)
    return row_X.reshape(-1)


def _cells(tokens_RQX: Floats, side: int) -> Floats:
    """Return the cells of blocks as a picture: [R, Q, side * side * C] to [side R, side Q, C]."""
    rows, columns, numbers = tokens_RQX.shape
    shape = rows, columns, side, side, numbers // side**2
    return tokens_RQX.reshape(shape).swapaxes(1, 2).reshape(rows * side, columns * side, -1)


def _blocks(cells_YXC: Floats, rows: int) -> Floats:
    """Return a picture of cells as blocks: the inverse of `_cells`."""
    height, width, channels = cells_YXC.shape
    side = height // rows
    shape = rows, side, width // side, side, channels
    return cells_YXC.reshape(shape).swapaxes(1, 2).reshape(rows, width // side, -1)


IN_PLACES = Pooling(in_places, MOST_BLOCKS, on_disk=True)
"""Kept apart by place: half a megabyte a picture, on disk."""

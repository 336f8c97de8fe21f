"""MaskAnnotations as runs of pixels and as outlines, as COCO has them.

Shape letters: H height, W width, R runs, P points.

Runs go down the columns, and the first is of pixels outside of the object. Written by the rules of
``maskApi.c`` of the COCO API (Dollar and Lin 2014, BSD), which decides how an outline is filled.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
"""Whether a pixel is of the object, [H, W]."""

Whole = NDArray[np.int64]

_FINER = 5
"""Outlines are drawn on a grid as much finer than the pixels."""

_FIRST_SIGN, _BITS = 48, 5
"""Five bits a sign, from ``"0"`` on; the sixth bit says that the number goes on."""


def runs_of(mask_HW: Mask) -> list[int]:
    """Return the lengths of runs, [R]."""
    flat = mask_HW.T.reshape(-1)
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    edges = np.concatenate([[0], changes, [flat.size]])
    runs = [int(run) for run in np.diff(edges)]
    return [0, *runs] if flat.size and flat[0] else runs


def mask_of(runs: Sequence[int], height: int, width: int) -> Mask:
    """Return the mask of runs.

    Raises
    ------
    ValueError
        If they are below 0, or not as long as the picture.
    """
    if any(run < 0 for run in runs) or sum(runs) != height * width:
        raise ValueError(
            f"its runs are of {sum(runs)} pixels, and the picture has {height} x {width}"
        )
    inside_R: Mask = np.arange(len(runs)) % 2 == 1
    flat = np.repeat(inside_R, np.asarray(runs, np.int64))
    found: Mask = flat.reshape(width, height).T
    return found


def packed(runs: Sequence[int]) -> str:
    """Return runs as COCO's short text: from the third on, what is added to the last but one."""
    signs = []
    for place, run in enumerate(runs):
        value = run - runs[place - 2] if place > 2 else run
        goes_on = True
        while goes_on:
            bits = value & 0x1F
            value >>= _BITS
            goes_on = value != -1 if bits & 0x10 else value != 0
            signs.append(chr((bits | 0x20 if goes_on else bits) + _FIRST_SIGN))
    return "".join(signs)


def unpacked(text: str) -> list[int]:
    """Return the runs of COCO's short text.

    Raises
    ------
    ValueError
        If it has other signs, or ends within a number.
    """
    runs: list[int] = []
    value = shift = 0
    for sign in text:
        bits = ord(sign) - _FIRST_SIGN
        if not 0 <= bits < 64 or shift > 40:
            raise ValueError(f"its counts have the sign {sign!r}, which no runs of COCO have")
        value |= (bits & 0x1F) << shift
        shift += _BITS
        if not bits & 0x20:
            value -= (1 << shift) if bits & 0x10 else 0
            runs.append(value + (runs[-2] if len(runs) > 2 else 0))
            value = shift = 0
    if shift:
        raise ValueError("its counts end within a number")
    return runs


def filled(outline: Sequence[float], height: int, width: int) -> Mask:
    """Return the mask of an outline ``x1, y1, x2, y2, …``, in pixels from the corner.

    Raises
    ------
    ValueError
        If it has fewer than three points, or lies far outside of the picture.
    """
    points = np.asarray(outline, np.float64)
    if points.size < 6 or points.size % 2:
        raise ValueError(f"an outline of it has {points.size} numbers; valid are 6, 8, 10, …")
    xs_P, ys_P = points[::2], points[1::2]
    if not (_near(xs_P, width) and _near(ys_P, height)):
        raise ValueError(f"an outline of it leaves the picture of {width} x {height}")
    at_P = _boundary(_fine(xs_P), _fine(ys_P), height, width)
    turns = np.bincount(at_P, minlength=height * width + 1)[: height * width]
    inside: Mask = (np.cumsum(turns) % 2 == 1).reshape(width, height).T
    return inside


def _near(values: NDArray[np.float64], side: int) -> bool:
    return bool(np.isfinite(values).all() and values.min() >= -side and values.max() <= 2 * side)


def _fine(values_P: NDArray[np.float64]) -> Whole:
    fine = np.trunc(_FINER * values_P + 0.5).astype(np.int64)
    return np.append(fine, fine[0])


def _boundary(xs: Whole, ys: Whole, height: int, width: int) -> Whole:
    """Return the pixels, down the columns, at which a column enters or leaves the outline."""
    pieces = [_line(xs[i], xs[i + 1], ys[i], ys[i + 1]) for i in range(len(xs) - 1)]
    us = np.concatenate([us for us, _ in pieces])
    vs = np.concatenate([vs for _, vs in pieces])
    steps = np.flatnonzero(us[1:] != us[:-1]) + 1
    before, after = us[steps - 1], us[steps]
    columns = (np.where(after < before, after, after - 1) + 0.5) / _FINER - 0.5
    rows = (np.minimum(vs[steps], vs[steps - 1]) + 0.5) / _FINER - 0.5
    kept = (np.floor(columns) == columns) & (columns >= 0) & (columns <= width - 1)
    down = np.ceil(np.clip(rows[kept], 0, height)).astype(np.int64)
    found: Whole = columns[kept].astype(np.int64) * height + down
    return found


def _line(xs: int, xe: int, ys: int, ye: int) -> tuple[Whole, Whole]:
    """Return the points of a line on the fine grid, both ends among them."""
    dx, dy = abs(int(xe - xs)), abs(int(ye - ys))
    flat = dx >= dy
    turned = xs > xe if flat else ys > ye
    (x, y), (x_end, y_end) = ((xe, ye), (xs, ys)) if turned else ((xs, ys), (xe, ye))
    along = np.arange(max(dx, dy) + 1)
    along = along[::-1] if turned else along
    if flat:
        slope = float(y_end - y) / dx if dx else 0.0
        return along + x, np.trunc(y + slope * along + 0.5).astype(np.int64)
    slope = float(x_end - x) / dy
    return np.trunc(x + slope * along + 0.5).astype(np.int64), along + y

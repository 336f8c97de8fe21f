"""What a dense optical flow tells, as numbers with names.

Shape letters: P pairs of frames, H and W the grid on which the flow is described, N its
points, K numbers of a group.

Flow is in fractions of the frame's width (x, to the right) and height (y, downwards) per pair;
places run from -0.5 to 0.5. Magnitudes are given as logarithms, above a floor where noise
ends: a linear head then sees ratios, and a still pair is a number like any other. "Residual"
is the flow without the motion of the camera.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Floats

_Array = NDArray[np.floating]

_QUANTILES = (0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
_BIN_EDGES = (0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064)
_DIRECTIONS = 8
_CELLS = 4
_SORTED_RANKS = (0, 1, 3, 7)

_FLOW_FLOOR = 0.001
"""Fractions of the frame per pair: an eighth of a pixel of 128, what flow can resolve."""
_MOVING = 0.004
_GREY_FLOOR = 1.0
"""Grey levels of 255: what video codecs leave of a still picture."""
_GRADIENT_FLOOR = 0.01

_HUBER = 1.345
_FIT_STEPS = 6
_FIT_STRIDE = 2

_AFFINE = ("pan_x", "pan_y", "zoom", "roll", "stretch", "shear")
_LEVELS = ("mean", *(f"q{round(100 * q)}" for q in _QUANTILES))


def _numbered(stem: str, count: int) -> tuple[str, ...]:
    return tuple(f"{stem}_{i}" for i in range(count))


def _levels_of(stem: str) -> tuple[str, ...]:
    return tuple(f"{stem}_{level}" for level in _LEVELS)


FEATURE_GROUPS: dict[str, tuple[str, ...]] = {
    "camera": (*_AFFINE, *(f"log_{name}" for name in _AFFINE)),
    "flow": _levels_of("flow"),
    "residual": (*_levels_of("residual"), "moving_fraction"),
    "histogram": _numbered("residual_bin", len(_BIN_EDGES) + 1),
    "direction": (
        *_numbered("direction", _DIRECTIONS),
        *_numbered("direction_from_main", _DIRECTIONS),
        "coherence",
    ),
    "place": ("centre_x", "centre_y", "spread_x", "spread_y", "spread", "concentration"),
    "grid": (*_numbered("cell", _CELLS**2), *_numbered("cell_rank", _CELLS**2)),
    "deformation": ("divergence", "curl", "strain"),
    "change": _levels_of("change"),
    "warp": (*_levels_of("warp"), "warp_share", *(f"warp_rank_{r}" for r in _SORTED_RANKS)),
    "acceleration": (*_levels_of("acceleration"), "surge_fraction"),
}
"""Names by group:

``camera``
    Translation, zoom (half the divergence), roll (half the curl, clockwise) and the two
    shears of the affine fit, signed and as log magnitude.
``flow``, ``residual``
    Mean and quantiles of the speed before and after the camera's motion is taken away.
``histogram``
    Share of the points in each octave of residual speed.
``direction``
    Share of the residual motion in each of 8 directions, from the right and clockwise; the
    same from the strongest direction; and how much of the motion goes one way.
``place``
    Where the residual motion is, how widely spread, how concentrated (0 is even).
``grid``
    Residual speed of 4 x 4 cells in their places, and sorted, where places do not matter.
``deformation``
    Mean size of the residual flow's derivatives, per frame width and height.
``change``
    Difference of the two frames in grey levels.
``warp``
    What remains of it when the second frame is brought back along the flow: motion too
    violent for a flow. Levels, as a share of the change, and its strongest cells.
``acceleration``
    Change of the residual flow from the pair before, and the share of points that surge or
    stop. The first pair of a view takes the second's; views of one pair have none.
"""

FEATURE_NAMES: tuple[str, ...] = tuple(name for names in FEATURE_GROUPS.values() for name in names)
"""The name of each of the D features, in order."""


@dataclass(frozen=True, slots=True)
class PairFields:
    """Dense fields of the pairs of one view.

    ``flow_PHW2`` in fractions of the frame per pair; ``change_PHW`` the absolute difference of
    the two frames, and ``warp_PHW`` of the first and the second brought back along the flow,
    in grey levels.
    """

    flow_PHW2: Floats
    change_PHW: Floats
    warp_PHW: Floats


def describe(fields: PairFields) -> Floats:
    """Return the features [P, D] of the pairs of one view, finite for any picture."""
    affine_P6, residual_PHW2 = fit_camera(fields.flow_PHW2)
    speed_PHW = np.linalg.norm(residual_PHW2, axis=-1)
    groups = {
        "camera": np.hstack([affine_P6, np.log(np.abs(affine_P6) + _FLOW_FLOOR)]),
        "flow": _levels(np.linalg.norm(fields.flow_PHW2, axis=-1), _FLOW_FLOOR),
        "residual": np.hstack([_levels(speed_PHW, _FLOW_FLOOR), _share(speed_PHW > _MOVING)]),
        "histogram": _histogram(speed_PHW),
        "direction": _directions(residual_PHW2, speed_PHW),
        "place": _place(speed_PHW),
        "grid": _grid(speed_PHW),
        "deformation": _deformation(residual_PHW2),
        "change": _levels(fields.change_PHW, _GREY_FLOOR),
        "warp": _warp(fields.warp_PHW, fields.change_PHW),
        "acceleration": _acceleration(residual_PHW2, speed_PHW),
    }
    return np.hstack([groups[name] for name in FEATURE_GROUPS]).astype(np.float32)


def fit_camera(flow_PHW2: Floats) -> tuple[_Array, Floats]:
    """Fit the motion of the camera: an affine flow, robust to what moves beside it.

    Iteratively reweighted least squares with the weights of Huber (1964), whose scale is the
    median residual; x and y share a point's weight.

    Returns
    -------
    tuple
        Pan x, pan y, zoom, roll, stretch, shear [P, 6] in fractions of the frame per pair,
        and the flow that is left [P, H, W, 2].
    """
    height, width = flow_PHW2.shape[1:3]
    places_HW3 = _places(height, width)
    thin = (slice(None, None, _FIT_STRIDE), slice(None, None, _FIT_STRIDE))
    places_N3 = places_HW3[thin].reshape(-1, 3)
    flow_PN2 = flow_PHW2[:, thin[0], thin[1]].reshape(len(flow_PHW2), -1, 2).astype(np.float64)
    affine_P32 = _robust_fit(places_N3, flow_PN2)
    residual_PHW2 = flow_PHW2 - np.einsum("hwi,pik->phwk", places_HW3, affine_P32)
    (pan_x, pan_y), (x_by_x, y_by_x), (x_by_y, y_by_y) = affine_P32.transpose(1, 2, 0)
    affine_P6 = np.stack(
        [
            pan_x,
            pan_y,
            (x_by_x + y_by_y) / 2,
            (y_by_x - x_by_y) / 2,
            (x_by_x - y_by_y) / 2,
            (y_by_x + x_by_y) / 2,
        ],
        axis=1,
    )
    return affine_P6, residual_PHW2.astype(np.float32)


def _robust_fit(places_N3: _Array, flow_PN2: _Array) -> _Array:
    products_N9 = (places_N3[:, :, None] * places_N3[:, None, :]).reshape(-1, 9)
    weights_PN = np.ones(flow_PN2.shape[:2])
    for _ in range(_FIT_STEPS):
        # The ridge keeps grids of one row or column solvable.
        normal_P33 = (weights_PN @ products_N9).reshape(-1, 3, 3) + 1e-9 * np.eye(3)
        right_P32 = places_N3.T @ (weights_PN[..., None] * flow_PN2)
        affine_P32: _Array = np.linalg.solve(normal_P33, right_P32)
        error_PN = np.linalg.norm(flow_PN2 - places_N3 @ affine_P32, axis=-1)
        scale_P1 = 1.4826 * np.median(error_PN, axis=1, keepdims=True) + 1e-5
        weights_PN = np.minimum(1.0, _HUBER * scale_P1 / np.maximum(error_PN, 1e-12))
    return affine_P32


def _places(height: int, width: int) -> _Array:
    """1, x, y of each point."""
    y, x = np.meshgrid(_axis(height), _axis(width), indexing="ij")
    return np.stack([np.ones_like(x), x, y], axis=-1)


def _axis(count: int) -> _Array:
    return (np.arange(count) + 0.5) / count - 0.5


def _levels(values_PHW: _Array, floor: float) -> _Array:
    values_PN = values_PHW.reshape(len(values_PHW), -1)
    quantiles_PK = np.quantile(values_PN, _QUANTILES, axis=1).T
    return np.log(np.column_stack([values_PN.mean(axis=1), quantiles_PK]) + floor)


def _share(mask_PHW: NDArray[np.bool_]) -> _Array:
    share_P1: _Array = mask_PHW.mean(axis=(1, 2), dtype=np.float64)[:, None]
    return share_P1


def _histogram(speed_PHW: _Array) -> _Array:
    bins_PHW = np.digitize(speed_PHW, _BIN_EDGES)
    return np.hstack([_share(bins_PHW == k) for k in range(len(_BIN_EDGES) + 1)])


def _moving(speed_PHW: _Array) -> _Array:
    """Speed where it is above the noise, else zero."""
    return np.where(speed_PHW > _FLOW_FLOOR, speed_PHW, 0.0)


def _directions(flow_PHW2: _Array, speed_PHW: _Array) -> _Array:
    turns_PHW = np.arctan2(flow_PHW2[..., 1], flow_PHW2[..., 0]) / (2 * np.pi)
    sector_PHW = np.floor(turns_PHW * _DIRECTIONS + 0.5).astype(np.int64) % _DIRECTIONS
    weight_PHW = _moving(speed_PHW)
    sums_P8 = np.stack(
        [(weight_PHW * (sector_PHW == k)).sum(axis=(1, 2)) for k in range(_DIRECTIONS)], axis=1
    )
    total_P1 = np.maximum(sums_P8.sum(axis=1, keepdims=True), _FLOW_FLOOR)
    share_P8 = sums_P8 / total_P1
    from_main_P8 = (share_P8.argmax(axis=1)[:, None] + np.arange(_DIRECTIONS)) % _DIRECTIONS
    sum_P2 = (flow_PHW2 * (weight_PHW > 0)[..., None]).sum(axis=(1, 2))
    coherence_P1 = np.linalg.norm(sum_P2, axis=1, keepdims=True) / total_P1
    return np.hstack([share_P8, np.take_along_axis(share_P8, from_main_P8, axis=1), coherence_P1])


def _place(speed_PHW: _Array) -> _Array:
    height, width = speed_PHW.shape[1:]
    # With nothing moving the weight is even, not undefined.
    weight_PHW = _moving(speed_PHW) + 1e-6
    weight_PHW = weight_PHW / weight_PHW.sum(axis=(1, 2), keepdims=True)
    along_x_PW, along_y_PH = weight_PHW.sum(axis=1), weight_PHW.sum(axis=2)
    x_W, y_H = _axis(width), _axis(height)
    centre_x, centre_y = along_x_PW @ x_W, along_y_PH @ y_H
    spread_x = np.sqrt((along_x_PW * (x_W - centre_x[:, None]) ** 2).sum(axis=1))
    spread_y = np.sqrt((along_y_PH * (y_H - centre_y[:, None]) ** 2).sum(axis=1))
    concentration = np.log((weight_PHW**2).sum(axis=(1, 2)) * height * width)
    spread = np.hypot(spread_x, spread_y)
    return np.column_stack([centre_x, centre_y, spread_x, spread_y, spread, concentration])


def _cells(values_PHW: _Array) -> _Array:
    """Means over 4 x 4 cells, row by row; cells of a tiny grid may share points."""
    for axis in (1, 2):
        edges = np.linspace(0, values_PHW.shape[axis], _CELLS + 1)
        spans = [np.arange(int(low), max(int(low) + 1, int(high))) for low, high in pairwise(edges)]
        values_PHW = np.stack([values_PHW.take(span, axis).mean(axis) for span in spans], axis)
    return values_PHW.reshape(len(values_PHW), -1)


def _descending(values_PK: _Array) -> _Array:
    return np.sort(values_PK, axis=1)[:, ::-1]


def _grid(speed_PHW: _Array) -> _Array:
    cells_PK = np.log(_cells(speed_PHW) + _FLOW_FLOOR)
    return np.hstack([cells_PK, _descending(cells_PK)])


def _deformation(flow_PHW2: _Array) -> _Array:
    height, width = flow_PHW2.shape[1:3]
    if min(height, width) < 2:
        return np.full((len(flow_PHW2), 3), np.log(_GRADIENT_FLOOR))
    by_x = np.diff(flow_PHW2, axis=2)[:, :-1] * width
    by_y = np.diff(flow_PHW2, axis=1)[:, :, :-1] * height
    sizes = [
        np.abs(by_x[..., 0] + by_y[..., 1]),
        np.abs(by_x[..., 1] - by_y[..., 0]),
        np.hypot(by_x[..., 0] - by_y[..., 1], by_x[..., 1] + by_y[..., 0]),
    ]
    means_P3 = np.stack([size_PHW.mean(axis=(1, 2)) for size_PHW in sizes], axis=1)
    return np.log(means_P3 + _GRADIENT_FLOOR)


def _warp(warp_PHW: _Array, change_PHW: _Array) -> _Array:
    share_P = warp_PHW.mean(axis=(1, 2)) / (change_PHW.mean(axis=(1, 2)) + _GREY_FLOOR)
    cells_PK = np.log(_descending(_cells(warp_PHW)) + _GREY_FLOOR)
    return np.column_stack([_levels(warp_PHW, _GREY_FLOOR), share_P, cells_PK[:, _SORTED_RANKS]])


def _acceleration(flow_PHW2: _Array, speed_PHW: _Array) -> _Array:
    if len(flow_PHW2) < 2:
        flow_PHW2, speed_PHW = flow_PHW2.repeat(2, axis=0), speed_PHW.repeat(2, axis=0)
        return _acceleration(flow_PHW2, speed_PHW)[:1]
    size_PHW = np.linalg.norm(np.diff(flow_PHW2, axis=0), axis=-1)
    surge_PHW = np.abs(np.diff(speed_PHW, axis=0)) > _MOVING
    values_PK = np.hstack([_levels(size_PHW, _FLOW_FLOOR), _share(surge_PHW)])
    return np.concatenate([values_PK[:1], values_PK])

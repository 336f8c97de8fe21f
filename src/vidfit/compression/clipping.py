"""Where to clip values before they are rounded to a few bits.

With a clipping scale s, a value x becomes ``clip(round(x * L / s), -L, L) * s / L``, where signed
values have L = 2^(B-1) - 1 steps on each side of zero; values that are never negative have
L = 2^B - 1 steps above it. A small s rounds finely and clips much, a large one the reverse.

Shape letters: R rows (channels, or blocks of weights) with a scale each, K values of a row.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Floats
from vidfit.errors import BackboneError

PERCENTILE = 99.99
ITERATIONS = 100
"""Most steps of OCTAV; it stands still long before."""

TINY = float(np.finfo(np.float64).tiny)

NEAR, NEARBY = (0.3, 0.05), 13
"""Scales that are tried after OCTAV's, as shares of it: how far from it, and how many."""

COARSE, FINE = 32, 17
"""Scales that a grid search tries: over all, then between the best one's neighbours."""

Scales = NDArray[np.float64]
RowScales = Callable[[Floats, int], Scales]


def steps(bits: int, signed: bool) -> int:
    """Return L, the steps between zero and the clipping scale.

    Raises
    ------
    BackboneError
        If there are fewer than 2 bits or more than 16.
    """
    if not 2 <= bits <= 16:
        raise BackboneError(f"Values were to be rounded to {bits} bits; valid is 2 to 16.")
    return int(2 ** (bits - 1) - 1 if signed else 2**bits - 1)


def row_scales(values_RK: Floats, bits: int, signed: bool, clipping: str = "octav") -> Scales:
    """Return the clipping scale of each row, [R]; 1 for a row of zeros.

    Parameters
    ----------
    bits
        2 to 16.
    signed
        Whether the grid has both signs.
    clipping
        A key of `CLIPPINGS`.

    Raises
    ------
    BackboneError
        If there are no values, or some are not finite, or the clipping is unknown.
    """
    check_clipping(clipping)
    if values_RK.size == 0:
        raise BackboneError("There are no values to choose a clipping scale of; pass at least one.")
    bad = values_RK.size - int(np.isfinite(values_RK).sum())
    if bad:
        raise BackboneError(
            f"{bad} of {values_RK.size} values are infinite or not a number, so that they have no "
            "clipping scale; look for a damaged weight or an overflow in the network."
        )
    sides_RK = _sides(values_RK, signed)
    scale_R = _ROWS[clipping](sides_RK, steps(bits, signed))
    chosen_R: Scales = np.where(scale_R > 0, scale_R, 1.0)
    return chosen_R


def check_clipping(clipping: str) -> None:
    """Refuse a name that is no key of `CLIPPINGS`."""
    if clipping not in _ROWS:
        raise BackboneError(f"There is no clipping {clipping!r}; valid are {', '.join(_ROWS)}.")


def _clip(clipping: str, values: Floats, bits: int, signed: bool) -> float:
    return float(row_scales(values.reshape(1, -1), bits, signed, clipping)[0])


def _sides(values: Floats, signed: bool) -> Floats:
    """Return distances from zero; both signs of a signed grid are alike."""
    sides: Floats = np.abs(values) if signed else np.maximum(values, 0)
    return sides.astype(np.float32, copy=False)


def _rounding_error(sides_RK: Floats, scale_R: Scales, steps: int) -> Scales:
    step_R1 = (np.maximum(scale_R, np.finfo(np.float32).tiny) / steps)[:, None].astype(np.float32)
    rounded_RK = sides_RK / step_R1
    np.minimum(np.rint(rounded_RK, out=rounded_RK), steps, out=rounded_RK)
    rounded_RK *= step_R1
    rounded_RK -= sides_RK
    squares_R: Scales = np.square(rounded_RK, out=rounded_RK).mean(axis=1, dtype=np.float64)
    return squares_R


def _minmax(sides_RK: Floats, steps: int) -> Scales:
    """Clip nothing."""
    scale_R: Scales = sides_RK.max(axis=1).astype(np.float64)
    return scale_R


def _percentile(sides_RK: Floats, steps: int) -> Scales:
    """Clip one value in ten thousand."""
    share_R = np.percentile(sides_RK, PERCENTILE, axis=1)
    # A row that is zero but for a few values is not to be lost altogether.
    scale_R: Scales = np.where(share_R > 0, share_R, sides_RK.max(axis=1)).astype(np.float64)
    return scale_R


def _mse(sides_RK: Floats, steps: int) -> Scales:
    """Try scales between the mean and the largest value, and keep that of the least error."""
    low_R = sides_RK.mean(axis=1, dtype=np.float64)
    high_R = sides_RK.max(axis=1).astype(np.float64)
    grid = np.linspace(0, 1, COARSE)
    tried_GR = low_R ** (1 - grid[:, None]) * high_R ** grid[:, None]
    best_R = _best(sides_RK, tried_GR, steps)
    ratio_R = np.where(low_R > 0, high_R / np.maximum(low_R, TINY), 1.0) ** (1 / (COARSE - 1))
    around = np.linspace(-1, 1, FINE)[:, None]
    tried_GR = np.minimum(tried_GR[best_R, np.arange(len(best_R))] * ratio_R**around, high_R)
    best_R = _best(sides_RK, tried_GR, steps)
    scale_R: Scales = tried_GR[best_R, np.arange(len(best_R))]
    return scale_R


def _best(sides_RK: Floats, tried_GR: Scales, steps: int) -> NDArray[np.int64]:
    errors = [_rounding_error(sides_RK, scale_R, steps) for scale_R in tried_GR]
    best_R: NDArray[np.int64] = np.argmin(errors, axis=0)
    return best_R


def _octav(sides_RK: Floats, steps: int) -> Scales:
    """Iterate s <- E[x; x > s] / (P(x <= s) / (12 L^2) + P(x > s)) from below.

    Sakr et al. (2022), "Optimal Clipping and Magnitude-aware Differentiation for Improved
    Quantization-aware Training", equation 4. Their noise of rounding, 4^-B / 3 of s^2, is that
    of steps of 2 s / 2^B; values that are never negative have steps of half that size, and
    4^-B / 12. Integers with as many steps on both sides of zero have steps of s / L, so that a
    square twelfth of that, 1 / (12 L^2), stands here: 2 % more at 8 bits, 31 % more at 4. Values
    that are exactly zero, half of what a ReLU gives, round without an error: P counts the others.
    """
    noise = 1 / (12 * steps**2)
    count = sides_RK.shape[1]
    rounded_R = (sides_RK > 0).sum(axis=1) / count
    scale_R: Scales = sides_RK.mean(axis=1, dtype=np.float64)
    for _ in range(ITERATIONS):
        beyond_RK = sides_RK > scale_R[:, None]
        share_R = beyond_RK.sum(axis=1) / count
        mass_R = np.where(beyond_RK, sides_RK, 0).sum(axis=1, dtype=np.float64) / count
        new_R = mass_R / (noise * np.maximum(rounded_R - share_R, 0) + np.maximum(share_R, TINY))
        # When nothing is clipped the scale is that of a row of equal values: it stays.
        new_R = np.where(share_R > 0, new_R, scale_R)
        if np.allclose(new_R, scale_R, rtol=1e-5, atol=0):
            break
        scale_R = new_R
    return _refined(sides_RK, scale_R, steps)


def _refined(sides_RK: Floats, scale_R: Scales, steps: int) -> Scales:
    """Return the scale of least true error among a few near the given one, and the largest value.

    OCTAV takes errors of rounding for evenly spread. Those of some hundred values are not, nor
    are those of a ReLU6, many of whose values are exactly the largest. ``python -m
    benchmarks.quantize`` tells how far OCTAV is above the best error by itself, and so.
    """
    high_R = sides_RK.max(axis=1).astype(np.float64)
    for width in NEAR:
        near_NR = np.minimum(scale_R * np.linspace(1 - width, 1 + width, NEARBY)[:, None], high_R)
        tried_NR = np.concatenate([scale_R[None], near_NR, high_R[None]])
        scale_R = tried_NR[_best(sides_RK, tried_NR, steps), np.arange(len(scale_R))]
    return scale_R


_ROWS: dict[str, RowScales] = {
    "minmax": _minmax,
    "percentile": _percentile,
    "mse": _mse,
    "octav": _octav,
}

CLIPPINGS: dict[str, Callable[[Floats, int, bool], float]] = {
    name: partial(_clip, name) for name in _ROWS
}
"""Name -> function of values, bits and whether the grid is signed, that returns the scale s."""

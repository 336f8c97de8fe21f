"""L-BFGS in the precision of its start (Liu and Nocedal 1989), for smooth convex losses.

scipy's works in double precision. Here single precision stays single, which halves the time of
every product, and vectors of many numbers are handled by numpy, which lets other threads work.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.floating]

Loss = Callable[[Numbers], tuple[float, Numbers]]
"""A point -> value and gradient there."""

_PAIRS = 10
"""Steps whose changes of the gradient are remembered."""

_MOST_STEPS, _MOST_TRIES = 2000, 20
_MOST_IDLE = 10
"""So many steps without a lower value end it: rounding hides what is left."""

_SUFFICIENT = 1e-4
"""Share of the promised decrease that a step must keep (Armijo)."""


def minimise(loss: Loss, start: Numbers, tolerance: float) -> Numbers:
    """Return the point where no entry of the gradient exceeds the tolerance.

    It ends before where the value no longer falls: `vidfit.fusion.regression` checks in double
    precision what is kept of single.

    Parameters
    ----------
    start
        Scaled so that curvature is about 1 along each axis: the first step is the gradient.
    """
    noise = 8 * float(np.finfo(start.dtype).eps)
    point, (value, gradient) = start, loss(start)
    pairs: deque[tuple[Numbers, Numbers, float]] = deque(maxlen=_PAIRS)
    lowest, idle = value, 0
    for _ in range(_MOST_STEPS):
        if float(np.abs(gradient).max()) <= tolerance:
            break
        direction = _direction(gradient, pairs)
        found = _step(loss, (point, value, gradient), direction, noise)
        if found is None:
            break
        change, bend = found[0] - point, found[2] - gradient
        curvature = float(change @ bend)
        if curvature > 0:  # rounding may hide it
            pairs.append((change, bend, curvature))
        point, value, gradient = found
        idle = 0 if value < lowest else idle + 1
        lowest = min(value, lowest)
        if idle == _MOST_IDLE:
            break
    return point


def _direction(gradient: Numbers, pairs: deque[tuple[Numbers, Numbers, float]]) -> Numbers:
    """Return minus the gradient times the inverse curvature that the pairs tell of."""
    direction, shares = -gradient, []
    for change, bend, curvature in reversed(pairs):
        share = float(change @ direction) / curvature
        direction -= share * bend
        shares.append(share)
    if pairs:
        _, bend, curvature = pairs[-1]
        direction *= curvature / float(bend @ bend)
    for (change, bend, curvature), share in zip(pairs, reversed(shares), strict=True):
        direction += (share - float(bend @ direction) / curvature) * change
    return direction


def _step(
    loss: Loss, here: tuple[Numbers, float, Numbers], direction: Numbers, noise: float
) -> tuple[Numbers, float, Numbers] | None:
    """Return the point of a step that is short enough, its value and gradient."""
    point, value, gradient = here
    slope, length = float(direction @ gradient), 1.0
    for _ in range(_MOST_TRIES):
        new_point = (point + length * direction).astype(point.dtype, copy=False)
        new_value, new_gradient = loss(new_point)
        if new_value <= value + _SUFFICIENT * length * slope + noise * abs(value):
            return new_point, new_value, new_gradient
        # The lowest point of the parabola through both values.
        bent = 2 * (new_value - value - length * slope)
        length *= float(np.clip(-slope * length / bent, 0.1, 0.5))
    return None

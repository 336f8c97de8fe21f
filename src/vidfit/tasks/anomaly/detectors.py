"""How far windows lie from those of normal recordings, in three ways, and how rare that is.

- ``neighbours``: the distance to the nearest normal window.
- ``gaussian``: the Mahalanobis distance under a covariance that is shrunk (Ledoit and Wolf 2004,
  "A well-conditioned estimator for large-dimensional covariance matrices").
- ``places``: the largest deviation of a single number. Where each number is of a place in the
  picture, that is the strangest place.

Each looks at two parts of a vector by themselves: the mean of what an encoder saw over the window
(what is there), and its deviation and change (what happens). Before one camera the first tells
most; where every recording is of another place, the second.

All see numbers divided by their deviation, which is drawn half way to that of all numbers: what
hardly ever changed is not strange at the first change.

A distance becomes a p-value by the distances of windows of normal recordings that were not learned
from; beyond a tenth of them, by an exponential tail. So values do not end with the largest seen.

Shape letters: N normal windows, M windows, D numbers of a vector, R axes, W ways of all parts, Q
knots.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Floats
from vidfit.features import STATISTICS

WAYS = ("neighbours", "gaussian", "places")
PARTS = ("mean", "change")
COUNT = len(PARTS) * len(WAYS)

MOST_WINDOWS, MOST_AXES = 2000, 64
"""Normal windows that neighbours are looked for among, evenly spread; axes of a covariance."""

KNOTS = 11
"""Numbers that say how rare a distance is: ten of them, and the scale of the tail."""

_TO_ALL = 0.5
_TAIL = 0.1
_LEAST = 1e-6
_BLOCK = 1024

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Detectors:
    """Mean and scale of the numbers, windows to be near to, and axes with what they weigh."""

    mean_D: Floats
    scale_D: Floats
    normal_ND: Floats
    axes_RD: Floats
    weight_R: Floats
    rest_1: Floats

    @classmethod
    def of(cls, x_ND: Floats) -> Detectors:
        """Learn from normal windows."""
        from sklearn.covariance import ledoit_wolf_shrinkage

        mean_D, variance_D = x_ND.mean(axis=0), x_ND.var(axis=0)
        even_D = (1 - _TO_ALL) * variance_D + _TO_ALL * variance_D.mean()
        scale_D = 1 / np.sqrt(np.maximum(even_D, _LEAST**2))
        z_ND = ((x_ND - mean_D) * scale_D).astype(np.float32)
        some = np.linspace(0, len(z_ND) - 1, min(len(z_ND), MOST_WINDOWS)).astype(int)
        z_ND = z_ND[some]
        _, length_R, axes_RD = np.linalg.svd(z_ND - z_ND.mean(axis=0), full_matrices=False)
        variance_R = length_R[:MOST_AXES] ** 2 / len(z_ND)
        shrunk = float(np.clip(ledoit_wolf_shrinkage(z_ND), 0.01, 1.0)) if len(z_ND) > 1 else 1.0
        rest = max(shrunk * float((length_R**2).sum()) / z_ND.size, _LEAST)
        weight_R = 1 / ((1 - shrunk) * variance_R + rest) - 1 / rest
        parts = (mean_D, scale_D, z_ND, axes_RD[:MOST_AXES], weight_R, np.array([1 / rest]))
        return cls(*(np.asarray(part, np.float32) for part in parts))

    def distances(self, x_MD: Floats) -> Doubles:
        """Return the distances [3, M] in all ways."""
        z_MD = ((x_MD - self.mean_D) * self.scale_D).astype(np.float32)
        square_M = np.einsum("md,md->m", z_MD, z_MD)
        along_MR = z_MD @ self.axes_RD.T
        far_M = square_M * self.rest_1 + along_MR**2 @ self.weight_R
        strangest_M = np.abs(z_MD).max(axis=1)
        near_M = np.sqrt(np.maximum(self._nearest(z_MD, square_M), 0.0))
        return np.stack([near_M, np.sqrt(np.maximum(far_M, 0.0)), strangest_M]).astype(np.float64)

    def _nearest(self, z_MD: Floats, square_M: Floats) -> Floats:
        """Return squared distances [M] to the nearest normal window."""
        own_N = np.einsum("nd,nd->n", self.normal_ND, self.normal_ND)
        found = [
            square_M[i : i + _BLOCK] + (own_N - 2 * z_MD[i : i + _BLOCK] @ self.normal_ND.T).min(1)
            for i in range(0, len(z_MD), _BLOCK)
        ]
        return np.concatenate([np.zeros(0, np.float32), *found])


def parts_of(x_MD: Floats) -> tuple[Floats, Floats]:
    """Return the means of a vector of `vidfit.features.STATISTICS`, and the rest."""
    means = part_widths(x_MD.shape[1])[0]
    return x_MD[:, :means], x_MD[:, means:]


def part_widths(width: int) -> tuple[int, int]:
    """Return how many numbers of a vector each of `PARTS` has."""
    means = -(-width // STATISTICS.times)
    return means, width - means


def knots_of(held_N: Doubles) -> Floats:
    """Return what `rarity` needs, [Q + 1]: distances at even shares, and the scale of the tail."""
    at_Q = np.quantile(held_N, np.linspace(0.0, 1 - _TAIL, KNOTS - 1))
    beyond = held_N[held_N >= at_Q[-1]] - at_Q[-1]
    scale = max(float(beyond.mean()), _LEAST * max(1.0, float(abs(at_Q[-1]))))
    return np.append(at_Q, scale).astype(np.float32)


def rarity(distance_M: Doubles, knots_Q: Floats) -> Doubles:
    """Return minus the logarithm of the share of held-out normal windows that lie as far."""
    at_Q = np.maximum.accumulate(knots_Q[:-1].astype(np.float64))
    rare_Q = -np.log(1 - np.linspace(0.0, 1 - _TAIL, len(at_Q)))
    beyond_M = np.maximum(distance_M - at_Q[-1], 0.0) / float(knots_Q[-1])
    return np.asarray(np.interp(distance_M, at_Q, rare_Q) + beyond_M)

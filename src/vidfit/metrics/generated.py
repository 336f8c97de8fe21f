"""How made things lie beside real ones, in the space of a frozen encoder.

The Fréchet distance compares two normal distributions (Fréchet 1957; Heusel et al. 2017). It is
no "FVD", which is that of one network over clips of one size: ours are comparable where encoder,
directions and numbers of clips are the same. Precision and recall are those of Kynkäänniemi et al.
(2019), density and coverage those of Naeem et al. (2020).

Shape letters: N real ones, M made ones, D directions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]

NEAREST = 5
"""Neighbours that make a real one's ball, as in the authors' tables."""


@dataclass(frozen=True, slots=True)
class Manifolds:
    """Balls around points: of those that are made in the balls of real ones, and the reverse.

    Parameters
    ----------
    precision
        Share of made ones that lie in the ball of a real one, 0 to 1.
    recall
        Share of real ones that lie in the ball of a made one, 0 to 1.
    density
        Balls of real ones that a made one lies in, of those expected; may be above 1.
    coverage
        Share of real ones with a made one in their ball, 0 to 1.
    """

    precision: float
    recall: float
    density: float
    coverage: float


def frechet_distance(real_ND: Points, made_MD: Points) -> float:
    """Return the squared Fréchet distance of the normal distributions of two sets.

    ``|m - n|^2 + tr(A + B - 2 (A B)^(1/2))`` with covariances A and B; the trace of the root is the
    sum of the singular values of the product of both sets, centred, which holds for fewer points
    than directions, too. Few points bias it upwards: only sets of the same sizes compare.

    Raises
    ------
    ValueError
        If a set has fewer than two points, or they have no common directions.
    """
    if real_ND.shape[1:] != made_MD.shape[1:]:
        raise ValueError(f"points of {real_ND.shape[1:]} and of {made_MD.shape[1:]} directions")
    return Products.of(real_ND, made_MD).distance(np.arange(len(real_ND)), np.arange(len(made_MD)))


@dataclass(frozen=True, eq=False)
class Products:
    """Inner products of two sets, from which distances of any rows of them follow.

    Resamples need no second look at the points. All points are shifted by one mean, which changes
    no distance and spares digits.
    """

    real_NN: Points
    made_MM: Points
    cross_NM: Points

    @classmethod
    def of(cls, real_ND: Points, made_MD: Points) -> Products:
        """Multiply the sets."""
        mean_D = np.asarray(real_ND, np.float64).mean(axis=0)
        real, made = real_ND - mean_D, made_MD - mean_D
        return cls(real @ real.T, made @ made.T, real @ made.T)

    def distance(self, rows_N: NDArray[np.int64], rows_M: NDArray[np.int64]) -> float:
        """Return the squared Fréchet distance of some rows of either set.

        Raises
        ------
        ValueError
            If there are fewer than two of one.
        """
        if min(len(rows_N), len(rows_M)) < 2:
            raise ValueError(f"{len(rows_N)} and {len(rows_M)} points; two of each are needed")
        real = self.real_NN[np.ix_(rows_N, rows_N)]
        made = self.made_MM[np.ix_(rows_M, rows_M)]
        cross = self.cross_NM[np.ix_(rows_N, rows_M)]
        apart = real.mean() + made.mean() - 2 * cross.mean()
        spread = [
            (len(own) * (np.trace(own) / len(own) - own.mean())) / (len(own) - 1)
            for own in (real, made)
        ]
        centred = cross - cross.mean(axis=0) - cross.mean(axis=1)[:, None] + cross.mean()
        common = np.linalg.svd(centred, compute_uv=False).sum()
        common /= np.sqrt((len(real) - 1.0) * (len(made) - 1.0))
        return max(float(apart + sum(spread) - 2 * common), 0.0)


def manifolds(real_ND: Points, made_MD: Points, nearest: int = NEAREST) -> Manifolds:
    """Return precision, recall, density and coverage.

    Parameters
    ----------
    nearest
        Neighbours that reach a ball's edge; at most one less than the points of either set.

    Raises
    ------
    ValueError
        If there are too few points for it.
    """
    if not 1 <= nearest < min(len(real_ND), len(made_MD)):
        raise ValueError(f"{nearest} neighbours of {len(real_ND)} and {len(made_MD)} points")
    reach_N, reach_M = _reach(real_ND, nearest), _reach(made_MD, nearest)
    apart_NM = distances(real_ND, made_MD)
    inside_NM = apart_NM < reach_N[:, None]
    return Manifolds(
        precision=float(inside_NM.any(axis=0).mean()),
        recall=float((apart_NM < reach_M[None, :]).any(axis=1).mean()),
        density=float(inside_NM.sum(axis=0).mean() / nearest),
        coverage=float((apart_NM.min(axis=1) < reach_N).mean()),
    )


def distances(these_ND: Points, those_MD: Points) -> Points:
    """Return Euclidean distances [N, M]."""
    from scipy.spatial.distance import cdist

    found: Points = cdist(these_ND, those_MD)
    return found


def _reach(points_ND: Points, nearest: int) -> Points:
    apart_NN = distances(points_ND, points_ND)
    reach_N: Points = np.partition(apart_NN, nearest, axis=1)[:, nearest]
    return reach_N

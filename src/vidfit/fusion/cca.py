"""Canonical correlations: what the members have in common, and a linear probe on it.

Generalised canonical correlation analysis, MAXVAR (Kettenring 1971, Canonical analysis of
several sets of variables): each member's principal components are whitened; the singular
vectors of all of them side by side are the variates that the members agree on most. What only
one member sees is dropped: this helps where members are noisy views of the same thing, and
harms where they know different things.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vidfit.fusion.member import Fitted, Training
from vidfit.fusion.projected import (
    CLIPS_A_DIMENSION,
    Doubles,
    block_diagonal,
    fit_projected,
    principal_axes,
)

_RIDGE = 0.1
"""Added to the variances before whitening, times their mean: else noise correlates, too."""


def fit_cca(training: Training) -> Fitted:
    """Fit the canonical variates of all members and a probe over them."""
    return fit_projected(training, variates)


def variates(standard: Sequence[Doubles]) -> Doubles:
    """Return the map [R, D] to the variates that more than one member sees, total variance 1."""
    map_WD = block_diagonal([_whitening(x_MD) for x_MD in standard])
    x_MD = np.concatenate(standard, axis=1)
    whitened_MW = (x_MD - x_MD.mean(axis=0)) @ map_WD.T
    # Of S members, the variance of a variate is S when all agree and at most 1 when one sees it.
    values, vectors = np.linalg.eigh(whitened_MW.T @ whitened_MW / len(x_MD))
    values, vectors = values[::-1], vectors[:, ::-1]
    count = max(min(int((values > 1.0).sum()), len(x_MD) // CLIPS_A_DIMENSION), 1)
    map_RD: Doubles = vectors[:, :count].T @ map_WD / np.sqrt(max(values[:count].sum(), 1e-12))
    return map_RD


def _whitening(x_MD: Doubles) -> Doubles:
    values_R, axes_RD = principal_axes(x_MD)
    scales_R = 1.0 / np.sqrt(np.maximum(values_R + _RIDGE * values_R.mean(), 1e-12))
    whitening_RD: Doubles = scales_R[:, None] * axes_RD
    return whitening_RD

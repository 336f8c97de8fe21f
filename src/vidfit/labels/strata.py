"""What clips are dealt to folds by, so that every part holds a fair share of the labels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Indices
from vidfit.label_kinds import labels_of

_PARTS = 5
"""Numbers are dealt by fifths of their order."""


def strata_of(truth: Any) -> NDArray[np.bool_]:  # noqa: ANN401
    """Return what is to be spread evenly over folds, [M, X]; a clip may be in several strata.

    Classes; of several, clips without a class, too; of a number the fifths of its order.
    """
    kind = labels_of(truth)
    if kind == "several":
        return np.concatenate([truth, ~truth], axis=1)
    of_M = stratum_of(truth)
    return np.asarray(of_M[:, None] == np.unique(of_M))


def stratum_of(truth: Any) -> Indices:  # noqa: ANN401
    """Return one stratum a clip, [M]: its class, its set of classes, or its fifth of numbers."""
    kind = labels_of(truth)
    if kind == "several":
        return np.asarray(np.unique(truth, axis=0, return_inverse=True)[1].reshape(-1), np.int64)
    if kind == "one":
        return np.asarray(truth, np.int64)
    edges = np.quantile(truth, np.arange(1, _PARTS) / _PARTS)
    return np.asarray(np.searchsorted(edges, truth, side="left"), np.int64)

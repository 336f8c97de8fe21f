"""Probes with more classes than they were fitted on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vidfit.fusion.linear import Linear
from vidfit.fusion.regression import NEVER


def with_classes(probe: Linear, classes: int) -> Linear:
    """Return the probe with at least ``classes`` answers; those added are never given."""
    missing = classes - len(probe.bias_K)
    if missing <= 0:
        return probe
    return replace(
        probe,
        weight_KD=np.pad(probe.weight_KD, ((0, missing), (0, 0))),
        bias_K=np.pad(probe.bias_K, (0, missing), constant_values=NEVER),
    )

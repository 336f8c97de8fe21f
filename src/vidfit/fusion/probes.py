"""Probes beyond one fit: with more classes, the mean of several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from vidfit.contracts import Floats
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


def mean_probe(probes: Sequence[Linear], mean_D: Floats, scale_D: Floats) -> Linear:
    """Return the probe whose log-odds are the mean of those of several.

    A class counts where it is known: a probe that has seen no clip of it has no veto. The result
    states its features by ``mean_D`` and ``scale_D``, which must not be zero where a probe uses
    a feature.
    """
    classes = max(len(probe.bias_K) for probe in probes)
    weight_KD = np.zeros((classes, len(mean_D)))
    bias_K, count_K = np.zeros(classes), np.zeros(classes)
    for probe in (with_classes(probe, classes) for probe in probes):
        known_K = probe.bias_K > NEVER / 2
        count_K += known_K
        own_KD = probe.weight_KD[known_K].astype(np.float64) * probe.scale_D
        own_K = probe.bias_K[known_K] + own_KD @ (mean_D - probe.mean_D)
        # Log-odds have no zero of their own: only centred can they be averaged class by class.
        weight_KD[known_K] += own_KD - own_KD.mean(axis=0)
        bias_K[known_K] += own_K - own_K.mean()
    safe_K = np.maximum(count_K, 1)
    used_D = np.where(scale_D > 0, scale_D, 1.0)
    return Linear(
        mean_D,
        scale_D,
        (weight_KD / safe_K[:, None] / used_D).astype(np.float32),
        np.where(count_K > 0, bias_K / safe_K, NEVER).astype(np.float32),
    )

"""Features of classes with a known signal, for all scores."""

from __future__ import annotations

import numpy as np

SHAPES = [(60, 8, 3), (40, 120, 4), (30, 30, 2), (50, 1, 2)]
"""Clips, dimensions, classes: more clips, more dimensions, as many, and a single dimension."""


def problem(clips, dim, classes, *, signal=0.5, seed=0):
    """Return float32 features of unequal scales with an offset, and class numbers."""
    rng = np.random.default_rng(seed)
    labels_M = rng.permutation(np.arange(clips) % classes)
    x_MD = signal * rng.normal(size=(classes, dim))[labels_M] + rng.normal(size=(clips, dim))
    x_MD = x_MD * rng.uniform(0.3, 3, dim) + rng.normal(size=dim)
    return x_MD.astype(np.float32), labels_M


def folds(labels_M, count=4, seed=100):
    return np.random.default_rng(seed).permutation(np.arange(len(labels_M)) % count)


def leep_by_definition(source_MZ, labels_M):
    """Equations 1 and 2 of the LEEP paper, a loop for each sum."""
    clips, sources = source_MZ.shape
    classes = sorted(set(labels_M))
    joint = {
        (y, z): sum(source_MZ[i, z] for i in range(clips) if labels_M[i] == y) / clips
        for y in classes
        for z in range(sources)
    }
    marginal = [sum(joint[y, z] for y in classes) for z in range(sources)]
    total = 0.0
    for i in range(clips):
        answer = sum(
            joint[labels_M[i], z] / marginal[z] * source_MZ[i, z]
            for z in range(sources)
            if marginal[z] > 0
        )
        total += np.log(answer)
    return total / clips

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

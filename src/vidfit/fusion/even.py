"""Answers as they would be if every class were as frequent as the others.

A probe learns the shares of the classes with the rest: of a class that one clip in twenty shows
it is hardly ever sure enough to answer it. Its log-probabilities less the log of the share of
each class, and that of an even share put in its place, are those of a world where classes are
even (Saerens, Latinne, Decaestecker 2002, "Adjusting the outputs of a classifier to new a priori
probabilities"): the answers of the highest balanced accuracy.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vidfit.contracts import Floats, Indices
from vidfit.fusion.linear import Linear, log_softmax


def to_even(labels_M: Indices, classes: int) -> Floats:
    """Return what is added to log-probabilities [K]; nothing for a class without a clip."""
    counts_K = np.bincount(labels_M, minlength=classes)
    there_K = counts_K > 0
    share_K = np.where(there_K, counts_K / max(len(labels_M), 1), 1.0)
    shift_K = np.where(there_K, -np.log(there_K.sum() * share_K), 0.0)
    result: Floats = shift_K.astype(np.float32)
    return result


def evened(answers_MK: Floats, labels_M: Indices) -> Floats:
    """Return log-probabilities [M, K] of a probe that learned from clips of these labels."""
    return log_softmax(answers_MK + to_even(labels_M, answers_MK.shape[1]))


def evened_probe(probe: Linear, labels_M: Indices) -> Linear:
    """Return a probe that gives such answers."""
    return replace(probe, bias_K=probe.bias_K + to_even(labels_M, len(probe.bias_K)))

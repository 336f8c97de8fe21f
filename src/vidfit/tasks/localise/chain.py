"""Answers to windows in the light of their neighbours: a chain of Markov over time.

A class lasts: from window to window it stays with a probability, else any follows by its share of
the time. The answers of a probe, less the shares that it learned, are the evidence; the posterior
of each window by the forward and backward recursion (Rabiner 1989, "A tutorial on hidden Markov
models") is the answer. Evidence of neighbouring windows is alike, and may count for less.

Shape letters: S settings, M windows, K answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Floats, Indices

_KNOWN = -18.0
"""Logarithm of the share above which a class was learned from at all."""

_GAP = 1.5
"""Times the usual step from window to window."""

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class MarkovChain:
    """How much the neighbours of a window say.

    Parameters
    ----------
    stay
        Probability that a class goes on, from 0; with 0 a window stands for itself.
    evidence
        What the answer to a window counts for, above 0, to 1.
    """

    stay: float
    evidence: float = 1.0


CHAINS = (
    MarkovChain(0.0),
    *(MarkovChain(stay, evidence) for evidence in (1.0, 0.4) for stay in (0.5, 0.7, 0.9)),
)


def smoothed(
    answers_MK: Floats,
    log_share_K: Floats,
    chains: Sequence[MarkovChain],
    video_M: Indices,
    start_M: NDArray[np.floating],
) -> Floats:
    """Return the answers [S, M, K] by each of several chains.

    Videos stand apart, and so do stretches of a video with a gap between them.
    """
    found_SMK = np.empty((len(chains), *answers_MK.shape), np.float32)
    for video in np.unique(video_M):
        rows = np.flatnonzero(video_M == video)
        rows = rows[np.argsort(start_M[rows], kind="stable")]
        for part in np.split(rows, _after_gaps(start_M[rows])):
            found_SMK[:, part] = _one_stretch(answers_MK[part], log_share_K, chains)
    return found_SMK


def _after_gaps(start_M: NDArray[np.floating]) -> Indices:
    """Return which windows, in order of time, do not follow on the one before."""
    steps = np.diff(start_M)
    if not len(steps):
        return np.zeros(0, np.int64)
    return np.flatnonzero(steps > _GAP * np.median(steps)) + 1


def _one_stretch(answers_MK: Floats, log_share_K: Floats, chains: Sequence[MarkovChain]) -> Floats:
    share_K = np.exp(log_share_K.astype(np.float64))
    share_K /= share_K.sum()
    stay_S1 = np.array([[chain.stay] for chain in chains])
    weight_S11 = np.array([[[chain.evidence]] for chain in chains])
    shares_K = np.where(log_share_K > _KNOWN, log_share_K, 0.0)
    told_SMK = weight_S11 * (answers_MK - shares_K).astype(np.float64)
    told_SMK = np.exp(told_SMK - told_SMK.max(axis=2, keepdims=True))

    def passed(steps: Sequence[int], forward: bool) -> Doubles:
        """Return what the windows before (or after) each one say of it, [S, M, K]."""
        said_SMK: Doubles = np.empty_like(told_SMK)
        state_SK = np.tile(share_K if forward else np.ones(len(share_K)), (len(chains), 1))
        for m in steps:
            said_SMK[:, m] = state_SK
            seen_SK = state_SK * told_SMK[:, m]
            if forward:
                seen_SK /= seen_SK.sum(axis=1, keepdims=True)
                state_SK = stay_S1 * seen_SK + (1 - stay_S1) * share_K
            else:
                state_SK = stay_S1 * seen_SK + (1 - stay_S1) * (seen_SK @ share_K)[:, None]
                state_SK /= state_SK.max(axis=1, keepdims=True)
        return said_SMK

    windows = range(len(answers_MK))
    both_SMK = passed(windows, True) * passed(windows[::-1], False) * told_SMK
    both_SMK /= both_SMK.sum(axis=2, keepdims=True)
    result: Floats = np.log(np.maximum(both_SMK, 1e-9)).astype(np.float32)
    return result

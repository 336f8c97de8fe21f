"""Answers to windows in the light of their neighbours: a chain of Markov over time.

A class lasts: from window to window it stays with a probability, else any follows by its share of
the time. The answers of a probe, less the shares that it learned, are the evidence; the posterior
of each window by the forward and backward recursion (Rabiner 1989, "A tutorial on hidden Markov
models") is the answer. Evidence of neighbouring windows is alike, and may count for less.

Shape letters: S settings, M windows, K answers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Floats, Indices
from vidfit.tasks.localise.stretches import stretches

_KNOWN = -18.0
"""Logarithm of the share above which a class was learned from at all."""

_SHORTEST_SECONDS = 0.01

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class MarkovChain:
    """How much the neighbours of a window say.

    Parameters
    ----------
    stay
        Probability that a class goes on for a second, from 0, below 1; with 0 a window stands for
        itself.
    evidence
        What the answer to a window counts for, above 0, to 1.
    """

    stay: float
    evidence: float = 1.0

    @classmethod
    def lasting(cls, seconds: float) -> MarkovChain:
        """Return the chain of classes that last a number of seconds on average."""
        return cls(math.exp(-1.0 / seconds))


def chains_of(step_seconds: float) -> tuple[MarkovChain, ...]:
    """Return the chains that are tried on windows so far apart; the first smooths nothing."""
    step = max(step_seconds, _SHORTEST_SECONDS)
    return (
        MarkovChain(0.0),
        *(
            MarkovChain(stay ** (1.0 / step), evidence)
            for evidence in (1.0, 0.4)
            for stay in (0.5, 0.7, 0.9)
        ),
    )


def smoothed(
    answers_MK: Floats,
    log_share_K: Floats,
    chains: Sequence[MarkovChain],
    video_M: Indices,
    start_M: NDArray[np.floating],
) -> Floats:
    """Return the answers [S, M, K] by each of several chains.

    Videos stand apart, and so do stretches of a video with a gap between them. Memory is that of
    three numbers of double precision for each answer.
    """
    found_SMK = np.empty((len(chains), *answers_MK.shape), np.float32)
    weight_S = np.array([chain.evidence for chain in chains])
    for rows, step in stretches(video_M, start_M):
        stay_S = np.array([chain.stay**step if chain.stay else 0.0 for chain in chains])
        found_SMK[:, rows] = _one_stretch(answers_MK[rows], log_share_K, stay_S, weight_S)
    return found_SMK


def _one_stretch(
    answers_MK: Floats, log_share_K: Floats, stay_S: Doubles, weight_S: Doubles
) -> Floats:
    share_K = np.exp(log_share_K.astype(np.float64))
    share_K /= share_K.sum()
    stay_S1 = stay_S[:, None]
    shares_K = np.where(log_share_K > _KNOWN, log_share_K, 0.0)
    told_SMK = weight_S[:, None, None] * (answers_MK - shares_K).astype(np.float64)
    told_SMK = np.exp(told_SMK - told_SMK.max(axis=2, keepdims=True))

    def passed(steps: Sequence[int], forward: bool) -> Doubles:
        """Return what the windows before (or after) each one say of it, [S, M, K]."""
        said_SMK: Doubles = np.empty_like(told_SMK)
        state_SK = np.tile(share_K if forward else np.ones(len(share_K)), (len(stay_S), 1))
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
    told_SMK *= passed(windows, True) * passed(windows[::-1], False)
    told_SMK /= told_SMK.sum(axis=2, keepdims=True)
    result: Floats = np.log(np.maximum(told_SMK, 1e-9)).astype(np.float32)
    return result

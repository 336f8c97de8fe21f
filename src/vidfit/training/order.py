"""Which clips a step sees, and who computes them.

The order of clips depends on the seed and the epoch alone, never on how many processes there
are or how much each computes at once: the same run on other hardware learns the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from vidfit.contracts import Indices, Seconds


@dataclass(frozen=True)
class Micro:
    """What one process computes at once.

    Parameters
    ----------
    rows_B
        Rows of the clip set.
    partners_B
        The clip that each is mixed with.
    shares_B
        Share of the clip itself in the mixture, in [0, 1]; 1 where nothing is mixed.
    counts_B
        1, or 0 for a clip that only keeps this process in step with the others.
    step_clips
        Clips of the whole step.
    step, number
        Of the optimizer step in the epoch, and of this micro-batch in the step.
    last
        Whether it ends a step.
    bare
        Whether its clips have no label, and are taught.
    """

    rows_B: Indices
    partners_B: Indices
    shares_B: Seconds
    counts_B: Indices
    step_clips: int
    step: int
    number: int
    last: bool
    bare: bool = False


def epoch_steps(rows_M: Indices, epoch: int, batch_clips: int, seed: int) -> list[Indices]:
    """Return the clips of an epoch in a random order, cut into steps; the last may be short."""
    order = np.random.default_rng((seed, epoch)).permutation(rows_M)
    return [order[i : i + batch_clips] for i in range(0, len(order), batch_clips)]


def endless(rows_U: Indices, start: int, count: int, seed: int) -> Indices:
    """Return rows from a place on in a stream of all, in one random order after another."""
    size = len(rows_U)
    turns = range(start // size, -(-(start + count) // size))
    orders = [np.random.default_rng((seed, turn, 1)).permutation(rows_U) for turn in turns]
    first = start - turns.start * size
    shown: Indices = np.concatenate([rows_U[:0], *orders])[first : first + count]
    return shown


def bare_micros(
    rows_S: Indices, step: int, place: tuple[int, int, int], before: int
) -> list[Micro]:
    """Return the micro-batches of a step's clips without a label that one process computes.

    Parameters
    ----------
    place
        As for `deal`.
    before
        Micro-batches of the step that have numbers already, and one of which ends the step.
    """
    return [
        replace(micro, number=before + micro.number, last=False, bare=True)
        for micro in deal(rows_S, step, (0.0, ()), place)
    ]


def deal(
    rows_S: Indices, step: int, mixup: tuple[float, tuple[int, ...]], place: tuple[int, int, int]
) -> list[Micro]:
    """Return the micro-batches of a step that one process computes.

    Each process gets as many: one with fewer clips computes some that count nothing, since all
    must meet where gradients are added up.

    Parameters
    ----------
    rows_S
        Clips of the step.
    mixup
        Parameter of the beta distribution, and what the draw is seeded by.
    place
        Rank of the process, how many there are, and the largest micro-batch.
    """
    rank, world, micro = place
    partners_S, shares_S = _pairs(rows_S, *mixup)
    each = -(-len(rows_S) // world)  # clips of the process that has most
    mine = np.arange(each) * world + rank
    counts = (mine < len(rows_S)).astype(np.int64)
    mine = np.where(counts > 0, mine, 0)
    size = -(-each // -(-each // micro))  # as even as can be: 9 clips by 8 are 5 and 4
    starts = range(0, each, size)
    return [
        Micro(
            rows_S[mine[i : i + size]],
            partners_S[mine[i : i + size]],
            shares_S[mine[i : i + size]],
            counts[i : i + size],
            len(rows_S),
            step,
            i // size,
            i + size >= each,
        )
        for i in starts
    ]


def _pairs(rows_S: Indices, mixup: float, seed: tuple[int, ...]) -> tuple[Indices, Seconds]:
    """Return the partner of each clip, from the same step, and the clip's own share."""
    if not mixup:
        return rows_S, np.ones(len(rows_S))
    rng = np.random.default_rng(seed)
    shares_S = rng.beta(mixup, mixup, len(rows_S))
    # Of the two it is the clip that has the larger share, so that each is seen once an epoch.
    return rng.permutation(rows_S), np.maximum(shares_S, 1 - shares_S)

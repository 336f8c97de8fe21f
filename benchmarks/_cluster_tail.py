"""What parts of uneven length and lost executors leave of a cluster: a simulation.

Parts are handed to the slots that are free first, in their order, as Spark does. The executors
are lost at random moments (a Poisson process each); what ran there is done again.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import count

import numpy as np

from vidfit.contracts import Seconds

_GROUPS = 20
_MOST_LOSSES = 5.0
"""Losses in the time of a part: it would end in one of 150 tries."""

_EXACT_CLIPS = 32
"""Sums of fewer clips are drawn clip by clip; those of more are all but normal."""


@dataclass(frozen=True)
class Fleet:
    """Executors as the simulation sees them.

    Parameters
    ----------
    losses_an_hour
        Of each executor.
    replace_seconds
        Until a lost one is there again, without its start.
    start_seconds
        Until an executor takes its first part.
    dispatch_seconds
        From the start of one part to that of the next, at the least.
    look_seconds
        Of a worker that starts when all is done, to read what is in the store; half way, half.
    """

    executors: int
    cores: int
    losses_an_hour: float = 0.0
    replace_seconds: float = 60.0
    start_seconds: float = 0.0
    dispatch_seconds: float = 0.0
    look_seconds: float = 0.0


@dataclass(frozen=True)
class Run:
    """A simulated run: ``ideal_seconds`` is the work over the slots, nothing else."""

    seconds: float
    ideal_seconds: float
    parts: int
    lost_parts: int

    @property
    def efficiency(self) -> float:
        """Ideal over simulated time, in (0, 1]."""
        return self.ideal_seconds / self.seconds


def part_clips(clips: int, slots: int, largest: int, parts_a_slot: int) -> int:
    """Return the clips of a part by the rule of `vidfit.launch.spark`, their number being known."""
    return min(largest, -(-clips // (parts_a_slot * slots)) or 1)


def part_seconds(
    measured_M: Seconds, clips: int, size: int, rng: np.random.Generator, *, ordered: bool = True
) -> Seconds:
    """Draw how long each part takes.

    Parameters
    ----------
    measured_M
        Seconds of measured clips [M], those of the largest files first.
    size
        Clips of a part; the last has what is left.
    ordered
        Clips come largest first, as `vidfit.features.extract` sorts them: a part is drawn from
        the measured clips of its place. Otherwise from all.
    """
    parts = -(-clips // size)
    groups = np.array_split(measured_M, min(_GROUPS, len(measured_M)) if ordered else 1)
    sizes_P = np.full(parts, size)
    sizes_P[-1] = clips - size * (parts - 1)
    ends_G = np.cumsum([len(group_N) for group_N in groups]) / len(measured_M)
    group_P = np.searchsorted(ends_G, (np.arange(parts) + 0.5) / parts)
    found_P = np.empty(parts)
    for number, group_N in enumerate(groups):
        (here_Q,) = np.nonzero(group_P == number)
        if size <= _EXACT_CLIPS:
            drawn_QS = rng.choice(group_N, (len(here_Q), size))
            drawn_QS *= np.arange(size) < sizes_P[here_Q, None]
            found_P[here_Q] = drawn_QS.sum(1)
        else:
            spread_Q = np.sqrt(sizes_P[here_Q]) * group_N.std()
            found_P[here_Q] = rng.normal(sizes_P[here_Q] * group_N.mean(), spread_Q)
    return np.maximum(found_P, 0.0)


def simulate(seconds_P: Seconds, fleet: Fleet, rng: np.random.Generator) -> Run:
    """Run parts [P] greedily on the slots of a fleet (list scheduling, Graham 1966).

    Raises
    ------
    ValueError
        If executors are lost so often that the longest part would hardly ever end.
    """
    if fleet.losses_an_hour / 3600 * float(seconds_P.max()) > _MOST_LOSSES:
        raise ValueError(
            f"{fleet.losses_an_hour:g} losses an hour leave a part of {seconds_P.max():.0f} s no "
            "time to end; give fewer, or smaller parts"
        )
    losses = _Losses(fleet.losses_an_hour / 3600, rng)
    slots = [(fleet.start_seconds, slot) for slot in range(fleet.executors * fleet.cores)]
    fresh = iter(seconds_P.tolist())
    again: list[tuple[float, int, float]] = []
    order = count()
    ended = sent = 0.0
    lost = handed = 0
    while True:
        free, slot = heapq.heappop(slots)
        if again and again[0][0] <= free:
            ready, _, length = heapq.heappop(again)
        elif (next_length := next(fresh, None)) is not None:
            ready, length = free, next_length
            handed += 1
        elif again:
            ready, _, length = heapq.heappop(again)
        else:
            break
        start = max(free, ready, sent)
        sent = start + fleet.dispatch_seconds
        lost_at = losses.after(slot // fleet.cores, start)
        if lost_at < start + length:
            lost += 1
            heapq.heappush(again, (lost_at, next(order), length))
            look = fleet.look_seconds * handed / len(seconds_P)
            back = lost_at + fleet.replace_seconds + fleet.start_seconds + look
            heapq.heappush(slots, (back, slot))
        else:
            ended = max(ended, start + length)
            heapq.heappush(slots, (start + length, slot))
    ideal = float(seconds_P.sum()) / (fleet.executors * fleet.cores)
    return Run(ended, ideal, len(seconds_P), lost)


@dataclass
class _Losses:
    """When each executor is lost, drawn as far as it is asked for."""

    rate: float
    rng: np.random.Generator
    times: dict[int, list[float]] = field(default_factory=dict)

    def after(self, executor: int, moment: float) -> float:
        """Return when an executor is lost next; never where none are lost."""
        if not self.rate:
            return float("inf")
        times = self.times.setdefault(executor, [0.0])
        while times[-1] <= moment:
            times.append(times[-1] + self.rng.exponential(1 / self.rate))
        return times[bisect_right(times, moment)]

"""The largest micro-batch that lives, found by running: from a prediction, then close the gap.

As accelerate's ``find_executable_batch_size`` does, but from a predicted size instead of a large
one, in steps that begin small and grow, and with what lies between the last that died and the first
that lived.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import count

RUNS = 8
"""Most runs of one search."""

NEAR = 0.05
"""Share of a micro-batch by which the largest that lives need not be known better."""

_STEP = 2 * NEAR
"""Share by which the first is raised when it lived, or lowered when it died; doubled each time."""


def largest_alive(share_clips: int, guess: int, lives: Callable[[int], bool]) -> int:
    """Return the largest micro-batch that was seen to live; 0 when none did.

    Parameters
    ----------
    share_clips
        Clips of a step in one process: only micro-batches that divide it evenly are run.
    guess
        Micro-batch to begin with, by prediction.
    lives
        Runs a micro-batch, and tells whether it came to its end.
    """
    sizes = even_sizes(share_clips)
    low, high = -1, len(sizes)  # positions of the largest that lived, of the smallest that died
    at = max(position for position, size in enumerate(sizes) if size <= max(guess, 1))
    for run in range(RUNS):
        if lives(sizes[at]):
            low = at
        else:
            high = at
        if high - low <= 1 or (low >= 0 and high < len(sizes) and _near(sizes, low, high)):
            break
        step = 1 + _STEP * 2**run
        if low < 0:
            wanted = sizes[high] / step
        elif high == len(sizes):
            wanted = step * sizes[low]
        else:
            wanted = (sizes[low] + sizes[high]) / 2
        at = next(i for i in count(low + 1) if i == high - 1 or sizes[i + 1] > wanted)
    return sizes[low] if low >= 0 else 0


def even_sizes(share_clips: int) -> list[int]:
    """Return the micro-batches that part a step evenly, rising: 16 gives 1, 2, 3, 4, 6, 8, 16."""
    return sorted({math.ceil(share_clips / parts) for parts in range(1, share_clips + 1)})


def _near(sizes: list[int], low: int, high: int) -> bool:
    return sizes[high] - sizes[low] <= max(1, NEAR * sizes[low])

"""What this machine can do at most: the roofs of the roofline.

Williams, Waterman, Patterson, "Roofline: an insightful visual performance model for multicore
architectures" (CACM 2009). The peak is that of a large float32 matrix product, by the better of
two libraries; the bandwidth that of STREAM's copy and triad (McCalpin, 1995), by its rule: bytes
that the program names, not those that caches fetch beside them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

MATRIX_SIDE = 1536
STREAM_FLOATS = 32 * 2**20
"""Of each of three arrays: 128 MiB, several times the caches of today's processors."""

_REPEATS = 5


@dataclass(frozen=True, slots=True)
class Roof:
    """What this machine can do at most with a number of threads (Williams et al., 2009)."""

    threads: int
    flops_per_second: float
    bytes_per_second: float

    def at(self, intensity: float) -> float:
        """Return the most operations per second at an intensity in operations a byte."""
        return min(self.flops_per_second, intensity * self.bytes_per_second)


def measure_roof(threads: int, *, side: int = MATRIX_SIDE, floats: int = STREAM_FLOATS) -> Roof:
    """Measure both roofs with a number of threads; sets torch's threads for the whole process.

    Parameters
    ----------
    side
        Of the square matrices.
    floats
        In each array of the stream.
    """
    import torch

    torch.set_num_threads(threads)
    return Roof(threads, _flops_per_second(threads, side), _bytes_per_second(floats))


def _flops_per_second(threads: int, side: int) -> float:
    import torch
    from threadpoolctl import threadpool_limits

    a_SS, b_SS = np.random.default_rng(0).random((2, side, side), np.float32)
    out_SS = np.empty_like(a_SS)
    first, second = torch.from_numpy(a_SS), torch.from_numpy(b_SS)
    product = torch.from_numpy(out_SS)
    ways: list[Callable[[], object]] = [lambda: torch.mm(first, second, out=product)]
    best = _best_seconds(ways)
    with threadpool_limits(threads, user_api="blas"):
        best = min(best, _best_seconds([lambda: np.matmul(a_SS, b_SS, out=out_SS)]))
    return 2 * side**3 / best


def _bytes_per_second(floats: int) -> float:
    import torch

    a, b, c = (torch.full((floats,), value) for value in (0.0, 1.0, 2.0))
    size = a.element_size() * floats
    copy = 2 * size / _best_seconds([lambda: a.copy_(b)])
    triad = 3 * size / _best_seconds([lambda: torch.add(b, c, alpha=3.0, out=a)])
    return max(copy, triad)


def _best_seconds(ways: list[Callable[[], object]]) -> float:
    """Return the seconds of the fastest of several runs: the others were disturbed."""
    best = np.inf
    for way in ways:
        way()
        for _ in range(_REPEATS):
            started = time.perf_counter()
            way()
            best = min(best, time.perf_counter() - started)
    return float(best)

"""Which engine runs a network fastest here, and how many frames it takes at a time: measured.

A preference by architecture holds unless another is clearly faster, so that noise decides
nothing; what was found is noted beside the export, so that every process takes the same.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from vidfit.contracts import BackboneSpec, Floats, Frames

Run = Callable[[Frames], Floats]

FRAMES_A_RUN = 2
"""Frames that a thread computes at once unless others are faster, or one view if it is longer.

What layers hand to each other then stays in the caches of the core: on two busy cores of a
Xeon with AVX-512, 8 frames of EfficientNet-Lite0 take 29 ms instead of 33 in one batch, ViT-S
267 instead of 291, ResNet-50 as long as before.
"""

FRAMES_TRIED = (1, 4, 8)

MARGIN = 1.025
"""How many times faster a challenger must be than what is preferred: first the engine is chosen,
then how many frames it takes, and both preferences together cost 5 % of the speed at most."""

BUDGET_SECONDS = 2.0
_OF_ENGINES = 0.75
"""Share of the budget that engines may take; numbers of frames get what is left."""
_ROUNDS_LEAST, _ROUNDS_MOST = 2, 7
_REST_SECONDS = 0.02
"""In which threads of the engine before come to rest: they wait awake for more work at first."""
_HOPELESS = 2.0
VIEWS_MEASURED = 8


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """What runs, and how.

    Parameters
    ----------
    engine
        Key of ``vidfit.runtime.ENGINES``.
    frames
        That a thread computes at once; 0 for all that it is given.
    seconds
        Median seconds of a view by what was tried, ``"engine"`` or ``"engine/frames"``; empty
        when a network is too slow to be compared in the time for it.
    reason
        Why a preferred engine does not run.
    """

    engine: str
    frames: int
    seconds: Mapping[str, float]
    reason: str = ""


def choose(
    runs: Mapping[str, Run], spec: BackboneSpec, threads: int, whole: set[str]
) -> EngineChoice:
    """Measure and choose, in about `BUDGET_SECONDS`.

    Parameters
    ----------
    runs
        By engine, in the order of preference; at least one.
    threads
        Of one call.
    whole
        Engines that take all frames at once: they split the work themselves.
    """
    if len(runs) == 1 and whole.issuperset(runs):
        return EngineChoice(next(iter(runs)), 0, {})
    # In a thread of its own, as torch keeps its number of threads for each.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(_choose, runs, spec, threads, whole).result()


def _choose(
    runs: Mapping[str, Run], spec: BackboneSpec, threads: int, whole: set[str]
) -> EngineChoice:
    size = (spec.preprocessing.height_pixels, spec.preprocessing.width_pixels)
    shape = (VIEWS_MEASURED, spec.sampling.clip_len, *size, 3)
    frames_BTHWC = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)

    def trial(engine: str, frames: int) -> _Trial:
        if engine in whole:
            return _Trial(runs[engine], 1)
        views = _views_measured(spec, threads, frames)
        return _Trial(in_pieces(runs[engine], views), views)

    first = next(iter(runs.values()))
    first(frames_BTHWC[:1])  # sets up what runs need
    # The least of two: a first run is often slow, and would leave no time to compare.
    view_seconds = min(_seconds(first, frames_BTHWC[:1]) for _ in range(2))
    started = time.perf_counter()
    engines = {engine: trial(engine, FRAMES_A_RUN) for engine in runs}
    engine, seconds = _fastest(engines, frames_BTHWC, view_seconds, _OF_ENGINES * BUDGET_SECONDS)
    if engine in whole:
        return EngineChoice(engine, 0, seconds)
    sizes = {f"{engine}/{n}": trial(engine, n) for n in _sizes(spec, threads)}
    left = BUDGET_SECONDS - (time.perf_counter() - started)
    best, more = _fastest(sizes, frames_BTHWC, seconds.get(engine, view_seconds), left)
    return EngineChoice(engine, int(best.rpartition("/")[2]), {**seconds, **more})


def views_a_run(spec: BackboneSpec, threads: int, frames: int) -> int:
    """Return how many views ``threads`` threads compute at once, by the frames of one."""
    return max(1, frames * threads // spec.sampling.clip_len)


def _views_measured(spec: BackboneSpec, threads: int, frames: int) -> int:
    """Return how many views a measured run computes at once: a clip seldom has more."""
    return min(VIEWS_MEASURED, views_a_run(spec, threads, frames))


def in_pieces(run: Run, views: int) -> Run:
    """Return ``run`` on a limited number of views at a time."""

    def in_turn(frames_BTHWC: Frames) -> Floats:
        if len(frames_BTHWC) <= views:
            return run(frames_BTHWC)
        starts = range(0, len(frames_BTHWC), views)
        return np.concatenate([run(frames_BTHWC[v : v + views]) for v in starts])

    return in_turn


@dataclass(frozen=True, slots=True)
class _Trial:
    """What is measured; with fewer than ``views`` views it would be another's twin."""

    run: Run
    views: int


def _sizes(spec: BackboneSpec, threads: int) -> list[int]:
    """Return frames a run that differ in what is run, the preferred first."""
    tried = (*FRAMES_TRIED[::-1], FRAMES_A_RUN)
    by_views = {_views_measured(spec, threads, frames): frames for frames in tried}
    return sorted(by_views.values(), key=lambda frames: (frames != FRAMES_A_RUN, frames))


def _fastest(
    trials: Mapping[str, _Trial], frames_BTHWC: Frames, view_seconds: float, budget_seconds: float
) -> tuple[str, dict[str, float]]:
    """Return the name of the fastest, and median seconds a view of those that were measured."""
    names, views = _affordable(trials, view_seconds, budget_seconds)
    if len(names) < 2:
        return names[0], {}
    batch_BTHWC = frames_BTHWC[:views]
    seconds: dict[str, list[float]] = {name: [] for name in names}
    started = time.perf_counter()
    for name in names:
        trials[name].run(batch_BTHWC[: trials[name].views])
    for number in range(_ROUNDS_MOST):
        if number >= _ROUNDS_LEAST and time.perf_counter() - started > budget_seconds / 2:
            break
        for name in names:
            time.sleep(_REST_SECONDS)
            seconds[name].append(_seconds(trials[name].run, batch_BTHWC))
        # What is far behind is not worth a second look.
        names = [name for name in names if seconds[name][0] <= _HOPELESS * seconds[names[0]][0]]
    first = seconds[names[0]]
    ratios = {
        name: statistics.median(a / b for a, b in zip(first, taken, strict=False))
        for name, taken in seconds.items()
    }
    best = max(names, key=lambda name: ratios[name])
    medians = {name: statistics.median(taken) / views for name, taken in seconds.items()}
    return (best if ratios[best] > MARGIN else names[0]), medians


def _affordable(
    trials: Mapping[str, _Trial], view_seconds: float, budget_seconds: float
) -> tuple[list[str], int]:
    """Return which can be warmed up and compared in the budget, and on how many views.

    The last are left out first; of a network that is too slow, all but the preferred.
    """
    names = list(trials)
    for count in range(len(names), 1, -1):
        least = max(trials[name].views for name in names[:count])
        for views in (8, 4, 2, 1):
            seconds = count * (1 + _ROUNDS_LEAST) * views * view_seconds
            if least <= views and seconds <= budget_seconds:
                return names[:count], views
    return names[:1], 1


def _seconds(run: Run, frames_BTHWC: Frames) -> float:
    started = time.perf_counter()
    run(frames_BTHWC)
    return time.perf_counter() - started

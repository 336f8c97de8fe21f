"""Intervals by resampling whole recordings.

Clips of one recording are alike, so they are drawn together: the cluster bootstrap (Field
and Welsh 2007). Resampling clips one by one would claim intervals that are too narrow.

Few recordings make percentiles too narrow as well. They are taken further out, as Student's t
is wider than the normal distribution: the expanded percentile interval (Hesterberg 2015, What
teachers should know about the bootstrap). Of simulated accuracies, 6 recordings then cover
88-92 % instead of 81-87 %, 20 recordings 94-96 % instead of 92 %.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vidfit.contracts import Estimate

RESAMPLES = 4000
_BLOCK_ENTRIES = 4_000_000
_TAIL = 0.025
_ROUNDING = 1e-9


def mean_interval(values_M: ArrayLike, groups: Sequence[str], *, seed: int = 0) -> Estimate:
    """Return the mean of a value per clip with its 95 % interval.

    Hits go to `vidfit.metrics.share_interval`, and differences of hits to
    `vidfit.metrics.paired_interval`: resamples of a few recordings without an error would claim
    certainty. From one recording nothing can be said of others: both ends are NaN.
    """
    values = np.asarray(values_M, dtype=np.float64)
    group_M, count = numbered(groups)
    sums_G = np.bincount(group_M, values, count)
    sizes_G = np.bincount(group_M, minlength=count).astype(np.float64)
    means = [(w_RG @ sums_G) / (w_RG @ sizes_G) for w_RG in draws(count, seed)]
    return expanded(values.mean(), np.concatenate(means), count)


def ratio_interval(
    numerator_M: ArrayLike, denominator_M: ArrayLike, groups: Sequence[str], *, seed: int = 0
) -> Estimate:
    """Return the ratio of two means with its 95 % interval, such as the kept share of a gain.

    The ratio has a meaning only where the denominator is above zero. A resample where it is not
    could stand for any ratio: it counts as minus infinity for the lower end and as infinity for
    the upper end. So the interval is bounded only where that of the denominator lies above zero,
    as Fieller's is (1954, Some problems in interval estimation); leaving such resamples out
    would claim most where least is known.

    Parameters
    ----------
    numerator_M, denominator_M
        A value per clip, such as differences of hits, of the same clips.
    groups
        The recording of each clip.

    Returns
    -------
    Estimate
        ``low`` may be ``-inf``, ``high`` ``inf``. The value is NaN if the mean of the denominator
        is not above zero; both ends are NaN if there is one recording only.

    Raises
    ------
    ValueError
        If values are not finite or do not match the recordings.
    """
    sums_GC, _ = recording_sums(np.stack([np.asarray(numerator_M), denominator_M]), groups)
    means_RC = np.concatenate([w_RG @ sums_GC for w_RG in draws(len(sums_GC), seed)])
    total = sums_GC.sum(axis=0)
    value = float(total[0] / total[1]) if total[1] > _ROUNDING else math.nan
    if len(sums_GC) < 2:
        return Estimate(value, math.nan, math.nan)
    defined_R = means_RC[:, 1] > _ROUNDING
    ratio_R = np.divide(means_RC[:, 0], means_RC[:, 1], where=defined_R, out=means_RC[:, 0].copy())
    tail = expanded_tail(_TAIL, len(sums_GC))
    # Between an infinite and a finite draw there is nothing to interpolate.
    low = np.quantile(np.where(defined_R, ratio_R, -np.inf), tail, method="lower")
    high = np.quantile(np.where(defined_R, ratio_R, np.inf), 1.0 - tail, method="higher")
    return Estimate(value, float(low), float(high))


def numbered(groups: Sequence[str]) -> tuple[NDArray[np.int64], int]:
    """Return the number of each clip's recording [M], and how many recordings there are."""
    _, group_M = np.unique(np.asarray(groups), return_inverse=True)
    return group_M, int(group_M.max()) + 1


def draws(groups: int, seed: int, resamples: int = RESAMPLES) -> Iterator[NDArray[np.float64]]:
    """Yield how often each recording is drawn, blocks of [R, G], ``resamples`` rows in all."""
    rng = np.random.default_rng(seed)
    rows = max(1, min(resamples, _BLOCK_ENTRIES // groups))
    for start in range(0, resamples, rows):
        size = min(rows, resamples - start)
        yield rng.multinomial(groups, np.full(groups, 1.0 / groups), size=size).astype(float)


def signs(groups: int, seed: int, resamples: int = RESAMPLES) -> Iterator[NDArray[np.float64]]:
    """Yield random signs of the recordings, blocks of [R, G], half of ``resamples`` rows in all.

    Half, because each row counts with all its signs turned round as well.
    """
    rng = np.random.default_rng(seed)
    rows = max(1, min(resamples // 2, _BLOCK_ENTRIES // groups))
    for start in range(0, resamples // 2, rows):
        size = (min(rows, resamples // 2 - start), groups)
        yield rng.choice(np.array([-1.0, 1.0]), size)


def expanded(value: float, drawn_R: NDArray[np.float64], recordings: int) -> Estimate:
    """Return a value with the expanded percentile interval of its draws; NaN of one recording."""
    if recordings < 2:
        return Estimate(float(value), math.nan, math.nan)
    tail = expanded_tail(_TAIL, recordings)
    low, high = np.quantile(drawn_R, [tail, 1.0 - tail])
    return Estimate(float(value), float(low), float(high))


def expanded_tail(tail: float, groups: int) -> float:
    """Return how far out a percentile of the bootstrap must lie to leave ``tail`` outside."""
    from scipy.special import ndtr, stdtrit

    return float(ndtr(math.sqrt(groups / (groups - 1)) * stdtrit(groups - 1, tail)))


def recording_sums(
    values_CM: ArrayLike, groups: Sequence[str]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return sums of values by recording [G, C], and clips by recording [G].

    Raises
    ------
    ValueError
        If values are not finite or do not match the recordings.
    """
    values = np.asarray(values_CM, np.float64)
    if values.ndim != 2 or values.shape[1] != len(groups) or not np.isfinite(values).all():
        raise ValueError(
            f"values of shape {values.shape} for {len(groups)} clips; valid are finite values "
            "[candidates, clips] and one recording a clip"
        )
    group_M, count = numbered(groups)
    sums_GC = np.zeros((count, len(values)))
    np.add.at(sums_GC, group_M, values.T)
    return sums_GC, np.bincount(group_M, minlength=count).astype(float)

"""Intervals of shares of hits: what recordings like these allow for the share on others.

Clips of one recording are alike, and nobody knows how much. So the hits ``k_g`` of the ``n_g``
clips of a recording are taken as beta-binomial (Skellam 1948; Williams 1975): each recording has
an accuracy of its own, drawn from a beta distribution of mean ``mu`` and intra-class correlation
``rho``. The posterior of ``mu`` is summed over a grid of ``rho``, from clips that do not depend on
one another to recordings that are all right or all wrong. Where nothing but hits was seen the
interval is wide: four recordings without an error are little evidence. Resampling them, the
bootstrap of `vidfit.metrics.resampled`, never shows an error and would claim certainty.

Where no recording has both hits and misses nothing tells ``rho`` from its largest value, and the
interval spans the posterior there, too: without it ten recordings that are all right or all wrong,
three in four right, were covered in 92.5 % (``benchmarks.intervals``).

Both ends are the wider of the posteriors under Jeffreys' and under the uniform prior of ``mu``:
each alone falls short where recordings are all right or all wrong (``benchmarks.intervals``).

Recordings with many clips may be easier or harder than others. The posterior of ``mu`` weighs
recordings almost alike, the share that is reported weighs them by their clips. Where sizes
differ the interval also spans a beta posterior around that share, with as many clips as it is
worth: ``(sum n)^2 / sum n (1 + (n - 1) rho)`` (Kish 1965, Survey sampling).

Shape letters: G recordings, U differing pairs of hits and clips, S nodes of the share, C nodes
of the correlation.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vidfit.contracts import Estimate
from vidfit.metrics.resampled import mean_interval, recording_sums

Doubles = NDArray[np.float64]

_TAIL = 0.025
_UNSEEN_CHANGE = 0.5
"""Share of the clips of the one recording more that differences are taken to have missed."""

_COARSE, _FINE, _BETWEEN = 48, 128, 96
_CORRELATIONS_C = 0.001 + 0.989 * np.linspace(0.0, 1.0, 20) ** 1.5
_LOG_STEPS_C = np.log(np.gradient(_CORRELATIONS_C))
_NEGLIGIBLE = -16.0


def share_interval(hits_M: ArrayLike, groups: Sequence[str]) -> Estimate:
    """Return the share of hits with the 95 % interval of the share on other recordings.

    Parameters
    ----------
    hits_M
        1 for a hit and 0 for a miss, or the mean of several answers to the clip. Differences go
        to `paired_interval`.
    groups
        The recording of each clip. From one alone nothing can be said of others: both ends are
        NaN.

    Returns
    -------
    Estimate
        The observed share, which lies between the ends, which lie in [0, 1].

    Raises
    ------
    ValueError
        If a value is outside [0, 1].
    """
    hits = np.asarray(hits_M, np.float64)
    if not ((hits >= 0) & (hits <= 1)).all():
        raise ValueError(
            f"hits from {hits.min():g} to {hits.max():g}; valid is 0 to 1 for each clip"
        )
    sums_GC, clips_G = recording_sums(hits[None], groups)
    return share_of_sums(sums_GC[:, 0], clips_G)


def share_of_sums(hits_G: Doubles, clips_G: Doubles) -> Estimate:
    """Return the interval of `share_interval` from hits and clips of each recording.

    Recordings without a clip say nothing.
    """
    hits_G, clips_G = hits_G[clips_G > 0], clips_G[clips_G > 0]
    share = float(hits_G.sum() / clips_G.sum()) if len(clips_G) else math.nan
    if len(clips_G) < 2:
        return Estimate(share, math.nan, math.nan)
    low, high = _ends(hits_G, clips_G, share)
    return Estimate(share, max(0.0, min(low, share)), min(1.0, max(high, share)))


def class_mean_of_sums(sums_GX: Doubles, drawn: Estimate) -> Estimate:
    """Return the interval of the mean of the recalls of all classes.

    It spans what resampled recordings show, which may be hard for several classes at once, and
    what the interval of each recall (`share_interval`) allows for, joined as of classes that do
    not depend on one another (Zou and Donner 2008, "Construction of confidence limits about
    effect measures"). A class seen in one recording only may have any recall.

    Parameters
    ----------
    sums_GX
        By recording, hits of each class, then clips of each class.
    drawn
        The interval of resampled recordings.
    """
    pairs = zip(*np.split(sums_GX.T, 2), strict=True)
    recalls = [share_of_sums(hits_G, clips_G) for hits_G, clips_G in pairs if clips_G.any()]
    down = math.hypot(*(r.value - (0.0 if math.isnan(r.low) else r.low) for r in recalls))
    up = math.hypot(*((1.0 if math.isnan(r.high) else r.high) - r.value for r in recalls))
    low = min(drawn.low, drawn.value - down / len(recalls))
    high = max(drawn.high, drawn.value + up / len(recalls))
    return Estimate(drawn.value, max(0.0, low), min(1.0, high))


def paired_interval(difference_M: ArrayLike, groups: Sequence[str]) -> Estimate:
    """Return the mean difference of two models' hits with its 95 % interval.

    The interval of resampled recordings (`vidfit.metrics.mean_interval`), widened by
    `unseen_change`.

    Parameters
    ----------
    difference_M
        Hits of one model less those of another, in [-1, 1].
    groups
        The recording of each clip; from one alone both ends are NaN.

    Raises
    ------
    ValueError
        If a value is outside [-1, 1].
    """
    difference = np.asarray(difference_M, np.float64)
    if not (np.abs(difference) <= 1).all():
        raise ValueError(
            f"differences of hits up to {np.abs(difference).max():g}; valid is -1 to 1 for each"
        )
    return unseen_change(mean_interval(difference, groups), len(set(groups)), -1.0)


def unseen_change(drawn: Estimate, recordings: int, least: float) -> Estimate:
    """Return an interval of resampled recordings, widened by what none of them may have shown.

    To its variance that of a pseudo-observation is added: one more recording, half of whose
    clips changed. Where hardly a clip changed, resamples hardly differ from one another; that no
    change was observed is no proof that there is none (``benchmarks.intervals``).

    Parameters
    ----------
    least
        The figure's lower bound: 0 of a figure, -1 of a difference. The upper bound is 1.
    """
    from scipy.special import stdtrit

    if recordings < 2:
        return drawn
    unseen = -float(stdtrit(recordings - 1, _TAIL)) * _UNSEEN_CHANGE / recordings
    low = drawn.value - math.hypot(max(0.0, drawn.value - drawn.low), unseen)
    high = drawn.value + math.hypot(max(0.0, drawn.high - drawn.value), unseen)
    return Estimate(drawn.value, max(least, low), min(1.0, high))


def _ends(hits_G: Doubles, clips_G: Doubles, share: float) -> tuple[float, float]:
    """Return both ends of the interval, which need not hold the observed share."""
    angle_S = (np.arange(_COARSE) + 0.5) / _COARSE * (math.pi / 2)
    log_SC = _log_posterior(angle_S, hits_G, clips_G)
    seen = np.flatnonzero(log_SC.max(axis=1) > log_SC.max() + _NEGLIGIBLE)
    step = angle_S[1] - angle_S[0]
    least = max(0.0, angle_S[seen[0]] - step)
    most = min(math.pi / 2, angle_S[seen[-1]] + step)
    fine_S = least + (np.arange(_FINE) + 0.5) / _FINE * (most - least)
    log_SC = _log_posterior(fine_S, hits_G, clips_G)
    weight_SC = np.exp(log_SC - log_SC.max())
    posteriors = [weight_SC.sum(axis=1)]
    if not ((hits_G > 0) & (hits_G < clips_G)).any():
        posteriors.append(weight_SC[:, -1])
    ends = [
        _quantiles(fine_S, weight_S * prior_S)
        for weight_S in posteriors
        for prior_S in _priors(fine_S)
    ]
    if clips_G.min() < clips_G.max():
        ends.append(_around(share, clips_G, weight_SC.sum(axis=0)))
    return min(low for low, _ in ends), max(high for _, high in ends)


def _priors(angle_S: Doubles) -> tuple[Doubles, Doubles]:
    """Return Jeffreys' and the uniform prior of the share, as densities of its angle.

    The share is ``sin(angle)^2``; Jeffreys' prior is flat in the angle.
    """
    return np.ones_like(angle_S), np.sin(2.0 * angle_S)


def _log_posterior(angle_S: Doubles, hits_G: Doubles, clips_G: Doubles) -> Doubles:
    """Return the beta-binomial log-likelihood [S, C] and the flat prior of the correlation."""
    share_S1 = np.sin(angle_S)[:, None] ** 2
    sum_C = (1.0 - _CORRELATIONS_C) / _CORRELATIONS_C
    right_SC = _rising(share_S1 * sum_C, hits_G)
    wrong_SC = _rising((1.0 - share_S1) * sum_C, clips_G - hits_G)
    log_SC: Doubles = right_SC + wrong_SC - _rising(sum_C, clips_G) + _LOG_STEPS_C
    return log_SC


def _rising(start: Doubles, counts_G: Doubles) -> Doubles:
    """Return the sum over recordings of ``log Gamma(start + count) - log Gamma(start)``."""
    from scipy.special import gammaln

    count_U, often_U = np.unique(counts_G[counts_G > 0], return_counts=True)
    total: Doubles = gammaln(start[..., None] + count_U) @ often_U - often_U.sum() * gammaln(start)
    return total


def _quantiles(angle_S: Doubles, weight_S: Doubles) -> tuple[float, float]:
    """Return the quantiles of a density on equal steps of the angle."""
    share_S = np.sin(angle_S) ** 2
    below_S = np.cumsum(weight_S) - weight_S / 2
    low, high = np.interp([_TAIL, 1.0 - _TAIL], below_S / weight_S.sum(), share_S)
    return float(low), float(high)


def _around(share: float, clips_G: Doubles, weight_C: Doubles) -> tuple[float, float]:
    """Return the quantiles of the mixture of beta posteriors around the observed share."""
    from scipy.special import betainc, betaincinv

    spread_GC = 1.0 + np.outer(clips_G - 1.0, _CORRELATIONS_C)
    worth_C = clips_G.sum() ** 2 / (clips_G @ spread_GC)
    a_C, b_C = share * worth_C + 0.5, (1.0 - share) * worth_C + 0.5
    ends = []
    for level in (_TAIL, 1.0 - _TAIL):
        edges_C = betaincinv(a_C, b_C, level)
        share_S = np.linspace(edges_C.min(), edges_C.max(), _BETWEEN)
        below_S = betainc(a_C, b_C, share_S[:, None]) @ weight_C / weight_C.sum()
        ends.append(float(np.interp(level, below_S, share_S)))
    return ends[0], ends[1]

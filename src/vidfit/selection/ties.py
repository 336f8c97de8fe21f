"""Which candidates may be the best: multiple comparisons with the best, paired by recording.

A candidate is out when another is ahead of it by more than chance allows to any of the others
(Hsu 1984, "Constrained simultaneous confidence intervals for multiple comparisons with the
best"; Hansen, Lunde and Nason 2011, "The model confidence set"). What chance allows is the
quantile of the largest studentised difference when the sign of each recording's differences is
flipped at random: the wild cluster bootstrap with the null hypothesis imposed (Cameron, Gelbach
and Miller 2008, "Bootstrap-based improvements for inference with clustered errors"). It holds
what it promises with four recordings as with forty; drawing recordings with replacement loses
the best too often (``benchmarks.selection_simulation``).

With probability ``1 - level`` this holds for the truly best candidate b and all i at once: b is
ahead of i by at most ``lead + critical_b * error``. So b is in the tied set, and the bound on
its gain is valid for any leader, also for one chosen by the same clips.

Shape letters: C candidates, M clips, G recordings, P pairs, R sign flips.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vidfit.metrics import Scored
from vidfit.metrics.resampled import RESAMPLES, signs

Doubles = NDArray[np.float64]

_EQUAL = 1e-9


def tied_with_best(
    scored: Scored,
    *,
    level: float = 0.05,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> NDArray[np.bool_]:
    """Return for each candidate [C] whether it may be the best.

    Parameters
    ----------
    scored
        The candidates. Of G recordings that all agree the evidence is 2**-G: with fewer than
        five nobody is ruled out at a level of 5 %. A figure that is no mean over clips is taken
        by its linear part (`Scored.linear`).
    level
        Probability, at most, that the truly best candidate is not among them.
    """
    gains_CC = _upper_gains(scored, level, seed, resamples)
    return np.asarray((gains_CC >= -_EQUAL).all(axis=1))


def is_proven_better(scored: Scored, first: int, second: int, *, level: float = 0.025) -> bool:
    """Return whether one candidate scored more than another than chance allows, one-sided.

    An interval by drawing recordings can leave out zero where only four of many recordings
    differ; the sign flips then say 2**-4.
    """
    return not tied_with_best(scored.only([first, second]), level=level)[1]


def upper_gain(
    scored: Scored,
    leader: int,
    *,
    level: float = 0.05,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Doubles:
    """Return by how much each candidate [C] would at most be better than the leader as the best.

    Parameters as in `tied_with_best`; ``leader`` is one of the candidates. Infinite where there
    are too few recordings to tell.
    """
    return _upper_gains(scored, level, seed, resamples)[:, leader]


def _upper_gains(scored: Scored, level: float, seed: int, resamples: int) -> Doubles:
    """Return by how much candidate i may at most be ahead of j, if i is the best, [C, C]."""
    sums_GC, size_G = scored.linear
    count = sums_GC.shape[1]
    first_P, second_P = np.triu_indices(count, 1)
    lead_GP = sums_GC[:, first_P] - sums_GC[:, second_P]
    lead_P, error_P, _ = _studentised(np.ones((1, len(size_G))), lead_GP, size_G)
    blocks = [
        _studentised(sign_RG, lead_GP, size_G)[2] for sign_RG in signs(len(size_G), seed, resamples)
    ]
    critical_C = _critical(_square(np.concatenate(blocks), count), level)
    with np.errstate(invalid="ignore"):  # an infinite quantile of a difference without error
        allowed_CC = critical_C[:, None] * np.abs(_square(error_P, count)[0])
    gains_CC = _square(lead_P, count)[0] + np.nan_to_num(allowed_CC, nan=np.inf, posinf=np.inf)
    np.fill_diagonal(gains_CC, 0.0)
    return np.asarray(gains_CC)


def _studentised(
    sign_RG: Doubles, lead_GP: Doubles, size_G: Doubles
) -> tuple[Doubles, Doubles, Doubles]:
    """Return mean leads, their cluster-robust errors and their ratio, each [R, P].

    The squared error is sum_g (lead_g - mean * size_g)^2 / M^2, multiplied out: the sum of
    lead_g^2 is the same whatever the signs.
    """
    clips = size_G.sum()
    mean_RP = (sign_RG @ lead_GP) / clips
    squares_P = (lead_GP**2).sum(axis=0)
    crossed_RP = sign_RG @ (lead_GP * size_G[:, None])
    rest_RP = squares_P - 2.0 * mean_RP * crossed_RP + mean_RP**2 * (size_G**2).sum()
    # What rounding leaves of an error that is zero must not pass for one.
    error_RP = np.sqrt(np.where(rest_RP > _EQUAL * squares_P, rest_RP, 0.0)) / clips
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio_RP = np.where(mean_RP == 0.0, 0.0, mean_RP / error_RP)
    return mean_RP, error_RP, ratio_RP


def _square(pairs_RP: Doubles, count: int) -> Doubles:
    """Return values of pairs as [R, C, C], negative with the pair turned round."""
    first_P, second_P = np.triu_indices(count, 1)
    square_RCC = np.zeros((len(pairs_RP), count, count))
    square_RCC[:, first_P, second_P] = pairs_RP
    square_RCC[:, second_P, first_P] = -pairs_RP
    return square_RCC


def _critical(ratio_RCC: Doubles, level: float) -> Doubles:
    """Return the quantile [C] of a candidate's largest ratio; each flip counts turned round too."""
    largest_RC = np.concatenate([ratio_RCC.max(axis=2), (-ratio_RCC).max(axis=2)])
    return np.asarray(np.quantile(largest_RC, 1.0 - level, axis=0, method="higher"))

"""Which candidates may be the best: multiple comparisons with the best, paired by recording.

A candidate is out when another is ahead of it by more than chance allows to any of the others
(Hsu 1984, "Constrained simultaneous confidence intervals for multiple comparisons with the
best"; Hansen, Lunde and Nason 2011, "The model confidence set"). What chance allows is the
quantile of the largest studentised difference under a bootstrap over recordings, so that the
set holds the truly best candidate with the stated probability.

Shape letters: C candidates, M clips, G recordings, R resamples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vidfit.metrics.bootstrap import RESAMPLES, draws, expanded_tail, recording_sums

Doubles = NDArray[np.float64]

_EQUAL = 1e-12


def tied_with_best(
    values_CM: ArrayLike,
    groups: Sequence[str],
    *,
    level: float = 0.05,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> NDArray[np.bool_]:
    """Return for each candidate [C] whether it may be the best.

    Parameters
    ----------
    values_CM
        What each candidate scored on each clip, such as hits of 0 and 1.
    groups
        The recording of each clip; of a single recording everything is possible.
    level
        Probability, at most, that the truly best candidate is not among them.

    Raises
    ------
    ValueError
        If values are not finite or do not match the recordings.
    """
    sample = _Sample.of(values_CM, groups, seed, resamples)
    over = (sample.leads_over(i) for i in range(len(sample.mean_C)))
    return np.array(
        [
            bool((lead_C <= _allowed_lead(lead_C, lead_RC, level, sample.groups)).all())
            for lead_C, lead_RC in over
        ]
    )


def upper_gain(
    values_CM: ArrayLike,
    groups: Sequence[str],
    leader: int,
    *,
    level: float = 0.05,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Doubles:
    """Return by how much each candidate [C] may at most be better than the leader, all at once.

    Parameters as in `tied_with_best`; ``leader`` is a row of ``values_CM``. Infinite where
    there is but one recording.
    """
    sample = _Sample.of(values_CM, groups, seed, resamples)
    lead_C, lead_RC = sample.leads_over(leader)
    gain_C: Doubles = lead_C + _allowed_lead(lead_C, lead_RC, level, sample.groups)
    return gain_C


@dataclass(frozen=True)
class _Sample:
    """Means of the candidates, as they are [C] and resampled [R, C]."""

    mean_C: Doubles
    mean_RC: Doubles
    groups: int

    @classmethod
    def of(cls, values_CM: ArrayLike, groups: Sequence[str], seed: int, resamples: int) -> _Sample:
        sums_GC, size_G = recording_sums(values_CM, groups)
        blocks = [
            (w_RG @ sums_GC) / (w_RG @ size_G)[:, None]
            for w_RG in draws(len(size_G), seed, resamples)
        ]
        mean_C = sums_GC.sum(axis=0) / size_G.sum()
        return cls(mean_C, np.concatenate(blocks), len(size_G))

    def leads_over(self, i: int) -> tuple[Doubles, Doubles]:
        """Return how far each candidate is ahead of candidate ``i``: [C], and resampled [R, C]."""
        return self.mean_C - self.mean_C[i], self.mean_RC - self.mean_RC[:, i : i + 1]


def _allowed_lead(lead_C: Doubles, lead_RC: Doubles, level: float, groups: int) -> Doubles:
    """Return the leads [C] that chance allows when nobody is truly ahead."""
    if groups < 2:
        return np.full(len(lead_C), np.inf)
    error_C = lead_RC.std(axis=0)
    differs_C = error_C > _EQUAL
    if not differs_C.any():
        return np.full(len(lead_C), _EQUAL)
    studentised_RC = (lead_RC - lead_C)[:, differs_C] / error_C[differs_C]
    largest = np.quantile(studentised_RC.max(axis=1), 1.0 - expanded_tail(level, groups))
    allowed_C: Doubles = np.maximum(largest, 0.0) * error_C + _EQUAL
    return allowed_C

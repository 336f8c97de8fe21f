"""What candidates score on the same clips, ready to be drawn again by recording.

Whatever the figure is, four questions are asked of it: what is its interval on other recordings,
by how much is one candidate ahead of another, what would it have been on other draws of
recordings, and what does each recording add. The first three draw recordings again; the last
replaces the figure by its linear part, the influence of each recording (the infinitesimal
jackknife; Efron 1981, "Nonparametric estimates of standard error"), so that tests which flip or
weigh recordings one by one (`vidfit.selection.ties`, `vidfit.selection.recommend`) hold for any.

Shape letters: C candidates, M clips, G recordings, R draws, X sums.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from vidfit.contracts import Estimate
from vidfit.metrics.measures import AnyMeasure, ClipMean, Doubles, RankedMeasure, RankedScores
from vidfit.metrics.resampled import RESAMPLES, draws, expanded, numbered, recording_sums
from vidfit.metrics.share_interval import class_mean_of_sums, share_of_sums, unseen_change

_RANKED_DRAWS = 1000
"""Draws of a figure that needs all scores in order for each; percentiles need no more."""

_STEP = 1e-3


@dataclass(frozen=True)
class Scored:
    """Candidates on the same clips, by recording.

    Parameters
    ----------
    measure
        What they are scored by.
    tables
        By candidate its sums [G, X], or its rows where the measure is ranked.
    clips_G
        Clips of each recording.
    """

    measure: AnyMeasure
    tables: tuple[Doubles | RankedScores, ...]
    clips_G: Doubles

    @cached_property
    def figures_C(self) -> Doubles:  # noqa: N802 - the letter says what it runs over
        """The figure of each candidate on all clips."""
        figures_C: Doubles = self.drawn(np.ones((1, len(self.clips_G))))[0]
        return figures_C

    @cached_property
    def merits_C(self) -> Doubles:  # noqa: N802
        """The figures, turned so that higher is better."""
        return self.figures_C * self._sign

    def only(self, candidates: Sequence[int]) -> Scored:
        """Return some of the candidates."""
        return Scored(self.measure, tuple(self.tables[i] for i in candidates), self.clips_G)

    def beside(self, other: Scored) -> Scored:
        """Return these candidates and others, scored on the same clips."""
        return Scored(self.measure, (*self.tables, *other.tables), self.clips_G)

    def drawn(self, weight_RG: Doubles) -> Doubles:
        """Return the figures [R, C] with each recording counted ``weight`` times."""
        return np.stack([self._figure(table, weight_RG) for table in self.tables], axis=1)

    def interval(self, candidate: int, *, seed: int = 0) -> Estimate:
        """Return a candidate's figure with its 95 % interval on other recordings.

        From one recording nothing can be said of others: both ends are NaN. Where nothing was
        answered both ends are the figure.
        """
        value, table = float(self.figures_C[candidate]), self.tables[candidate]
        if len(self.clips_G) < 2 or math.isnan(value):
            return Estimate(value, math.nan, math.nan)
        if isinstance(table, RankedScores) and np.isneginf(table.score_NK[:, 0]).all():
            return Estimate(value, value, value)  # who answers nothing finds nothing elsewhere
        if not isinstance(table, RankedScores) and self.measure.kind == "share":
            return share_of_sums(table[:, 0], table[:, 1])
        return self._of_draws(candidate, self._resampled((candidate,), seed)[:, 0])

    def intervals(self, *, seed: int = 0) -> list[Estimate]:
        """Return the `interval` of each candidate, by drawing once for all of them."""
        if len(self.clips_G) < 2 or self.measure.kind == "share":
            return [self.interval(i, seed=seed) for i in range(len(self.tables))]
        drawn_RC = self._resampled(range(len(self.tables)), seed)
        return [self._of_draws(i, drawn_RC[:, i]) for i in range(len(self.tables))]

    def lead(self, first: int, second: int, *, seed: int = 0) -> Estimate:
        """Return by how much one candidate is better than another, with its 95 % interval.

        Above zero the first is better, whether higher or lower figures are.
        """
        value = float(self.merits_C[first] - self.merits_C[second])
        if len(self.clips_G) < 2 or math.isnan(value):
            return Estimate(value, math.nan, math.nan)
        drawn_R2 = self._sign * self._resampled((first, second), seed)
        return self._widened(value, drawn_R2[:, 0] - drawn_R2[:, 1], -1.0)

    def resamples(self, seed: int = 0, most: int = RESAMPLES) -> Iterator[Doubles]:
        """Yield how often each recording is drawn, blocks of [R, G]."""
        count = min(most, _RANKED_DRAWS) if isinstance(self.tables[0], RankedScores) else most
        return draws(len(self.clips_G), seed, count)

    @cached_property
    def linear(self) -> tuple[Doubles, Doubles]:
        """What each recording adds [G, C], turned so that higher is better, and its size [G].

        The sum over recordings, divided by that of the sizes, is the figure. Of a mean over clips
        that is exact, and the sizes are clips; of other figures it is the linear part around all
        recordings, each of size one.
        """
        if isinstance(self.measure, ClipMean) or self.measure.kind == "share":
            sums = [table[:, 0] for table in self.tables if not isinstance(table, RankedScores)]
            return self._sign * np.stack(sums, axis=1), self.clips_G
        count = len(self.clips_G)
        step_GG = _STEP * np.eye(count)
        up_GC, down_GC = self.drawn(1.0 + step_GG), self.drawn(1.0 - step_GG)
        influence_GC = np.nan_to_num((up_GC - down_GC) / (2.0 * _STEP))
        return self._sign * (self.figures_C + count * influence_GC), np.ones(count)

    @property
    def _sign(self) -> float:
        return 1.0 if self.measure.higher_is_better else -1.0

    def _figure(self, table: Any, weight_RG: Doubles) -> Doubles:  # noqa: ANN401 - sums or rows
        if isinstance(self.measure, RankedMeasure):
            return self.measure.figure(table, weight_RG)
        return self.measure.figure(weight_RG @ table)

    def _of_draws(self, candidate: int, drawn_R: Doubles) -> Estimate:
        """Return the interval of a figure that was drawn again."""
        value, table = float(self.figures_C[candidate]), self.tables[candidate]
        if math.isnan(value):
            return Estimate(value, math.nan, math.nan)
        if not isinstance(table, RankedScores) and self.measure.kind == "class mean":
            return class_mean_of_sums(table, expanded(value, drawn_R, len(self.clips_G)))
        found = self._widened(value, drawn_R, 0.0)
        if self.measure.kind != "up to one":
            return found
        return Estimate(value, min(1.0, found.low), min(1.0, found.high))

    def _resampled(self, candidates: Sequence[int], seed: int) -> Doubles:
        """Return figures [R, candidates] of draws of recordings."""
        some = self.only(candidates)
        return np.concatenate([some.drawn(w_RG) for w_RG in some.resamples(seed)])

    def _widened(self, value: float, drawn_R: Doubles, least: float) -> Estimate:
        """Return the interval of draws; where answers may not change, widened by what is unseen."""
        found = expanded(value, drawn_R[np.isfinite(drawn_R)], len(self.clips_G))
        if self.measure.kind in ("unbounded", "up to one"):
            return found
        return unseen_change(found, len(self.clips_G), least)


def score_all(
    measure: AnyMeasure,
    truth: Any,  # noqa: ANN401 - the task's own
    answers: Sequence[Any],
    groups: Sequence[str],
) -> Scored:
    """Score candidates on the same clips.

    Parameters
    ----------
    truth
        What is hidden of each clip, [M, ...].
    answers
        By candidate, what it answers to each clip, [M, ...].
    groups
        The recording of each clip.

    Raises
    ------
    ValueError
        If there are no candidates or clips, or not one recording a clip.
    """
    if not len(answers) or not len(groups) or any(len(a) != len(groups) for a in answers):
        raise ValueError(
            f"{len(answers)} candidates for {len(groups)} clips; valid is one candidate or more, "
            "one answer and one recording a clip"
        )
    group_M, count = numbered(groups)
    of_G = np.split(np.argsort(group_M, kind="stable"), np.cumsum(np.bincount(group_M))[:-1])
    clips_G = np.bincount(group_M, minlength=count).astype(np.float64)
    tables = tuple(_table(measure, truth, answer, of_G) for answer in answers)
    return Scored(measure, tables, clips_G)


def averaged(deals: Sequence[Scored]) -> Scored:
    """Return candidates whose answers come from several deals of the same clips to folds.

    What each recording adds is averaged over the deals, so that the answers to a clip count once.
    """
    first = deals[0]
    if len(deals) == 1:
        return first
    tables = tuple(
        _pooled(of) if isinstance(of[0], RankedScores) else np.mean(of, axis=0)
        for of in zip(*(scored.tables for scored in deals), strict=True)
    )
    return Scored(first.measure, tables, first.clips_G)


def _pooled(rows: Sequence[RankedScores]) -> RankedScores:
    return RankedScores(
        np.concatenate([one.score_NK for one in rows]),
        np.concatenate([one.hit_NK for one in rows]),
        np.concatenate([one.recording_N for one in rows]),
    )


def score_values(values_CM: ArrayLike, groups: Sequence[str]) -> Scored:
    """Score candidates by a value in [0, 1] of each clip, such as hits: the mean over clips.

    Raises
    ------
    ValueError
        If values are not finite or do not match the recordings.
    """
    sums_GC, clips_G = recording_sums(values_CM, groups)
    tables = tuple(np.stack([sums_G, clips_G], axis=1) for sums_G in sums_GC.T)
    return Scored(ClipMean("mean"), tables, clips_G)


def _table(
    measure: AnyMeasure,
    truth: Any,  # noqa: ANN401
    answers: Any,  # noqa: ANN401
    of_G: Sequence[Any],
) -> Doubles | RankedScores:
    parts = [(truth[of_M], answers[of_M]) for of_M in of_G]
    if not isinstance(measure, RankedMeasure):
        return np.stack([measure.sums(*part) for part in parts])
    rows = [measure.rows(*part) for part in parts]
    number_N = np.repeat(np.arange(len(rows)), [len(score) for score, _ in rows])
    scores, hits = zip(*rows, strict=True)
    return RankedScores(np.concatenate(scores), np.concatenate(hits), number_N)

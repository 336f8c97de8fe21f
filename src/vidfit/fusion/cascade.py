"""Confidence cascade: a cheap member answers when it is sure, the others are asked otherwise.

The first stage asks one member, the second another, the third all others. Each answers with the
weighted product (`vidfit.fusion.stack`) of the members asked so far; a clip leaves at the first
stage whose highest probability reaches the stage's threshold (Wang et al. 2020, "Wisdom of
committees"). The weights make the probabilities calibrated: they minimise the log-loss of
out-of-fold answers. Thresholds are lowered as long as the cascade stays as accurate, out of
fold, as its last stage. Any of the cheapest members may be the first; taken is the one with the
least expected cost: in multiply-accumulates, which no load disturbs, among those whose measured
seconds are near each other.

Shape letters: S members, T stages, M clips, K classes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import TIME_RATIO, Cost, Floats, Indices, seconds_a_clip
from vidfit.fitted import FittedFusion
from vidfit.fusion.answers import probes_of, probes_state
from vidfit.fusion.member import Fitted, Training
from vidfit.fusion.stack import LogPool, fit_log_pool

_NEVER = 2.0
"""A threshold that no probability reaches."""

_STEPS = 200
"""So many thresholds are tried at most."""

_FIRST = 5
"""So many of the cheapest members are tried as the first."""

_STAGES = 3
"""The last stage asks all members that are left: of many single ones each would leave little."""


@dataclass(frozen=True)
class Cascade:
    """Members in the order of asking, the pool of each stage, and when it is sure.

    ``thresholds_T`` has an entry for each stage but the last.
    """

    members: tuple[FittedFusion, ...]
    pools: tuple[LogPool, ...]
    thresholds_T: Floats

    @property
    def stages(self) -> tuple[tuple[int, ...], ...]:
        """Members by stage."""
        return in_stages(tuple(range(len(self.members))))

    def wanted(self, blocks: Sequence[Floats | None]) -> tuple[int, ...]:
        """Return the next members to ask for one clip, or none when it can be answered."""
        known = [block for block in blocks if block is not None]
        if len(known) == len(self.members):
            return ()
        stage = min(len(known), _STAGES - 1)  # until the last one, stages have one member
        if stage and self._answer(known).max() >= np.log(self.thresholds_T[stage - 1]):
            return ()
        return self.stages[stage]

    def depth(self, blocks: Sequence[Floats]) -> Indices:
        """Return how many stages each clip goes through, [M]."""
        return _depth(self._by_stage(blocks), self.thresholds_T)

    def log_probabilities(self, blocks: Sequence[Floats | None]) -> Floats:
        """Return log-probabilities [M, K]: of each clip those of the stage at which it leaves.

        Members that were not asked (``None``) end the cascade where they would come.
        """
        known = [block for block in blocks if block is not None]
        if len(known) < len(self.members):
            return self._answer(known)
        stages_TMK = self._by_stage(known)
        depth_M = _depth(stages_TMK, self.thresholds_T)
        result: Floats = stages_TMK[depth_M - 1, np.arange(len(depth_M))]
        return result

    def novelty(self, blocks: Sequence[Floats | None]) -> Floats:
        """Return the first member's novelty, [M]: it is asked about every clip."""
        first = blocks[0]
        if first is None:
            raise ValueError("the first member of a cascade must be asked")
        return self.members[0].novelty([first])

    def state(self) -> dict[str, Floats]:
        """Return the arrays that `restore` needs."""
        pools = {
            f"stage{t}.{name}": array
            for t, pool in enumerate(self.pools)
            for name, array in pool.state().items()
        }
        return {**probes_state(self.members), **pools, "thresholds_T": self.thresholds_T}

    def _answer(self, known: Sequence[Floats]) -> Floats:
        """Return the answer of the stage that has asked these members."""
        answers = [
            member.log_probabilities([block])
            for member, block in zip(self.members, known, strict=False)
        ]
        pool = self.pools[min(len(known), len(self.pools)) - 1]
        return pool.combine(np.stack(answers))

    def _by_stage(self, blocks: Sequence[Floats]) -> Floats:
        return np.stack([self._answer(blocks[: stage[-1] + 1]) for stage in self.stages])


def restore(state: Mapping[str, Floats]) -> Cascade:
    """Return the cascade whose ``state`` this is."""
    pools = tuple(
        LogPool(state[f"stage{t}.weights_S"], state[f"stage{t}.bias_K"])
        for t in range(len(state["thresholds_T"]) + 1)
    )
    return Cascade(probes_of(state), pools, state["thresholds_T"])


def fit_cascade(training: Training) -> Fitted:
    """Fit the pools and choose order and thresholds by out-of-fold answers."""
    answers_SMK, labels_M, folds_M = training.answers_SMK, training.labels_M, training.folds_M
    costs = [member.cost for member in training.members]
    out_MK = np.empty_like(answers_SMK[0])
    for fold in np.unique(folds_M):
        train, test = folds_M != fold, folds_M == fold
        plan = _best_plan(answers_SMK[:, train], labels_M[train], folds_M[train], costs)
        out_MK[test] = plan.answer(answers_SMK[:, test])
    plan = _best_plan(answers_SMK, labels_M, folds_M, costs)
    probes = tuple(training.members[i].probe for i in plan.order)
    return Fitted(Cascade(probes, plan.pools, plan.thresholds_T), out_MK, plan.order)


@dataclass(frozen=True)
class _Plan:
    """An order of members with pools and thresholds."""

    order: tuple[int, ...]
    pools: tuple[LogPool, ...]
    thresholds_T: Floats

    def answer(self, answers_SMK: Floats) -> Floats:
        stages_TMK = np.stack(
            [
                pool.combine(answers_SMK[list(asked)])
                for pool, asked in zip(self.pools, _asked(self.order), strict=True)
            ]
        )
        depth_M = _depth(stages_TMK, self.thresholds_T)
        result: Floats = stages_TMK[depth_M - 1, np.arange(len(depth_M))]
        return result


def in_stages(order: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    """Return members in their order of asking by stage: one, one, and all others."""
    single = min(_STAGES - 1, len(order) - 1)
    return (*((i,) for i in order[:single]), order[single:])


def _asked(order: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Return by stage all members that were asked by then."""
    stages = in_stages(order)
    return [sum(stages[: t + 1], ()) for t in range(len(stages))]


def _best_plan(
    answers_SMK: Floats, labels_M: Indices, folds_M: Indices, costs: Sequence[Cost]
) -> _Plan:
    known = _Pools(answers_SMK, labels_M, folds_M)
    tried = [_thresholds_of(order, known, costs) for order in _orders(costs)]
    least = min(found.seconds for found in tried)
    near = [found for found in tried if found.seconds <= TIME_RATIO * least]
    order, thresholds_T, _, _ = min(near, key=lambda found: (found.gmacs, found.order))
    pools = [
        fit_log_pool(answers_SMK[list(members)], labels_M, folds_M) for members in _asked(order)
    ]
    return _Plan(order, tuple(pools), thresholds_T)


def _orders(costs: Sequence[Cost]) -> Iterator[tuple[int, ...]]:
    """Yield each of the cheapest members first, the others after it by cost."""
    by_cost = sorted(range(len(costs)), key=lambda i: (costs[i].gmacs, costs[i].parameters))
    for first in by_cost[:_FIRST]:
        yield (first, *(i for i in by_cost if i != first))


@dataclass(frozen=True)
class _Pools:
    """Pools of sets of members, each fitted once."""

    answers_SMK: Floats
    labels_M: Indices
    folds_M: Indices
    known: dict[frozenset[int], Floats] = field(default_factory=dict)

    def out_of_fold_MK(self, asked: tuple[int, ...]) -> Floats:  # noqa: N802
        """Return answers of the pool of members, fitted without each clip's fold."""
        if frozenset(asked) not in self.known:
            answers_SMK = self.answers_SMK[list(asked)]
            out_MK = np.empty_like(answers_SMK[0])
            for fold in np.unique(self.folds_M):
                train, test = self.folds_M != fold, self.folds_M == fold
                pool = fit_log_pool(
                    answers_SMK[:, train], self.labels_M[train], self.folds_M[train]
                )
                out_MK[test] = pool.combine(answers_SMK[:, test])
            self.known[frozenset(asked)] = out_MK
        return self.known[frozenset(asked)]


class _Order(NamedTuple):
    """An order, its thresholds, and what a clip then takes on average."""

    order: tuple[int, ...]
    thresholds_T: Floats
    gmacs: float
    seconds: float


def _thresholds_of(order: tuple[int, ...], pools: _Pools, costs: Sequence[Cost]) -> _Order:
    """Return an order with its thresholds."""
    stages_TMK = np.stack([pools.out_of_fold_MK(members) for members in _asked(order)])
    thresholds_T = _thresholds(stages_TMK, pools.labels_M)
    depth_M = _depth(stages_TMK, thresholds_T)
    stages = [[costs[i] for i in stage] for stage in in_stages(order)]
    seconds_T = np.cumsum([seconds_a_clip(stage) for stage in stages])
    gmacs_T = np.cumsum([sum(cost.gmacs for cost in stage) for stage in stages])
    spent = (float(a_stage[depth_M - 1].mean()) for a_stage in (gmacs_T, seconds_T))
    return _Order(order, thresholds_T, *spent)


def _thresholds(stages_TMK: Floats, labels_M: Indices) -> Floats:
    """Lower the thresholds, stage by stage, as long as the last stage's accuracy is kept.

    They stop at the first loss: a lower one that happens to make up for it is luck.
    """
    hits_TM = stages_TMK.argmax(axis=2) == labels_M
    thresholds_T = np.full(len(stages_TMK) - 1, _NEVER, np.float32)
    still_M = np.ones(len(labels_M), np.bool_)  # clips that no stage so far is sure of
    lost = 0  # hits of the last stage that are given up
    for t, stage_MK in enumerate(stages_TMK[:-1]):
        tried_C = _candidates(stage_MK)
        sure_CM = still_M & (stage_MK.max(axis=1) >= np.log(tried_C)[:, None])
        lost_C = lost + sure_CM @ (hits_TM[-1].astype(np.int64) - hits_TM[t])
        kept = int(np.argmax(lost_C > 0)) if (lost_C > 0).any() else len(tried_C)
        if kept:
            thresholds_T[t], lost = tried_C[kept - 1], lost_C[kept - 1]
            still_M &= ~sure_CM[kept - 1]
    return thresholds_T


def _candidates(answer_MK: Floats) -> NDArray[np.floating]:
    """Return thresholds to try, descending."""
    confidence_M = np.unique(np.exp(answer_MK.max(axis=1)))[::-1]
    places = np.unique(np.linspace(0, len(confidence_M) - 1, _STEPS).astype(int))
    return np.asarray(confidence_M[places])


def _depth(stages_TMK: Floats, thresholds_T: Floats) -> Indices:
    """Return at which stage each clip leaves, [M], from 1."""
    sure_TM = stages_TMK[:-1].max(axis=2) >= np.log(thresholds_T)[:, None]
    last = np.full(sure_TM.shape[1], len(stages_TMK))
    return np.where(sure_TM.any(axis=0), sure_TM.argmax(axis=0) + 1, last).astype(np.int64)

"""Confidence cascade: a cheap member answers when it is sure, the others are asked otherwise.

Stage t answers with the weighted product (`vidfit.fusion.stack`) of the members asked so far; a
clip leaves at the first stage whose highest probability reaches the stage's threshold (Wang et
al. 2020, "Wisdom of committees"). The weights make the probabilities calibrated: they minimise
the log-loss of out-of-fold answers. Thresholds are lowered as long as the cascade stays as
accurate, out of fold, as its last stage. Of all orders "one member first, then the others by
cost" the one with the least expected cost is taken.

Shape letters: S members, T stages, M clips, K classes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Cost, Floats, Indices, seconds_a_clip
from vidfit.fusion.answers import probes_of, probes_state
from vidfit.fusion.linear import Linear
from vidfit.fusion.member import Fitted, Training
from vidfit.fusion.stack import LogPool, fit_log_pool

_NEVER = 2.0
"""A threshold that no probability reaches."""

_STEPS = 200
"""So many thresholds are tried at most."""


@dataclass(frozen=True)
class Cascade:
    """Members in the order of asking, the pool of each stage, and when it is sure.

    One member is asked a stage. ``thresholds_T`` has an entry for each stage but the last.
    """

    members: tuple[Linear, ...]
    pools: tuple[LogPool, ...]
    thresholds_T: Floats

    @property
    def stages(self) -> tuple[tuple[int, ...], ...]:
        """Members by stage: one after the other."""
        return tuple((i,) for i in range(len(self.members)))

    def wanted(self, blocks: Sequence[Floats | None]) -> tuple[int, ...]:
        """Return the next member to ask for one clip, or none when it can be answered."""
        known = [block for block in blocks if block is not None]
        stage = len(known)
        if stage == len(self.members):
            return ()
        if stage and self._answer(known).max() >= np.log(self.thresholds_T[stage - 1]):
            return ()
        return (stage,)

    def depth(self, blocks: Sequence[Floats]) -> Indices:
        """Return how many members each clip is shown to, [M]."""
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
        """Return the answer of the stage that has asked so many members."""
        answers = [
            member.log_probabilities([block])
            for member, block in zip(self.members, known, strict=False)
        ]
        return self.pools[len(known) - 1].combine(np.stack(answers))

    def _by_stage(self, blocks: Sequence[Floats]) -> Floats:
        return np.stack([self._answer(blocks[: t + 1]) for t in range(len(self.members))])


def restore(state: Mapping[str, Floats]) -> Cascade:
    """Return the cascade whose ``state`` this is."""
    probes = probes_of(state)
    pools = tuple(
        LogPool(state[f"stage{t}.weights_S"], state[f"stage{t}.bias_K"]) for t in range(len(probes))
    )
    return Cascade(probes, pools, state["thresholds_T"])


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
    """An order of members with pools and thresholds, and what a clip costs on average."""

    order: tuple[int, ...]
    pools: tuple[LogPool, ...]
    thresholds_T: Floats
    seconds: float

    def answer(self, answers_SMK: Floats) -> Floats:
        stages_TMK = _stages(self.order, self.pools, answers_SMK)
        depth_M = _depth(stages_TMK, self.thresholds_T)
        result: Floats = stages_TMK[depth_M - 1, np.arange(len(depth_M))]
        return result


def _best_plan(
    answers_SMK: Floats, labels_M: Indices, folds_M: Indices, costs: Sequence[Cost]
) -> _Plan:
    plans = (_plan(order, answers_SMK, labels_M, folds_M, costs) for order in _orders(costs))
    return min(plans, key=lambda plan: plan.seconds)


def _orders(costs: Sequence[Cost]) -> Iterator[tuple[int, ...]]:
    """Yield each member first, the others after it by cost."""
    by_cost = sorted(range(len(costs)), key=lambda i: costs[i].seconds)
    for first in by_cost:
        yield (first, *(i for i in by_cost if i != first))


def _plan(
    order: tuple[int, ...],
    answers_SMK: Floats,
    labels_M: Indices,
    folds_M: Indices,
    costs: Sequence[Cost],
) -> _Plan:
    """Fit the pool of each stage, then lower the thresholds while no accuracy is lost."""
    pools = tuple(
        fit_log_pool(answers_SMK[list(order[: t + 1])], labels_M, folds_M)
        for t in range(len(order))
    )
    stages_TMK = _out_of_fold_stages(order, answers_SMK, labels_M, folds_M)
    thresholds_T = _thresholds(stages_TMK, labels_M)
    depth_M = _depth(stages_TMK, thresholds_T)
    steps = np.cumsum([seconds_a_clip([costs[i]]) for i in order])
    return _Plan(order, pools, thresholds_T, float(steps[depth_M - 1].mean()))


def _out_of_fold_stages(
    order: tuple[int, ...], answers_SMK: Floats, labels_M: Indices, folds_M: Indices
) -> Floats:
    """Return each stage's answers [T, M, K] by pools that were fitted without the clip's fold."""
    out_TMK = np.empty((len(order), *answers_SMK.shape[1:]), np.float32)
    for fold in np.unique(folds_M):
        train, test = folds_M != fold, folds_M == fold
        for t in range(len(order)):
            asked = list(order[: t + 1])
            pool = fit_log_pool(answers_SMK[asked][:, train], labels_M[train], folds_M[train])
            out_TMK[t, test] = pool.combine(answers_SMK[asked][:, test])
    return out_TMK


def _thresholds(stages_TMK: Floats, labels_M: Indices) -> Floats:
    """Lower the thresholds, stage by stage, as long as the last stage's accuracy is kept.

    They stop at the first loss: a lower one that happens to make up for it is luck.
    """
    wanted = _accuracy(stages_TMK[-1], labels_M)
    thresholds_T = np.full(len(stages_TMK) - 1, _NEVER, np.float32)
    for t in range(len(thresholds_T)):
        for threshold in _candidates(stages_TMK[t]):
            lowered_T = thresholds_T.copy()
            lowered_T[t] = threshold
            depth_M = _depth(stages_TMK, lowered_T)
            answer_MK = stages_TMK[depth_M - 1, np.arange(len(depth_M))]
            if _accuracy(answer_MK, labels_M) < wanted:
                break
            thresholds_T = lowered_T
    return thresholds_T


def _candidates(answer_MK: Floats) -> NDArray[np.floating]:
    """Return thresholds to try, descending."""
    confidence_M = np.unique(np.exp(answer_MK.max(axis=1)))[::-1]
    places = np.unique(np.linspace(0, len(confidence_M) - 1, _STEPS).astype(int))
    return np.asarray(confidence_M[places])


def _stages(order: tuple[int, ...], pools: Sequence[LogPool], answers_SMK: Floats) -> Floats:
    return np.stack(
        [pool.combine(answers_SMK[list(order[: t + 1])]) for t, pool in enumerate(pools)]
    )


def _depth(stages_TMK: Floats, thresholds_T: Floats) -> Indices:
    """Return at which stage each clip leaves, [M], from 1."""
    sure_TM = stages_TMK[:-1].max(axis=2) >= np.log(thresholds_T)[:, None]
    last = np.full(sure_TM.shape[1], len(stages_TMK))
    return np.where(sure_TM.any(axis=0), sure_TM.argmax(axis=0) + 1, last).astype(np.int64)


def _accuracy(answer_MK: Floats, labels_M: Indices) -> float:
    return float((answer_MK.argmax(axis=1) == labels_M).mean())

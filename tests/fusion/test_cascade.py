"""A cascade asks its cheap member first, and the others only where that is unsure."""

from __future__ import annotations

import numpy as np
import pytest

from vidfit.contracts import Cost
from vidfit.fitted import StagedFusion
from vidfit.fusion import Member, Training, fit_method, restore
from vidfit.fusion.linear import cross_fit

CLIPS, CLASSES = 200, 4
CHEAP, DEAR = Cost(0.01, 0.01), Cost(0.01, 0.2)


def knows(labels_M, classes, rng, noise=0.25):
    hot_MK = np.eye(CLASSES)[labels_M] * np.isin(np.arange(CLASSES), classes)
    return (hot_MK + noise * rng.normal(size=hot_MK.shape)).astype(np.float32)


def trained(blocks, labels_M, costs):
    folds_M = np.arange(len(labels_M)) // CLASSES % 5
    members = [
        Member(block, *cross_fit([block], labels_M, folds_M), cost)
        for block, cost in zip(blocks, costs, strict=True)
    ]
    return Training(tuple(members), labels_M, folds_M)


def problem(rng, costs=(CHEAP, DEAR)):
    """The first knows two of four classes; the second knows all."""
    labels_M = np.arange(CLIPS) % CLASSES
    blocks = [knows(labels_M, (0, 1), rng), knows(labels_M, (0, 1, 2, 3), rng)]
    return blocks, labels_M, fit_method("cascade", trained(blocks, labels_M, costs))


def accuracy(answer_MK, labels_M):
    return float((answer_MK.argmax(axis=1) == labels_M).mean())


def test_sure_clips_leave_early_at_no_loss_on_new_clips(rng):
    _, labels_M, fitted = problem(rng)
    assert fitted.used == (0, 1)
    new = [knows(labels_M, (0, 1), rng), knows(labels_M, (0, 1, 2, 3), rng)]
    depth_M = fitted.fusion.depth(new)
    known = np.isin(labels_M, (0, 1))
    assert (depth_M[known] == 1).mean() > 0.8
    assert (depth_M[~known] == 2).mean() > 0.8
    whole_MK = fitted.fusion._by_stage(new)[-1]
    answer_MK = fitted.fusion.log_probabilities(new)
    assert accuracy(answer_MK, labels_M) > accuracy(whole_MK, labels_M) - 0.03


def test_the_cheaper_of_equal_members_goes_first(rng):
    labels_M = np.arange(CLIPS) % CLASSES
    blocks = [knows(labels_M, (0, 1, 2, 3), rng, 0.4) for _ in range(2)]
    for costs, first in (((CHEAP, DEAR), 0), ((DEAR, CHEAP), 1)):
        fitted = fit_method("cascade", trained(blocks, labels_M, costs))
        assert fitted.used[0] == first


def test_times_that_load_disturbs_change_no_order(rng):
    labels_M = np.arange(CLIPS) % CLASSES
    blocks = [knows(labels_M, (0, 1, 2, 3), rng, 0.4) for _ in range(3)]
    seconds = np.array([0.05, 0.06, 0.07])
    orders = set()
    for factors in ((1, 1, 1), (1.2, 0.9, 1), (0.9, 1.1, 0.8)):
        costs = [
            Cost(0.01, s, gmacs=g) for s, g in zip(seconds * factors, (0.5, 0.4, 0.3), strict=True)
        ]
        orders.add(fit_method("cascade", trained(blocks, labels_M, costs)).used)
    assert orders == {(2, 1, 0)}


def test_a_member_without_knowledge_lets_nothing_pass(rng):
    labels_M = np.arange(CLIPS) % CLASSES
    blocks = [rng.normal(size=(CLIPS, 3)).astype(np.float32), knows(labels_M, (0, 1, 2, 3), rng)]
    fitted = fit_method("cascade", trained(blocks, labels_M, (CHEAP, Cost(0.01, 0.02))))
    assert fitted.used[0] == 1


def test_one_clip_at_a_time_asks_the_same_members_for_the_same_answer(rng):
    blocks, _, fitted = problem(rng)
    fusion = fitted.fusion
    assert isinstance(fusion, StagedFusion)
    depth_M, whole_MK = fusion.depth(blocks), fusion.log_probabilities(blocks)
    for clip in range(0, CLIPS, 7):
        asked: list = [None, None]
        while more := fusion.wanted(asked):
            for i in more:
                asked[i] = blocks[i][clip : clip + 1]
        assert sum(block is not None for block in asked) == depth_M[clip]
        np.testing.assert_allclose(
            fusion.log_probabilities(asked), whole_MK[clip : clip + 1], atol=1e-5
        )
        assert fusion.novelty(asked) == pytest.approx(fusion.novelty(blocks)[clip], rel=1e-4)


def test_nobody_asked_is_an_error(rng):
    _, _, fitted = problem(rng)
    with pytest.raises(ValueError, match="must be asked"):
        fitted.fusion.novelty([None, None])


def test_of_many_members_the_last_stage_asks_all_that_are_left(rng):
    labels_M = np.arange(CLIPS) % CLASSES
    blocks = [knows(labels_M, (0, 1, 2, 3), rng, 0.7) for _ in range(9)]
    training = trained(blocks, labels_M, [Cost(0.01, 0.01 * (1 + i)) for i in range(9)])
    fitted = fit_method("cascade", training)
    cascade = fitted.fusion
    assert isinstance(cascade, StagedFusion)
    assert [len(stage) for stage in cascade.stages] == [1, 1, 7]
    in_order = [blocks[i] for i in fitted.used]
    assert set(cascade.depth(in_order)) <= {1, 2, 3}
    asked: list = [in_order[0][:1], in_order[1][:1], *[None] * 7]
    assert cascade.wanted(asked) in ((), cascade.stages[2])
    restored = restore("cascade", cascade.state())
    np.testing.assert_array_equal(
        restored.log_probabilities(in_order), cascade.log_probabilities(in_order)
    )

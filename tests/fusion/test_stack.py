"""A stack trusts a member for what it can do on clips that it has not seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vidfit.fusion import Member, Training, restore
from vidfit.fusion.linear import cross_fit
from vidfit.fusion.stack import fit_stack

CLIPS, CLASSES = 120, 3


def training_on(blocks, labels_M, folds_M):
    members = [Member(block, *cross_fit([block], labels_M, folds_M)) for block in blocks]
    return Training(tuple(members), labels_M, folds_M)


def stacked(blocks, labels_M, folds_M):
    fitted = fit_stack(training_on(blocks, labels_M, folds_M))
    assert fitted.used == tuple(range(len(blocks)))
    return fitted.fusion, fitted.out_of_fold_MK


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(name="labels_M")
def _labels():
    return np.arange(CLIPS) % CLASSES


@pytest.fixture(name="folds_M")
def _folds(rng):
    return rng.permutation(CLIPS) % 5


def signal(labels_M, rng, seen=(0, 1, 2), noise=0.7):
    """Features that tell the classes in ``seen`` apart from the others."""
    hot_MK = np.eye(CLASSES)[labels_M] * np.isin(np.arange(CLASSES), seen)
    return (hot_MK + noise * rng.normal(size=hot_MK.shape)).astype(np.float32)


def accuracy(answer_MK, labels_M):
    return float((answer_MK.argmax(axis=1) == labels_M).mean())


def test_members_that_know_different_things_are_better_together(rng, labels_M, folds_M):
    blocks = [signal(labels_M, rng, (0,), 0.3), signal(labels_M, rng, (1,), 0.3)]
    _, out_MK = stacked(blocks, labels_M, folds_M)
    alone = [accuracy(cross_fit([b], labels_M, folds_M)[1], labels_M) for b in blocks]
    assert accuracy(out_MK, labels_M) > max(alone) + 0.1


def test_a_memoriser_is_not_trusted(rng, labels_M, folds_M):
    """Its in-sample answers are perfect; on other clips it knows nothing."""
    good = signal(labels_M, rng)
    memoriser = rng.normal(size=(CLIPS, 2000)).astype(np.float32)
    in_sample, _ = cross_fit([memoriser], labels_M, folds_M, penalties=(100.0,))
    assert accuracy(in_sample.log_probabilities([memoriser]), labels_M) == 1.0
    _, out_MK = stacked([good, memoriser], labels_M, folds_M)
    alone = accuracy(cross_fit([good], labels_M, folds_M)[1], labels_M)
    assert accuracy(out_MK, labels_M) > alone - 0.05


def test_on_random_labels_a_stack_stays_at_chance(rng, folds_M):
    random_M = rng.integers(0, CLASSES, CLIPS)
    memoriser = np.eye(CLIPS, dtype=np.float32)  # a feature of its own for each clip
    noise = rng.normal(size=(CLIPS, 500)).astype(np.float32)
    _, out_MK = stacked([memoriser, noise], random_M, folds_M)
    chance, deviation = 1 / CLASSES, np.sqrt(2 / 9 / CLIPS)
    assert abs(accuracy(out_MK, random_M) - chance) < 3 * deviation


def test_its_own_answers_are_out_of_fold_too(rng, labels_M, folds_M):
    """Labels of a fold have no part in the stack's answers to it, given the members'."""
    blocks = [signal(labels_M, rng, (0, 1)), signal(labels_M, rng, (2,))]
    training = training_on(blocks, labels_M, folds_M)
    out_MK = fit_stack(training).out_of_fold_MK
    other_M = np.where(folds_M == 1, (labels_M + 1) % CLASSES, labels_M)
    moved_MK = fit_stack(replace(training, labels_M=other_M)).out_of_fold_MK
    np.testing.assert_array_equal(moved_MK[folds_M == 1], out_MK[folds_M == 1])
    assert not np.array_equal(moved_MK[folds_M != 1], out_MK[folds_M != 1])


def test_answers_are_log_probabilities(rng, labels_M, folds_M):
    blocks = [signal(labels_M, rng), signal(labels_M, rng, (1,))]
    stack, out_MK = stacked(blocks, labels_M, folds_M)
    for answer_MK in (out_MK, stack.log_probabilities(blocks)):
        assert answer_MK.shape == (CLIPS, CLASSES)
        np.testing.assert_allclose(np.exp(answer_MK).sum(axis=1), 1.0, atol=1e-5)


def test_state_and_restore_round_trip(rng, labels_M, folds_M):
    blocks = [signal(labels_M, rng), signal(labels_M, rng, (1,)), signal(labels_M, rng, (2,))]
    stack, _ = stacked(blocks, labels_M, folds_M)
    restored = restore("log-pool", stack.state())
    np.testing.assert_array_equal(
        restored.log_probabilities(blocks), stack.log_probabilities(blocks)
    )
    np.testing.assert_array_equal(restored.novelty(blocks), stack.novelty(blocks))
    assert stack.novelty(blocks).mean() == pytest.approx(1.0, abs=1e-3)


def test_another_number_of_blocks_is_refused(rng, labels_M, folds_M):
    blocks = [signal(labels_M, rng), signal(labels_M, rng, (1,))]
    stack, _ = stacked(blocks, labels_M, folds_M)
    with pytest.raises(ValueError, match="shorter"):
        stack.log_probabilities(blocks[:1])

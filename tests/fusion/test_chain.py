"""In a chain the last member sees the answers of the others."""

from __future__ import annotations

import numpy as np
import pytest

from vidfit.fusion import fit_method, restore
from vidfit.fusion.chain import Chain
from vidfit.fusion.nested import without_fold
from vidfit.testing import training_on

CLIPS = 120


def problem(seed=0):
    """Labels are two bits: the first member sees one, the second whether they are equal."""
    rng = np.random.default_rng(seed)
    labels_M = np.arange(CLIPS) % 4
    first_M, second_M = labels_M // 2, labels_M % 2
    seen = [first_M[:, None], (first_M == second_M)[:, None]]
    tokens = [(x_M1 + 0.5 * rng.normal(size=(CLIPS, 1)))[:, None] for x_M1 in seen]
    tokens = [part.astype(np.float32) for part in tokens]
    return training_on(tokens, labels_M, rng.permutation(CLIPS) % 5)


@pytest.fixture(scope="module", name="fitted")
def _fitted():
    training = problem()
    return training, fit_method("chain", training).fusion


def test_answers_are_those_of_the_receiver_given_the_others(fitted):
    training, chain = fitted
    assert isinstance(chain, Chain)
    giver = 1 - chain.receiver
    answer_MK = training.members[giver].probe.log_probabilities([training.blocks[giver]])
    inputs = [training.blocks[chain.receiver], np.maximum(answer_MK, -8.0)]
    np.testing.assert_array_equal(
        chain.log_probabilities(training.blocks), chain.probe.log_probabilities(inputs)
    )


def test_the_receiver_is_the_one_of_the_lower_loss():
    """Noise learns little from a good member; a good member loses little by noise."""
    rng = np.random.default_rng(0)
    labels_M = np.arange(CLIPS) % 3
    good = (np.eye(3)[labels_M] + 0.5 * rng.normal(size=(CLIPS, 3)))[:, None]
    noise = rng.normal(size=(CLIPS, 1, 300))
    folds_M = rng.permutation(CLIPS) % 5
    for tokens, expected in (((good, noise), 0), ((noise, good), 1)):
        parts = [part.astype(np.float32) for part in tokens]
        assert (
            fit_method("chain", training_on(parts, labels_M, folds_M)).fusion.receiver == expected
        )


def test_novelty_is_the_mean_of_the_members(fitted):
    training, chain = fitted
    expected_M = np.mean([m.probe.novelty([m.vectors_MD]) for m in training.members], axis=0)
    np.testing.assert_allclose(chain.novelty(training.blocks), expected_M, rtol=1e-5)


def test_a_state_without_the_receiver_is_refused(fitted):
    state = fitted[1].state()
    del state["receiver_1"]
    with pytest.raises(KeyError, match="receiver_1"):
        restore("chain", state)


def test_training_without_a_fold_has_never_seen_its_labels():
    training = problem()
    part = without_fold(training, 2)
    kept = training.folds_M != 2
    labels_M = np.where(kept, training.labels_M, (training.labels_M + 1) % 4)
    other = without_fold(
        training_on(
            [m.vectors_MD[:, None, :1] for m in training.members], labels_M, training.folds_M
        ),
        2,
    )
    assert set(part.folds_M.tolist()) == {0, 1, 3, 4}
    assert len(part.labels_M) == kept.sum()
    np.testing.assert_array_equal(part.answers_SMK, other.answers_SMK)


def test_two_folds_cannot_be_nested_and_keep_the_answers():
    training = problem()
    halves = training_on(
        [m.vectors_MD[:, None, :1] for m in training.members],
        training.labels_M,
        training.folds_M % 2,
    )
    part = without_fold(halves, 0)
    np.testing.assert_array_equal(part.answers_SMK, halves.answers_SMK[:, halves.folds_M == 1])

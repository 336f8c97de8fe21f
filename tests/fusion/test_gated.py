"""The gate's gradient, its closed forms, and clips on which members take turns to be right."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from vidfit.fusion import fit_method
from vidfit.fusion.gated import DIMENSIONS, fit_gate, gate_loss, mixed
from vidfit.testing import training_on


def taking_turns(clips=400, seed=0):
    """Each clip is seen by one member only; a dimension of the first tells by which."""
    rng = np.random.default_rng(seed)
    labels_M, turn_M = rng.integers(0, 3, clips), rng.integers(0, 2, clips)
    tokens = []
    for member in range(2):
        centres_KD = 2.5 * rng.normal(size=(3, 5))
        shown_M = np.where(turn_M == member, labels_M, rng.integers(0, 3, clips))
        seen_MD = centres_KD[shown_M] + rng.normal(size=(clips, 5))
        marker_M1 = (member == 0) * 4.0 * (2 * turn_M[:, None] - 1)
        tokens.append(np.concatenate([seen_MD, marker_M1], axis=1)[:, None].astype(np.float32))
    return training_on(tokens, labels_M, np.arange(clips) % 5), turn_M


def accuracy(answer_MK, labels_M):
    return float((answer_MK.argmax(axis=1) == labels_M).mean())


def test_the_gradient_is_that_of_finite_differences():
    rng = np.random.default_rng(0)
    z_MR, log_p_MS = rng.normal(size=(30, 4)), -rng.exponential(2.0, size=(30, 3))
    parameters = rng.normal(size=15)
    _, gradient = gate_loss(parameters, z_MR, log_p_MS)
    expected = approx_fprime(parameters, lambda x: gate_loss(x, z_MR, log_p_MS)[0], 1e-7)
    np.testing.assert_allclose(gradient, expected, atol=1e-6)  # the error of differences


def test_the_mixture_is_the_weighted_sum_of_probabilities():
    rng = np.random.default_rng(0)
    gates_MS = rng.dirichlet(np.ones(2), 20)
    answers_SMK = rng.dirichlet(np.ones(4), (2, 20))
    expected_MK = np.einsum("ms,smk->mk", gates_MS, answers_SMK)
    found_MK = mixed(np.log(gates_MS), np.log(answers_SMK))
    np.testing.assert_allclose(np.exp(found_MK), expected_MK, rtol=1e-5)


def test_it_believes_the_member_whose_turn_it_is():
    training, turn_M = taking_turns()
    gates_MS = np.exp(fit_gate(training).log_probabilities(training.blocks))
    assert gates_MS[turn_M == 0, 0].mean() > 0.75
    assert gates_MS[turn_M == 1, 1].mean() > 0.75


def test_it_beats_fixed_weights_where_members_take_turns():
    training, _ = taking_turns()
    found = [
        accuracy(fit_method(method, training).out_of_fold_MK, training.labels_M)
        for method in ("gated", "stack")
    ]
    assert found[0] > found[1] + 0.05


def test_without_a_mark_of_the_turn_the_members_weigh_the_same():
    training, _ = taking_turns()
    members = tuple(training.members[i] for i in (1, 1))
    gates_MS = np.exp(
        fit_gate(type(training)(members, training.labels_M, training.folds_M)).log_probabilities(
            [member.vectors_MD for member in members]
        )
    )
    np.testing.assert_allclose(gates_MS, 0.5, atol=1e-4)


@pytest.mark.parametrize("dim", [5, 60])
def test_the_gate_sees_few_dimensions_of_a_member(dim):
    rng = np.random.default_rng(0)
    tokens = [rng.normal(size=(120, 2, dim)).astype(np.float32) for _ in range(2)]
    gate = fit_gate(training_on(tokens, np.arange(120) % 2, np.arange(120) % 5))
    first_SD = gate.weight_KD[:, : 3 * dim]
    assert gate.weight_KD.shape == (2, 6 * dim)
    assert np.linalg.matrix_rank(first_SD) <= min(DIMENSIONS, 2)
    assert np.isfinite(gate.weight_KD).all()

"""The arrays answer as the torch network does, and learn what no pooled vector can tell."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from vidfit.features.pool import STEPS
from vidfit.fusion import attention_fit, fit_method
from vidfit.fusion.attention import fit_attention
from vidfit.fusion.attention_fit import Network, Schedule, components, fit_steps, trained
from vidfit.testing import training_on

SHORT = Schedule(epochs=1, least_updates=10)


def noise(clips=60, dims=(3, 50), seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(clips, STEPS * dim)).astype(np.float32) for dim in dims]


def order_of_patterns(clips=400, frames=STEPS):
    """Each member sees its pattern once; the class is whether the first one's comes first."""
    rng = np.random.default_rng(0)
    time_M2 = np.array([rng.permutation(frames)[:2] for _ in range(clips)])
    tokens = []
    for member, dim in enumerate((12, 20)):
        seen_MTD = rng.normal(size=(clips, frames, dim))
        seen_MTD[np.arange(clips), time_M2[:, member]] += 2.5 * rng.normal(size=dim)
        tokens.append(seen_MTD.astype(np.float32))
    labels_M = (time_M2[:, 0] < time_M2[:, 1]).astype(int)
    return training_on(tokens, labels_M, np.arange(clips) % 5)


def accuracy(answer_MK, labels_M):
    return float((answer_MK.argmax(axis=1) == labels_M).mean())


@pytest.mark.parametrize("classes", [2, 5])
def test_equal_to_torch(classes, monkeypatch):
    kept = []
    monkeypatch.setattr(
        attention_fit, "trained", lambda *args: kept.append(trained(*args)) or kept[0]
    )
    blocks, labels_M = noise(), np.arange(60) % classes
    fusion = fit_steps(blocks, labels_M, classes, SHORT)
    tokens = [
        torch.from_numpy(
            encoder.standardised(block).reshape(60, STEPS, -1)
            @ components(encoder.standardised(block).reshape(60, STEPS, -1))
        )
        for encoder, block in zip(fusion.encoders, blocks, strict=True)
    ]
    with torch.no_grad():
        expected_MK = torch.log_softmax(kept[0](tokens), dim=1).numpy()
    # Sums of float32 in another order.
    np.testing.assert_allclose(fusion.log_probabilities(blocks), expected_MK, atol=1e-5)


def test_it_tells_which_member_fires_first_which_no_pooled_vector_can():
    training = order_of_patterns()
    found = {
        method: accuracy(fit_method(method, training).out_of_fold_MK, training.labels_M)
        for method in ("attention", "concat", "stack")
    }
    assert found["attention"] > 0.75
    assert found["concat"] < 0.6
    assert found["stack"] < 0.6


def test_shuffled_in_time_that_is_lost():
    training = order_of_patterns()
    rng = np.random.default_rng(1)
    members = []
    for member in training.members:
        steps_MTD = member.steps_MX.reshape(len(member.steps_MX), STEPS, -1)
        shuffled_MTD = rng.permuted(steps_MTD, axis=1)
        members.append(replace(member, steps_MX=shuffled_MTD.reshape(member.steps_MX.shape)))
    found = fit_attention(replace(training, members=tuple(members)))
    assert accuracy(found.out_of_fold_MK, training.labels_M) < 0.6


def test_components_are_those_of_the_singular_values():
    x_MTD = noise(dims=(50,))[0].reshape(60, STEPS, 50) * np.linspace(1, 10, 50, dtype=np.float32)
    z_MTR = x_MTD @ components(x_MTD)
    assert z_MTR.shape == (60, STEPS, attention_fit.COMPONENTS)
    assert (z_MTR**2).mean() == pytest.approx(1.0, rel=1e-4)
    exact_R = np.linalg.svd(x_MTD.reshape(-1, 50), compute_uv=False)[: attention_fit.COMPONENTS]
    found_R = np.linalg.norm(z_MTR.reshape(-1, z_MTR.shape[2]), axis=0)
    # They are found by random projections, which are exact for spectra that fall.
    np.testing.assert_allclose(found_R / found_R[0], exact_R / exact_R[0], rtol=0.03)


def test_few_clips_of_few_dimensions_are_fitted():
    fusion = fit_steps(noise(clips=4, dims=(1, 2)), np.array([0, 1, 0, 1]), 2, SHORT)
    answer_MK = fusion.log_probabilities(noise(clips=7, dims=(1, 2), seed=1))
    np.testing.assert_allclose(np.exp(answer_MK).sum(axis=1), 1.0, atol=1e-5)


def test_steps_that_never_change_say_nothing():
    blocks, labels_M = noise(), np.arange(60) % 2
    blocks[0][:] = 3.0
    fusion = fit_steps(blocks, labels_M, 2, SHORT)
    np.testing.assert_array_equal(
        fusion.log_probabilities([blocks[0] + 5.0, blocks[1]]), fusion.log_probabilities(blocks)
    )


def test_classes_without_a_clip_are_never_answered():
    fusion = fit_steps(noise(), np.arange(60) % 2 + 1, 4, SHORT)
    answer_MK = fusion.log_probabilities(noise(seed=1))
    assert answer_MK.shape == (60, 4)
    assert np.exp(answer_MK[:, [0, 3]]).max() < 1e-12


def test_fitting_leaves_the_random_state_of_torch_alone():
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    fit_steps(noise(), np.arange(60) % 2, 2, SHORT)
    assert torch.equal(torch.rand(3), expected)


def test_updates_grow_with_the_clips_from_a_least_number():
    schedule = Schedule(epochs=10, least_updates=50, batch_clips=20)
    assert [schedule.updates(clips) for clips in (40, 100, 101)] == [50, 50, 60]


def test_a_network_starts_unsure():
    torch.manual_seed(0)
    logits_MK = Network([3, 4], 5, 0.0)([torch.randn(9, STEPS, rank) for rank in (3, 4)])
    assert torch.softmax(logits_MK, dim=1).max() < 0.9


def test_members_without_steps_are_refused():
    training = order_of_patterns(clips=20)
    first, second = training.members
    without = replace(training, members=(first, replace(second, steps_MX=None)))
    with pytest.raises(ValueError, match="1 of 2 members lack; give each Member its steps_MX"):
        fit_attention(without)

"""A trained network comes back from arrays as it was, and nothing else is let in."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from safetensors.numpy import load, save

from vidfit.errors import ModelError
from vidfit.features.pool import STEPS
from vidfit.fitted import FittedFusion
from vidfit.networks import Shape, build
from vidfit.networks.clips import Clips
from vidfit.networks.head import NetworkHead, restore, standard_tokens, standards

SHAPE = Shape(dim=5, tokens=STEPS, classes=3, width=8, layers=1, heads=2)


def steps(clips=40, seed=0):
    rng = np.random.default_rng(seed)
    return (3.0 + 2.0 * rng.normal(size=(clips, STEPS * 5))).astype(np.float32)


def head(name="transformer", shape=SHAPE):
    torch.manual_seed(0)
    return NetworkHead.of(name, shape, build(name, shape), *standards(steps(), 5))


def test_answers_as_the_network_on_standardised_steps():
    fitted, block_MX = head(), steps(7, seed=1)
    tokens_MND = (block_MX.reshape(7, STEPS, 5) - steps().reshape(-1, 5).mean(0)) / (
        steps().reshape(-1, 5).std(0)
    )
    with torch.no_grad():
        expected = torch.log_softmax(fitted.module(Clips(torch.from_numpy(tokens_MND))), dim=1)
    answer_MK = fitted.log_probabilities([block_MX])
    assert isinstance(fitted, FittedFusion)
    assert answer_MK.dtype == np.float32
    np.testing.assert_allclose(answer_MK, expected.numpy(), atol=1e-5)
    np.testing.assert_allclose(np.exp(answer_MK).sum(axis=1), 1.0, atol=1e-5)


def test_novelty_is_1_on_training_clips_and_grows_with_the_distance():
    fitted = head()
    assert fitted.novelty([steps()]).mean() == pytest.approx(1.0, rel=1e-4)
    # Three deviations off: 1 + 9 on average.
    assert fitted.novelty([steps() + 6.0]).mean() == pytest.approx(10.0, rel=0.05)


def test_a_feature_that_never_changes_says_nothing():
    block_MX = steps()
    block_MX.reshape(-1, 5)[:, 2] = 4.0
    mean_D, scale_D = standards(block_MX, 5)
    assert scale_D[2] == 0 and (scale_D[[0, 1, 3, 4]] > 0).all()
    fitted = NetworkHead.of("mean", SHAPE, build("mean", SHAPE), mean_D, scale_D)
    assert fitted.novelty([block_MX]).mean() == pytest.approx(1.0, rel=1e-4)
    other_MX = block_MX.copy()
    other_MX.reshape(-1, 5)[:, 2] = 1e6
    np.testing.assert_array_equal(
        fitted.log_probabilities([other_MX]), fitted.log_probabilities([block_MX])
    )


@pytest.mark.parametrize("name", ["lstm", "encoder-decoder"])
def test_comes_back_from_safetensors_unchanged(name):
    fitted = head(name)
    random_state = torch.random.get_rng_state()
    again = restore(load(save(fitted.state())))
    assert (again.name, again.shape) == (name, SHAPE)
    assert torch.equal(torch.random.get_rng_state(), random_state)
    for ask in ("log_probabilities", "novelty"):
        np.testing.assert_array_equal(
            getattr(again, ask)([steps(3)]), getattr(fitted, ask)([steps(3)])
        )


def test_training_on_does_not_change_the_head():
    module = build("transformer", SHAPE)
    fitted = NetworkHead.of("transformer", SHAPE, module, *standards(steps(), 5))
    before_MK = fitted.log_probabilities([steps(3)])
    module.train()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(1.0)
    np.testing.assert_array_equal(fitted.log_probabilities([steps(3)]), before_MK)


# ---------------------------------------------------------------- what is refused


def named(**changes):
    facts = {"name": "transformer", "shape": json.loads(bytes(head().state()["network"]))["shape"]}
    text = json.dumps(facts | changes).encode()
    return {**head().state(), "network": np.frombuffer(text, np.uint8)}


def without(key):
    return {name: array for name, array in head().state().items() if name != key}


SHAPE_FACTS = json.loads(bytes(head().state()["network"]))["shape"]


@pytest.mark.parametrize(
    ("state", "complaint"),
    [
        (named(name="oracle"), "network 'oracle'; known over tokens are mean, "),
        (named(shape={"dim": 5}), "does not say which network it is"),
        (named(shape=SHAPE_FACTS | {"depth": 5}), "does not say which network it is .*depth"),
        (named(shape=SHAPE_FACTS | {"tokens": 4}), "made for 4 tokens; a head is shown 8"),
        (named(shape=SHAPE_FACTS | {"heads": 3}), "cannot be built: .*does not divide"),
        (named(shape=SHAPE_FACTS | {"classes": 4}), r"'answer.2.bias' is \(3,\), expected \(4,\)"),
        (without("weights.stem.1.bias"), "'stem.1.bias' is missing, expected"),
        (without("network"), "does not say which network it is"),
        (without("mean_D"), "does not say which network it is"),
        ({**head().state(), "weights.more": np.zeros(2, np.float32)}, "'more' is .* nothing"),
        ({**head().state(), "mean_D": np.zeros(4, np.float32)}, r"Means \(4,\) .* 5 features"),
        (
            {**head().state(), "network": np.frombuffer(b"\x80\x04}.", np.uint8)},
            "does not say which network it is",
        ),
    ],
)
def test_arrays_that_are_no_head_are_refused(state, complaint):
    with pytest.raises(ModelError, match=complaint):
        restore(state)


def test_blocks_of_another_backbone_are_refused():
    for blocks in ([steps()[:, :-1]], [steps(), steps()], []):
        with pytest.raises(ModelError, match=r"takes one block \[M, 40\], 8 steps of 5 features"):
            head().log_probabilities(blocks)


def test_a_clip_that_lacks_what_the_encoder_sees_stands_at_the_mean():
    steps_MX = steps(8)
    mean_D, scale_D = standards(steps_MX, SHAPE.dim)
    steps_MX = np.vstack([steps_MX, np.full((1, steps_MX.shape[1]), np.nan, np.float32)])
    assert all(
        np.array_equal(a, b)
        for a, b in zip(standards(steps_MX, SHAPE.dim), (mean_D, scale_D), strict=True)
    )
    tokens_MND = standard_tokens(steps_MX.reshape(9, STEPS, SHAPE.dim), mean_D, scale_D)
    assert (tokens_MND[8] == 0).all() and np.isfinite(tokens_MND).all()

"""Networks that forecast: shapes, what they begin as, and the past that they go by."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vidfit.errors import ModelError, VidfitError
from vidfit.pixels.forecast.candidates import CANDIDATES, ForecastSizes, sizes_of
from vidfit.pixels.forecast.forecaster import logits_of
from vidfit.pixels.forecast.trainee import ForecastRecipe, ForecastTrainee
from vidfit.pixels.learn import StepBudget, learn


@pytest.mark.parametrize("name", CANDIDATES)
@pytest.mark.parametrize("seen", [1, 3])
def test_says_as_many_frames_as_asked_whatever_was_seen(name, seen):
    network = ForecastSizes(name, 16, seen, 2).build().eval()
    frames = torch.rand(2, seen, 16, 16)
    with torch.no_grad():
        assert network(frames, 2).shape == (2, 2, 16, 16)
        assert network(frames, 5).shape == (2, 5, 16, 16)


@pytest.mark.parametrize("name", CANDIDATES)
def test_one_that_copies_begins_as_the_last_frame(name):
    network = ForecastSizes(name, 16, 4, 3, copies=True).build().eval()
    frames = torch.rand(2, 4, 16, 16)
    with torch.no_grad():
        said = network(frames, 3)
    assert torch.allclose(said, logits_of(frames[:, -1:]).expand_as(said), atol=1e-4)


@pytest.mark.parametrize("name", CANDIDATES)
def test_one_that_copies_leaves_what_does_not_move_whatever_it_has_learned(name):
    network = ForecastSizes(name, 32, 4, 2, copies=True).build().eval()
    frames = torch.rand(2, 1, 32, 32).repeat(1, 4, 1, 1)
    frames[:, :3, :4, :4] = 0.0
    with torch.no_grad():
        for weight in network.parameters():
            weight.copy_(torch.randn_like(weight))
        said, last = network(frames, 2)[:, 0], logits_of(frames[:, -1])
    assert torch.allclose(said[:, 8:, 8:], last[:, 8:, 8:], atol=1e-3)
    assert not torch.allclose(said[:, :4, :4], last[:, :4, :4], atol=1e-2)


@pytest.mark.parametrize("name", CANDIDATES)
def test_what_is_said_first_is_taught_by_the_frames_before_it(name):
    """The first frame ahead is the same whether frames ahead are told or not."""
    torch.manual_seed(0)
    network = ForecastSizes(name, 16, 4, 2).build().eval()
    frames = torch.rand(1, 6, 16, 16)
    with torch.no_grad():
        one, two = network(frames[:, :4], 1), network(frames[:, :4], 2)
        other = network(frames[:, 1:5], 1)
    assert torch.allclose(one[:, 0], two[:, 0], atol=1e-5)
    assert not torch.allclose(one, other, atol=1e-3)


def _trainee(seed=0, name="cnn-lstm-fc"):
    torch.manual_seed(seed)
    network = ForecastSizes(name, 16, 3, 2).build()

    def draw(rng, count):
        return rng.integers(0, 2, (count, 5, 16, 16), np.uint8) * 255

    return ForecastTrainee(network, draw, 3, ForecastRecipe(batch=2, rate=1e-3))


@pytest.mark.parametrize("name", CANDIDATES)
def test_a_killed_run_goes_on_to_the_bit(tmp_path, name):
    whole = _trainee(name=name)
    learn(whole, StepBudget(steps=9), run="r")
    asked = iter([False] * 5 + [True])
    stopped = learn(
        _trainee(name=name), StepBudget(steps=9), run="r", folder=tmp_path,
        stop=lambda: next(asked),
    )  # fmt: skip
    assert stopped is None
    again = _trainee(seed=7, name=name)
    learn(again, StepBudget(steps=9), run="r", folder=tmp_path)
    pairs = zip(whole.network.parameters(), again.network.parameters(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)


def test_both_kinds_of_step_are_measured_before_steps_are_counted():
    trainee, shares = _trainee(), []
    trainee.network.loss = lambda frames, seen, done: (
        shares.append(done), next(trainee.network.parameters()).sum()
    )[1]  # fmt: skip
    for step in range(8):
        trainee.step(np.random.default_rng(step), 0.0)
    assert sum(done < 0.6 for done in shares) == 5


@pytest.mark.parametrize(
    "change", [{"network": "gan"}, {"side_pixels": 33}, {"side_pixels": 8}, {"seen": 0}]
)
def test_sizes_that_no_network_has_are_refused(change):
    facts = {"network": "conv-lstm", "side_pixels": 32, "seen": 10, "ahead": 10, **change}
    with pytest.raises(VidfitError):
        ForecastSizes(**facts).check()
    with pytest.raises(ModelError):
        sizes_of(facts)
    with pytest.raises(ModelError):
        sizes_of({**facts, "seen": "ten"})

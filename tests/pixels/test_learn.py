"""Training within a budget: steps are counted, and an interrupted run goes on to the bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from vidfit.errors import NotEnoughDataError, StoreError
from vidfit.pixels.learn import Descent, Learned, StepBudget, learn


def _line(seed: int = 0) -> Descent:
    """Return a line that learns to double."""
    torch.manual_seed(seed)
    network = nn.Linear(1, 1)

    def loss(rng: np.random.Generator, done: float) -> Tensor:
        x = torch.from_numpy(rng.normal(size=(8, 1)).astype(np.float32))
        noise = 0.01 * torch.randn_like(x)
        found: Tensor = ((network(x) - 2 * x + noise) ** 2).mean()
        return found

    return Descent(network, loss, 0.05)


def test_a_network_learns() -> None:
    line = _line()
    found = learn(line, StepBudget(steps=400), run="r")
    assert isinstance(found, Learned)
    assert len(found.losses) == 400
    assert isinstance(line.network, nn.Linear)
    assert line.network.weight.item() == pytest.approx(2.0, abs=0.05)


def test_an_interrupted_run_goes_on_to_the_bit(tmp_path: Path) -> None:
    whole = _line()
    learn(whole, StepBudget(steps=30), run="r")
    asked = iter([False] * 11 + [True])
    assert learn(
        _line(), StepBudget(steps=30), run="r", folder=tmp_path, stop=lambda: next(asked)
    ) is (None)
    again = _line(seed=5)  # other weights, which the checkpoint replaces
    found = learn(again, StepBudget(steps=30), run="r", folder=tmp_path)
    assert found is not None
    assert len(found.losses) == 30
    for one, other in zip(whole.network.parameters(), again.network.parameters(), strict=True):
        assert torch.equal(one, other)


def test_the_budget_pays_the_steps(tmp_path: Path) -> None:
    found = learn(_line(), StepBudget(cpu_seconds=0.5), run="r", folder=tmp_path)
    assert found is not None
    assert 0.2 < found.cpu_seconds < 2.0
    again = learn(_line(), StepBudget(cpu_seconds=9.0), run="r", folder=tmp_path)
    assert again is not None
    assert again.losses == found.losses, "a run that is over is not begun again"


def test_a_budget_that_is_spent_at_once_takes_the_steps_that_measure_it() -> None:
    found = learn(_line(), StepBudget(cpu_seconds=1e-9), run="r")
    assert found is not None
    assert len(found.losses) == 10


def test_the_checkpoint_of_another_run_is_refused(tmp_path: Path) -> None:
    learn(_line(), StepBudget(steps=3), run="r", folder=tmp_path)
    with pytest.raises(StoreError, match="other clips, or another recipe"):
        learn(_line(), StepBudget(steps=3), run="s", folder=tmp_path)


def test_a_loss_that_is_no_number_ends_the_run() -> None:
    network = nn.Linear(1, 1)
    wrong = Descent(network, lambda rng, done: network.weight.sum() * float("nan"), 0.1)
    with pytest.raises(NotEnoughDataError, match="no number at step 0"):
        learn(wrong, StepBudget(steps=3), run="r")

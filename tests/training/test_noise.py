"""The noise scale against gradients whose noise is known."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from vidfit.training.noise import Gauge, Noise
from vidfit.training.order import deal

ALONE = SimpleNamespace(world=1, summed=lambda values: values)


def test_of_known_squares_it_is_their_formula():
    """|g_b|^2 = |G|^2 + S / b for batches of any size b."""
    noise = Noise().seen((4, 3.0 + 40.0 / 4), (32, 3.0 + 40.0 / 32))
    assert noise.clips == pytest.approx(40.0 / 3.0)
    again = noise.seen((8, 3.0 + 40.0 / 8), (64, 3.0 + 40.0 / 64))
    assert again.clips == pytest.approx(40.0 / 3.0)


def test_at_first_it_is_unknown_and_a_batch_of_one_size_tells_nothing():
    assert math.isnan(Noise().clips)
    assert math.isnan(Noise().seen((8, 1.0), (8, 1.0)).clips)


def test_without_any_signal_it_is_infinite_and_without_noise_zero():
    assert Noise().seen((4, 10.0), (40, 1.0)).clips == math.inf
    assert Noise().seen((4, 1.0), (40, 1.0)).clips == 0.0


def test_measured_on_a_linear_model_it_is_the_noise_of_its_gradients():
    """The gradient of mean(x_i . w) is mean(x_i): x_i ~ N(G, s^2), B_noise = D s^2 / |G|^2."""
    rng = np.random.default_rng(0)
    dim, deviation = 30, 2.0
    signal_D = rng.normal(size=dim) * 0.5
    expected = dim * deviation**2 / float(signal_D @ signal_D)
    model, noise = nn.Linear(dim, 1, bias=False), Noise()
    for _ in range(400):
        x_SD = torch.from_numpy(signal_D + deviation * rng.normal(size=(61, dim))).float()
        model.zero_grad()
        gauge = Gauge(model, ALONE)
        for micro in deal(np.arange(61), 0, (0.0, ()), (0, 1, 8)):
            (model(x_SD[micro.rows_B]).sum() / micro.step_clips).backward()
            gauge.see(micro)
        noise = noise.seen((gauge.clips, gauge.small), (61, gauge.large))
    assert gauge.clips == pytest.approx(61 / 8)
    # The averages remember some 20 steps: the signal is known to some 10 %.
    assert noise.clips == pytest.approx(expected, rel=0.25)


def test_clips_that_do_not_count_are_not_seen():
    model = nn.Linear(2, 1, bias=False)
    gauge = Gauge(model, ALONE)
    for micro in deal(np.arange(5), 0, (0.0, ()), (1, 2, 1)):  # the last is a dummy
        x_BD = torch.ones(len(micro.rows_B), 2) * torch.from_numpy(micro.counts_B)[:, None]
        (model(x_BD.float()).sum() / micro.step_clips).backward()
        gauge.see(micro)
    assert gauge.clips == 1.0
    assert gauge.small == pytest.approx(2.0)  # each clip's gradient is (1, 1)

from __future__ import annotations

import pytest
import torch
from benchmarks._allocator import allocated_bytes
from tests.planning.tiny import trainee
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode

from vidfit.planning.tracker import PeakTracker, held, without_numbers
from vidfit.planning.trial import take_steps
from vidfit.plans import Layout, Recipe

MIB = 2**20
A_MIB = 2**18  # float32


def test_what_is_freed_makes_room_and_views_cost_nothing():
    with PeakTracker() as tracker:
        first = torch.empty(A_MIB)
        view = first[:10]
        second = torch.empty(2 * A_MIB)
        del second
        third = torch.empty(A_MIB)
    assert tracker.live_bytes == 2 * MIB and tracker.peak_bytes == 3 * MIB
    del first, third
    assert tracker.live_bytes == MIB  # held by its view
    del view
    assert tracker.live_bytes == 0


def test_what_autograd_keeps_is_counted_until_the_backward_pass():
    weight = nn.Parameter(torch.ones(A_MIB))
    with PeakTracker([weight]) as tracker:
        loss = weight.exp().exp().sum()  # each keeps its result
        assert tracker.live_bytes == pytest.approx(3 * MIB, abs=100)
        loss.backward()
    assert tracker.live_bytes == pytest.approx(2 * MIB, abs=100)  # weight and gradient


@pytest.fixture
def one_thread():
    """Keep torch to one thread: each has room of its own in products of bf16."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize(
    ("layout", "tolerance"),
    [
        (Layout(1), 0.01),
        (Layout(6), 0.01),
        (Layout(3, accumulation=2), 0.01),
        # Products in bf16 copy their inputs into an order of their own.
        (Layout(4, precision="bf16"), 0.1),
    ],
    ids=["one", "six", "accumulated", "bf16"],
)
def test_shapes_alone_predict_what_the_allocator_reports(layout, tolerance):
    """The reference is torch's profiler, which sees each allocation of the real steps."""
    recipe = Recipe(ema=0.9)
    made = trainee({})
    mode = FakeTensorMode(allow_non_fake_inputs=True)
    without_numbers(made.network, mode)
    with mode, PeakTracker(held(made.network)) as tracker:
        take_steps(made, recipe, layout)
    real = allocated_bytes(trainee({}), recipe, layout)
    assert tracker.peak_bytes == pytest.approx(real, rel=tolerance)


def test_tied_weights_stay_tied_without_numbers():
    network = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    network[1].weight = network[0].weight
    without_numbers(network, FakeTensorMode())
    assert network[1].weight is network[0].weight
    assert len(list(network.parameters())) == 3

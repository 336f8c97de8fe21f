"""The average against its recurrence, and that a module is lent it and no more."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from vidfit.training.state import Average


def module():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))


def test_it_is_the_recurrence_with_its_warm_up():
    net = module()
    net[2].bias.requires_grad_(False)
    average = Average(net, 0.7)
    expected = net[0].weight.detach().clone().double()
    running = net[1].running_mean.clone().double()
    for step in range(1, 31):
        with torch.no_grad():
            net[0].weight.add_(torch.randn(4, 3))
            net[1].running_mean.add_(1.0)
        average.update(net, step)
        decay = min(0.7, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * net[0].weight.detach().double()
        running = decay * running + (1 - decay) * net[1].running_mean.double()
    # Thirty roundings of float32.
    torch.testing.assert_close(average.tensors["0.weight"].double(), expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(
        average.tensors["1.running_mean"].double(), running, atol=1e-4, rtol=0
    )
    assert "2.bias" not in average.tensors
    assert "1.num_batches_tracked" not in average.tensors


def test_a_module_computes_with_it_for_a_while_also_when_that_fails():
    net = module().eval()
    average = Average(net, 0.5)
    with torch.no_grad():
        net[0].weight.zero_()
    own = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    with pytest.raises(RuntimeError, match="in between"), average.used_by(net):
        assert net[0].weight.abs().sum() > 0
        raise RuntimeError("in between")
    assert all(torch.equal(own[name], tensor) for name, tensor in net.state_dict().items())
    with average.used_by(net):
        assert net[0].weight.abs().sum() > 0

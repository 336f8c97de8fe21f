"""Gradients that add up are told from those that do not, and the network is left as it was."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from vidfit.errors import NotEnoughDataError
from vidfit.networks import NETWORKS, build
from vidfit.networks.clips import Clips
from vidfit.networks.step import classified, soft_targets
from vidfit.networks.tuned import checkpoint_blocks
from vidfit.testing.networks import small_clips, small_shape
from vidfit.training.check import TOLERANCE, check_accumulation


class Net(nn.Module):
    """Layers over the mean of the tokens."""

    def __init__(self, *layers):
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, clips):
        return self.layers(clips.tokens_BND.mean(1))


def normalised():
    torch.manual_seed(0)
    return Net(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))


def batch(clips=21):
    torch.manual_seed(0)
    return Clips(tokens_BND=torch.randn(clips, 4, 6)), soft_targets(torch.arange(clips) % 3, 3, 0.1)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_networks_add_up_but_for_batch_normalisation(name):
    torch.manual_seed(0)
    network, clips = build(name, small_shape(name)).train(), small_clips(name, 19, 6)
    targets_BK = soft_targets(torch.arange(19) % small_shape(name).classes, 3, 0.0)
    found = check_accumulation(network, clips, targets_BK)
    norms = [m for m in network.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    assert len(found.batch_norms) == len(norms)
    assert found.agrees == (not norms), str(found)
    assert found.differences[8] <= TOLERANCE or norms


def test_the_difference_is_the_one_of_gradients_by_hand():
    torch.manual_seed(0)
    network, (clips, targets_BK) = normalised().train(), batch()

    def gradient(*starts):
        network.zero_grad()
        for start, end in zip(starts, (*starts[1:], 21), strict=True):
            logits_BK = network(clips.where(slice(start, end)))
            classified(logits_BK, targets_BK[start:end], 21).backward()
        return torch.cat([p.grad.flatten() for p in network.parameters()])

    whole, halves = gradient(0), gradient(0, 11)
    expected = float((halves - whole).norm() / whole.norm())
    found = check_accumulation(network, clips, targets_BK, (2,))
    assert found.differences[2] == pytest.approx(expected, rel=1e-4)


def test_batch_normalisation_fails_and_is_named():
    found = check_accumulation(normalised(), *batch())
    assert not found.agrees
    assert min(found.differences[count] for count in (2, 4, 8)) > 1e-2
    assert found.batch_norms == ("layers.1",)
    assert "layers.1: batch normalisation sees the statistics of a micro-batch" in str(found)


def test_frozen_batch_normalisation_adds_up():
    class Frozen(Net):
        def train(self, mode=True):
            super().train(mode)
            self.layers[1].eval()
            return self

    found = check_accumulation(
        Frozen(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Linear(8, 3)), *batch()
    )
    assert found.agrees
    assert not found.batch_norms


def test_one_without_running_statistics_is_named_even_when_frozen():
    norm = nn.BatchNorm1d(6, track_running_stats=False)
    assert check_accumulation(Net(norm, nn.Linear(6, 3)), *batch()).batch_norms == ("layers.0",)


def test_a_clip_that_is_answered_by_the_others_fails_without_a_name():
    class Centred(Net):
        def forward(self, clips):
            logits_BK = super().forward(clips)
            return logits_BK - logits_BK.detach().mean(0)

    found = check_accumulation(Centred(nn.Linear(6, 3)), *batch())
    assert not found.agrees
    assert "answers a clip by the others of its micro-batch" in str(found)


def test_the_network_is_left_as_it_was():
    network, (clips, targets_BK) = normalised().train(), batch()
    network.layers[2].eval()
    network(clips).sum().backward()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    gradients = [p.grad.clone() for p in network.parameters()]
    modes = [module.training for module in network.modules()]
    check_accumulation(network, clips, targets_BK, dtype=torch.float64)
    assert all(torch.equal(before[n], t) for n, t in network.state_dict().items())
    assert all(torch.equal(g, p.grad) for g, p in zip(gradients, network.parameters(), strict=True))
    assert [module.training for module in network.modules()] == modes
    assert {p.dtype for p in network.parameters()} == {torch.float32}


def test_dropout_is_off_also_in_recurrent_layers_and_on_again_afterwards():
    class Recurrent(Net):
        def forward(self, clips):
            return self.layers[1](self.layers[0](clips.tokens_BND)[0][:, -1])

    lstm = nn.LSTM(6, 8, 2, batch_first=True, dropout=0.5)
    found = check_accumulation(Recurrent(lstm, nn.Linear(8, 3)), *batch())
    assert found.agrees, str(found)
    assert lstm.dropout == 0.5


def test_in_float64_nothing_is_left_but_its_rounding():
    network = build("transformer", small_shape("transformer"))
    clips, targets_BK = small_clips("transformer", 16, 6), soft_targets(torch.arange(16) % 3, 3, 0)
    found = check_accumulation(network, clips, targets_BK, dtype=torch.float64)
    # The loss is taken in float32, whose rounding of a clip's logits does not depend on the cut
    # but where these lie between two numbers.
    assert max(found.rounding, *found.differences.values()) < 1e-8


def test_activations_that_are_computed_again_give_the_same_gradients():
    torch.manual_seed(0)
    blocks = [nn.Sequential(nn.Linear(6, 6), nn.Tanh()) for _ in range(3)]
    network = Net(*blocks, nn.Linear(6, 3))
    checkpoint_blocks(network)
    assert check_accumulation(network, *batch()).agrees


def test_too_few_clips_are_refused():
    with pytest.raises(NotEnoughDataError, match="7 clips cannot be cut into 8 micro-batches"):
        check_accumulation(normalised(), *batch(7))

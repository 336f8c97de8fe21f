"""Truncated decompositions, of weights and of outputs, against numpy's, and exports of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from vidfit.backbones import with_network
from vidfit.backbones.encoder import (
    FrameBackbone,
    FrameEncoder,
    count_gmacs,
    count_parameters,
    freeze,
)
from vidfit.compression.low_rank import factorise
from vidfit.contracts import BackboneSpec, Preprocessing, Sampling
from vidfit.errors import BackboneError
from vidfit.runtime import onnx

SIZE = Preprocessing(16, 16, mean=(127.0,) * 3, std=(64.0,) * 3)


class Trunk(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 3, 2, 1)
        self.point = nn.Conv2d(16, 32, 1, 2, bias=False)
        self.norm = nn.BatchNorm2d(32)
        self.head = nn.Linear(32, 24)

    def forward(self, images_NCHW):
        x = torch.relu(self.norm(self.point(torch.relu(self.stem(images_NCHW)))))
        return self.head(x.mean((2, 3)))


def tiny():
    torch.manual_seed(0)
    network = FrameEncoder(Trunk(), SIZE)
    with torch.no_grad():
        network.trunk.norm.running_mean.normal_()
        # Spectra that fall, as those of trained layers do.
        for layer in (network.trunk.point, network.trunk.head):
            u, s, v = torch.linalg.svd(layer.weight.flatten(1), full_matrices=False)
            layer.weight.copy_((u * s * 0.6 ** torch.arange(len(s)) @ v).view_as(layer.weight))
    network = freeze(network)
    spec = BackboneSpec(
        "tiny", "tiny", "cnn2d", Sampling(1, 3), SIZE, 24, count_parameters(network), 0.0,
        "Apache-2.0", True, "test", "0",
    )  # fmt: skip
    return FrameBackbone(spec, network)


def frames(count=6, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, 1, 16, 16, 3), dtype=np.uint8)


def change(network, small, seed=1):
    views = torch.from_numpy(frames(8, seed))
    before = network(views)
    return float((small(views) - before).square().mean() / before.var())


def test_the_rank_is_the_least_that_keeps_the_energy_and_weights_are_numpys_best():
    network = tiny().network
    small = factorise(network, 0.9)
    weight = network.trunk.head.weight.numpy()
    u, s, v = np.linalg.svd(weight, full_matrices=False)
    rank = int(np.searchsorted(np.cumsum(s**2) / np.sum(s**2), 0.9)) + 1
    first, second = small.trunk.head
    assert first.out_features == rank
    product = (second.weight @ first.weight).numpy()
    # float32 on one side, float64 on the other
    np.testing.assert_allclose(product, (u[:, :rank] * s[:rank]) @ v[:rank], atol=1e-5)


def test_it_computes_less_keeps_dimensions_and_leaves_the_input_alone():
    network = tiny().network
    state = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    small = factorise(network, 0.9)
    assert count_gmacs(small, SIZE, 1) < count_gmacs(network, SIZE, 1)
    assert small(torch.from_numpy(frames())).shape == (6, 1, 24)
    assert all(torch.equal(state[name], t) for name, t in network.state_dict().items())
    assert not any(p.requires_grad for p in small.parameters())


def test_all_of_the_energy_of_a_deficient_matrix_changes_nothing():
    network = tiny().network
    with torch.no_grad():
        network.trunk.head.weight[6:] = network.trunk.head.weight[:6].repeat(3, 1)
    small = factorise(network, 1 - 1e-9)
    assert isinstance(small.trunk.head, nn.Sequential)
    assert change(network, small) < 1e-6


def test_frames_keep_outputs_better_at_the_same_rank():
    network = tiny().network
    blind = factorise(network, 0.8)
    most = count_gmacs(blind, SIZE, 1)
    # Shares of weights and of outputs are no common scale; the work is.
    tried = [factorise(network, share, frames(64)) for share in (0.6, 0.8, 0.999)]
    seen = [small for small in tried if count_gmacs(small, SIZE, 1) <= most][-1]
    assert change(network, seen) < change(network, blind)


def test_it_exports(tmp_path):
    backbone = tiny()
    small = with_network(backbone, factorise(backbone.network, 0.9))
    onnx.export(small, tmp_path / "small.onnx")
    views = frames(3)
    tokens = onnx.open_session(tmp_path / "small.onnx", 1)(views)
    np.testing.assert_allclose(tokens, small.forward(views), atol=1e-4)


@pytest.mark.parametrize("share", [0.0, 1.5, -1])
def test_shares_outside_are_refused(share):
    with pytest.raises(BackboneError, match="valid is above 0 and up to 1"):
        factorise(tiny().network, share)


def test_nothing_to_gain_is_refused():
    flat = nn.Sequential(nn.Linear(4, 4))
    with torch.no_grad():
        flat[0].weight.copy_(torch.eye(4))
    with pytest.raises(BackboneError, match="None of 1 matrices computes less"):
        factorise(flat, 0.9)


def test_layers_that_others_read_stay():
    attention = nn.Sequential(nn.MultiheadAttention(16, 2), nn.Linear(16, 64))
    with torch.no_grad():
        attention[1].weight.fill_(1.0)
    small = factorise(attention, 0.5)
    assert type(small[0].out_proj) is type(attention[0].out_proj)
    assert isinstance(small[1], nn.Sequential)

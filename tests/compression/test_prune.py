"""Channels that go, those that stay, and what is left of the tokens."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.backbones import tiny_hf
from tests.compression.pointwise import SIZE, tiny
from tests.compression.pointwise import frames as small_frames
from torch import nn

from vidfit import backbones
from vidfit.backbones import with_network
from vidfit.backbones.encoder import FrameEncoder, count_gmacs
from vidfit.backbones.hub import models
from vidfit.backbones.lite import EfficientNetLite
from vidfit.compression import prune
from vidfit.compression.prune import ChannelGroup, Removal, prune_channels, prune_groups
from vidfit.contracts import Preprocessing
from vidfit.errors import BackboneError
from vidfit.runtime import onnx

pytest.importorskip("torch_pruning")

LITE = Preprocessing(64, 64, mean=(127.0,) * 3, std=(128.0,) * 3)


def lite(count=2):
    network = backbones.load("efficientnet-lite0").network
    rng = np.random.default_rng(0)
    return network, rng.integers(0, 256, (count, 1, 64, 64, 3), dtype=np.uint8)


def test_lite_loses_channels_and_keeps_the_dimensions_of_its_tokens():
    network, frames = lite()
    state = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    groups = (
        ChannelGroup("trunk._blocks.3._depthwise_conv", tuple(range(144)), _choices(72)),
        ChannelGroup("trunk._blocks.11._project_conv", tuple(range(192)), _choices(96)),
    )
    small = prune_groups(network, groups, frames, 0.01)
    assert small(torch.from_numpy(frames)).shape == (2, 1, 1280)
    saved = 1 - count_gmacs(small, LITE, 1) / count_gmacs(network, LITE, 1)
    assert saved >= 0.01
    depthwise = small.trunk._blocks[3]._depthwise_conv
    assert depthwise.groups == depthwise.out_channels == 72
    # The residual stream is one group: all that is added to it went along.
    assert {small.trunk._blocks[i]._project_conv.out_channels for i in (11, 12, 13, 14)} == {96}
    assert all(torch.equal(state[name], t) for name, t in network.state_dict().items())
    assert not any(p.requires_grad for p in small.parameters())


def _choices(removed):
    return Removal(0, 0.0, 0.0), Removal(removed, 0.1, 0.1)


def test_channels_that_say_nothing_go_first_and_without_harm():
    network = tiny().network
    with torch.no_grad():
        network.trunk.stem.weight[3:11] = 0.0
        network.trunk.stem.bias[3:11] = 0.0
    (group,) = [g for g in prune.rank_groups(network, small_frames()) if g.root == "trunk.stem"]
    none, first, *_ = group.choices
    assert none == Removal(0, 0.0, 0.0)
    assert first.harm < 1e-6
    assert first.saved_gmacs > 0
    harms = [choice.harm for choice in group.choices]
    assert harms == sorted(harms)


def test_the_output_is_never_pruned():
    roots = [g.root for g in prune.rank_groups(tiny().network, small_frames())]
    assert "trunk.head" not in roots


def test_the_share_is_reached_and_a_larger_one_computes_less():
    network, frames = tiny().network, small_frames()
    groups = prune.rank_groups(network, frames)
    before = count_gmacs(network, SIZE, 1)
    costs = [count_gmacs(prune_groups(network, groups, frames, s), SIZE, 1) for s in (0.2, 0.5)]
    assert costs[1] <= costs[0] <= 0.8 * before
    assert costs[1] <= 0.5 * before


def test_cheaper_harm_is_chosen_first():
    group = ChannelGroup(
        "x", (0, 1), (Removal(0, 0, 0), Removal(1, 0.1, 1.0), Removal(2, 1.0, 2.0))
    )
    assert [group.cheapest(p).removed for p in (0.01, 0.2, 2.0, float("inf"))] == [0, 1, 2, 2]


def test_least_squares_makes_up_for_channels_that_others_tell():
    torch.manual_seed(0)
    x = torch.randn(200, 6)
    x[:, 5] = x[:, 0] - 2 * x[:, 1]
    weight = torch.randn(4, 6)
    found = prune._fitted(weight, x.T @ x, [5])
    expected = np.linalg.lstsq(x[:, :5].numpy(), (x @ weight.T).numpy(), rcond=None)[0]
    # The ridge holds it back by a hundredth.
    np.testing.assert_allclose(found[:, :5].numpy(), expected.T, atol=0.05)
    assert torch.equal(found[:, 5], weight[:, 5])


def test_it_exports(tmp_path):
    backbone = tiny()
    small = with_network(backbone, prune_channels(backbone.network, small_frames(), 0.4))
    onnx.export(small, tmp_path / "small.onnx")
    views = small_frames(3, seed=1)
    tokens = onnx.open_session(tmp_path / "small.onnx", 1)(views)
    np.testing.assert_allclose(tokens, small.forward(views), atol=1e-4)


@pytest.mark.parametrize("kind", ["vit", "videomae"])
def test_of_transformers_the_hidden_sizes_of_mlps_go(kind, tmp_path):
    backbone = models.load(str(tiny_hf.write(kind, tmp_path)))
    size = (backbone.spec.sampling.clip_len, tiny_hf.SIDE, tiny_hf.SIDE, 3)
    frames = np.random.default_rng(0).integers(0, 256, (2, *size), dtype=np.uint8)
    small = prune_channels(backbone.network, frames, 0.1)
    assert small(torch.from_numpy(frames)).shape == backbone.forward(frames).shape
    layers = {n: m for n, m in small.named_modules() if isinstance(m, nn.Linear)}
    for name, layer in backbone.network.named_modules():
        if isinstance(layer, nn.Linear) and layer.out_features == layer.in_features:
            assert layers[name].weight.shape == layer.weight.shape  # attention is as it was
    hidden = [
        m.out_features for n, m in layers.items() if n.endswith(("fc1", "intermediate.dense"))
    ]
    assert len(hidden) == 2
    assert sum(hidden) < 2 * 2 * tiny_hf.WIDTH


def test_residual_blocks_with_stride_and_without_are_pruned():
    torch.manual_seed(0)
    network = FrameEncoder(EfficientNetLite(1.0, 1.0), LITE).eval()
    graph = prune._Graph(network, lite()[1])
    with graph.without({"trunk._blocks.1._depthwise_conv": list(range(40))}):
        assert graph.network.trunk._blocks[1]._expand_conv.out_channels == 56
    assert graph.network.trunk._blocks[1]._expand_conv.out_channels == 96
    assert torch.equal(graph.run()[0], network(torch.from_numpy(lite()[1])))


@pytest.mark.parametrize("share", [0.0, 1.0, -0.5])
def test_shares_outside_are_refused(share):
    with pytest.raises(BackboneError, match="valid is a number between 0 and 1"):
        prune_groups(tiny().network, (), small_frames(), share)


def test_more_than_can_be_saved_is_refused():
    with pytest.raises(BackboneError, match="can be saved by leaving channels out"):
        prune_channels(tiny().network, small_frames(), 0.999)


def test_a_network_of_tokens_only_is_refused():
    class Flat(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = nn.Linear(3, 8)

        def forward(self, frames_BTHWC):
            return self.head(frames_BTHWC.float().mean((2, 3)))

    with pytest.raises(BackboneError, match="No channels of this network can be left out"):
        prune_channels(Flat(), small_frames(), 0.5)


def test_a_missing_package_is_named(monkeypatch):
    def missing(name):
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr(prune.importlib, "import_module", missing)
    with pytest.raises(BackboneError, match=r"pip install 'vidfit\[compress\]'"):
        prune_channels(tiny().network, small_frames(), 0.5)

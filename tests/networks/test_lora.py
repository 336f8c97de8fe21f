"""Additions change nothing at first, learn alone, and merge away without a trace."""

from __future__ import annotations

import copy
import sys

import pytest
import torch
from tests.backbones import tiny_hf
from torch import nn

from vidfit.backbones.encoder import FrameEncoder, freeze
from vidfit.backbones.hub import models
from vidfit.backbones.lite import EfficientNetLite
from vidfit.backbones.transnet import TransNetV2
from vidfit.contracts import Preprocessing
from vidfit.errors import BackboneError
from vidfit.networks import Shape, build
from vidfit.networks.clips import Clips
from vidfit.networks.lora import add_low_rank, merge
from vidfit.networks.step import layer_depths
from vidfit.networks.tuned import Tuned

pytest.importorskip("peft", reason="vidfit[lora] is not installed")

KINDS = ("efficientnet-lite", "resnet", "vit", "siglip", "videomae")


@pytest.fixture(scope="module", name="encoders")
def _encoders(tmp_path_factory):
    torch.manual_seed(0)
    preprocessing = Preprocessing(32, 32, mean=(127.0,) * 3, std=(128.0,) * 3)
    made = {"efficientnet-lite": lively(FrameEncoder(EfficientNetLite(0.25, 0.5), preprocessing))}
    pytest.importorskip("transformers", reason="vidfit[hf] is not installed")
    root = tmp_path_factory.mktemp("hub")
    for kind in KINDS[1:]:
        made[kind] = models.load(str(tiny_hf.write(kind, root / kind))).network
    return made


def lively(encoder):
    """Give random weights running statistics; without, what goes through them dies out."""
    for module in encoder.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None
    encoder.train()(frames(8))
    return freeze(encoder)


@pytest.fixture(name="encoder", params=KINDS)
def _encoder(request, encoders):
    return copy.deepcopy(encoders[request.param])


def frames(count=2, seed=0):
    size = (count, tiny_hf.FRAMES, tiny_hf.SIDE, tiny_hf.SIDE, 3)
    return torch.randint(256, size, generator=torch.Generator().manual_seed(seed)).byte()


def learn(adapted, steps=2):
    """Take some steps on the tokens' squares; return the tokens before and after."""
    views = frames()
    optimizer = torch.optim.SGD([p for p in adapted.parameters() if p.requires_grad], lr=0.3)
    before = adapted(views).detach()
    for _ in range(steps):
        optimizer.zero_grad()
        adapted(views).square().mean().backward()
        nn.utils.clip_grad_norm_(adapted.parameters(), 1.0)
        optimizer.step()
    return before, adapted(views).detach()


def test_fresh_additions_change_nothing(encoder):
    expected = encoder(frames())
    adapted = add_low_rank(encoder, rank=2)
    # The same sums, and zeros.
    torch.testing.assert_close(adapted(frames()), expected, atol=1e-6, rtol=1e-6)


def test_only_the_additions_learn(encoder):
    before = {key: tensor.clone() for key, tensor in encoder.state_dict().items()}
    adapted = add_low_rank(encoder, rank=2)
    tokens, later = learn(adapted)
    assert float((tokens - later).abs().max()) > 1e-4
    learning = {name for name, p in adapted.named_parameters() if p.requires_grad}
    assert learning and all("lora_" in name for name in learning)
    for name, tensor in adapted.state_dict().items():
        if "lora_" not in name:
            assert torch.equal(tensor, before[name.replace(".base_layer", "")]), name


def test_merged_it_is_the_same_network_under_the_first_names(encoder):
    keys = list(encoder.state_dict())
    kinds = [type(module) for module in encoder.modules()]
    adapted = add_low_rank(encoder, rank=2)
    _, expected = learn(adapted)
    merged = merge(adapted)
    assert merged is encoder
    assert list(merged.state_dict()) == keys
    assert [type(module) for module in merged.modules()] == kinds
    # Products and sums in another order.
    largest = float(expected.abs().max())
    torch.testing.assert_close(merged(frames()), expected, atol=1e-5 * max(largest, 1.0), rtol=0)


def test_a_network_of_convolutions_in_time_is_added_to_where_it_is_linear():
    torch.manual_seed(0)
    encoder, views = freeze(TransNetV2()), torch.randint(256, (1, 8, 27, 48, 3)).byte()
    keys, plain = list(encoder.state_dict()), encoder(views)
    adapted = add_low_rank(encoder, rank=1)
    torch.testing.assert_close(adapted(views), plain, atol=1e-6, rtol=1e-6)
    nn.init.normal_(adapted.fc1.lora_B["default"].weight, std=0.1)
    expected = adapted(views).detach()
    assert not torch.allclose(expected, plain, atol=1e-2)
    merged = merge(adapted)
    assert list(merged.state_dict()) == keys
    torch.testing.assert_close(merged(views), expected, atol=1e-5, rtol=1e-5)


def test_a_merged_layer_is_the_formula_of_the_paper():
    encoder = nn.Sequential(nn.Linear(3, 4))
    weight = encoder[0].weight.detach().clone()
    adapted = add_low_rank(encoder, rank=2, alpha=6)
    layer = adapted[0]
    down, up = (each["default"].weight for each in (layer.lora_A, layer.lora_B))
    nn.init.normal_(up)
    expected = weight + 6 / 2 * (up @ down).detach()
    torch.testing.assert_close(merge(adapted)[0].weight.detach(), expected)


def test_convolutions_of_places_and_channels_are_left_alone():
    encoder = nn.Sequential(
        nn.Conv2d(4, 4, 3), nn.Conv2d(4, 4, 1, groups=4), nn.Conv2d(4, 6, 1), nn.Linear(5, 5)
    )
    adapted = add_low_rank(encoder, rank=1)
    added = {name.split(".")[0] for name, p in adapted.named_parameters() if p.requires_grad}
    assert added == {"2", "3"}


def test_names_that_end_alike_are_told_apart():
    inner = nn.Sequential(nn.Conv2d(3, 3, 3), nn.ReLU())
    encoder = nn.ModuleDict({"0": nn.Linear(2, 2), "inner": inner})
    added = [name for name, p in add_low_rank(encoder).named_parameters() if p.requires_grad]
    assert added and all(name.startswith("0.") for name in added)


def test_behind_a_head_the_rest_stays_frozen_and_layers_keep_their_depth(encoder):
    dim = encoder(frames()).shape[2]
    head = build("mean", Shape(dim=dim, tokens=tiny_hf.FRAMES, classes=2))
    plain = Tuned(copy.deepcopy(encoder), head, tiny_hf.FRAMES, dim)
    depth = max(layer_depths(plain).values())
    tuned = Tuned(encoder, head, tiny_hf.FRAMES, dim)
    tuned.encoder = add_low_rank(tuned.encoder, rank=2)
    tuned.train()
    learning = {name for name, p in tuned.named_parameters() if p.requires_grad}
    assert all("lora_" in name or name.startswith("head.") for name in learning)
    assert any("lora_" in name for name in learning)
    statistics = {name: tensor.clone() for name, tensor in tuned.encoder.named_buffers()}
    assert max(layer_depths(tuned).values()) == depth
    assert tuned(Clips(frames_BVTHWC=frames()[:, None])).shape == (2, 2)
    assert all(torch.equal(statistics[name], each) for name, each in tuned.encoder.named_buffers())


# ---------------------------------------------------------------- what is refused


def test_without_peft_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(BackboneError, match=r"pip install 'vidfit\[lora\]'"):
        add_low_rank(nn.Sequential(nn.Linear(2, 2)))


@pytest.mark.parametrize(
    ("encoder", "rank"),
    [(nn.Sequential(nn.Conv2d(3, 3, 3)), 8), (nn.Sequential(nn.Linear(2, 2)), 0)],
)
def test_an_encoder_without_linear_layers_and_a_rank_of_0_are_refused(encoder, rank):
    with pytest.raises(BackboneError, match=f"additions of rank {rank} to . layers are impossible"):
        add_low_rank(encoder, rank=rank)


def test_an_addition_that_diverged_is_not_merged():
    adapted = add_low_rank(nn.Sequential(nn.Linear(2, 2)))
    nn.init.constant_(adapted[0].lora_B["default"].weight, torch.nan)
    with pytest.raises(BackboneError, match="addition to '0' is not finite: training diverged"):
        merge(adapted)

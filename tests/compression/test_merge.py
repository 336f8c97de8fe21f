"""Merging by hand-made tokens, against whole attention, and on the families of networks."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.backbones import tiny_hf

from vidfit.backbones import hf, with_network
from vidfit.backbones.encoder import count_gmacs
from vidfit.compression.merge import Block, MergedLayers, match, merge_tokens, merged
from vidfit.errors import BackboneError
from vidfit.runtime import onnx

KINDS = ("vit", "dinov2", "dinov2_with_registers", "videomae")


@pytest.fixture(scope="module")
def backbones(tmp_path_factory):
    kinds = (*KINDS, "timesformer", "resnet")
    return {k: hf.load(str(tiny_hf.write(k, tmp_path_factory.mktemp(k)))) for k in kinds}


def views(backbone, count=2):
    size = (backbone.spec.sampling.clip_len, tiny_hf.SIDE, tiny_hf.SIDE, 3)
    return np.random.default_rng(0).integers(0, 256, (count, *size), dtype=np.uint8)


@pytest.mark.parametrize("kind", KINDS)
def test_without_merging_tokens_are_equal(backbones, kind):
    backbone = backbones[kind]
    same = with_network(backbone, merge_tokens(backbone.network, 0))
    frames = views(backbone)
    # The same sums; only attention may be added up in another order.
    np.testing.assert_allclose(same.forward(frames), backbone.forward(frames), atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_merging_keeps_the_shape_changes_tokens_and_leaves_the_input_alone(backbones, kind):
    backbone = backbones[kind]
    frames = views(backbone)
    before = backbone.forward(frames)
    tokens = with_network(backbone, merge_tokens(backbone.network, 3)).forward(frames)
    assert tokens.shape == before.shape
    assert np.isfinite(tokens).all()
    assert not np.array_equal(tokens, before)
    np.testing.assert_array_equal(backbone.forward(frames), before)


def test_it_computes_less(backbones):
    network = backbones["videomae"].network
    size = backbones["videomae"].spec.preprocessing
    costs = [count_gmacs(merge_tokens(network, n), size, tiny_hf.FRAMES) for n in (0, 4, 8)]
    assert costs[0] > costs[1] > costs[2]


@pytest.mark.parametrize("kind", ["vit", "videomae"])
def test_it_exports(backbones, kind, tmp_path):
    backbone = backbones[kind]
    small = with_network(backbone, merge_tokens(backbone.network, 3))
    onnx.export(small, tmp_path / "small.onnx")
    frames = views(backbone, 3)
    tokens = onnx.open_session(tmp_path / "small.onnx", 1)(frames)
    np.testing.assert_allclose(tokens, small.forward(frames), atol=1e-3)


def test_twins_merge_without_change_of_what_is_seen(backbones):
    layers = backbones["vit"].network.model.layers
    torch.manual_seed(0)
    half = torch.randn(2, 8, tiny_hf.WIDTH)
    special = torch.randn(2, 1, tiny_hf.WIDTH)
    # Each place next to its twin: one in the first set, one in the second.
    tokens = torch.cat([special, half.repeat_interleave(2, dim=1)], dim=1)
    blocks = [Block(layer) for layer in layers]
    with torch.no_grad():
        whole = MergedLayers(blocks, 0, 1)(tokens)
        small = MergedLayers(blocks, 8, 1)
        # All twins go in the first layer; then nothing is alike, so one layer is compared.
        small.blocks = small.blocks[:1]
        alone = MergedLayers(blocks[:1], 0, 1)(tokens)
        torch.testing.assert_close(small(tokens), alone, atol=1e-5, rtol=1e-4)
        # Sizes weigh what is left in later layers as often as before.
        after, key = blocks[0].attend(tokens, None)
        kept, size = merged(after, torch.ones(2, 17), match(key, 8, 1), 8)
        seen, _ = blocks[1].attend(blocks[0].think(kept), size)
        again = blocks[1].think(seen)
    # One of each pair of twins, behind the special token.
    torch.testing.assert_close(again[:, 1:], whole[:, 2::2], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(again[:, 0], whole[:, 0], atol=1e-5, rtol=1e-4)


def test_the_most_alike_are_matched_by_the_plain_rule():
    torch.manual_seed(1)
    keys = torch.randn(3, 11, 5)
    new = match(keys, 3, 2)
    for row, numbers in zip(keys, new, strict=True):
        places = torch.nn.functional.normalize(row[2:], dim=-1)
        best, partner = (places[::2] @ places[1::2].T).max(dim=1)
        gone = set(best.topk(3).indices.tolist())
        for a in range(5):
            same = [z for z in range(4) if numbers[2 + 2 * z + 1] == numbers[2 + 2 * a]]
            assert same == ([int(partner[a])] if a in gone else [])
        assert numbers[:2].tolist() == [0, 1]
        assert sorted(set(numbers.tolist())) == list(range(8))


def test_averages_are_weighted_by_sizes():
    tokens = torch.tensor([[[1.0], [4.0], [7.0]]])
    out, size = merged(tokens, torch.tensor([[1.0, 3.0, 1.0]]), torch.tensor([[0, 0, 1]]), 1)
    assert out.flatten().tolist() == [3.25, 7.0]
    assert size.flatten().tolist() == [4.0, 1.0]


def test_more_than_half_are_never_merged(backbones):
    backbone = backbones["vit"]
    small = with_network(backbone, merge_tokens(backbone.network, 1000))
    assert np.isfinite(small.forward(views(backbone))).all()


def test_divided_space_time_is_refused(backbones):
    with pytest.raises(BackboneError, match="time and over space by turns"):
        merge_tokens(backbones["timesformer"].network, 2)


def test_other_networks_are_refused(backbones):
    with pytest.raises(BackboneError, match="Tokens of a resnet cannot be merged"):
        merge_tokens(backbones["resnet"].network, 2)
    with pytest.raises(BackboneError, match="Tokens of a Linear cannot be merged"):
        merge_tokens(torch.nn.Linear(2, 2), 2)


def test_negative_numbers_are_refused(backbones):
    with pytest.raises(BackboneError, match="per_layer is -1; valid is 0 or more"):
        merge_tokens(backbones["vit"].network, -1)

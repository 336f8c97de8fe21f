"""Attention as torch's own, paths left out with the mean kept, and settings that cannot work."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from vidfit.errors import BackboneError
from vidfit.networks import Shape
from vidfit.networks.blocks import Attention, Block, DropPath, Positions, drop_shares, sinusoids

SHAPE = Shape(dim=6, tokens=5, classes=3, width=8, heads=2, dropout=0.0)


def test_attention_equals_that_of_torch():
    torch.manual_seed(0)
    ours, theirs = Attention(8, 2), nn.MultiheadAttention(8, 2, batch_first=True)
    with torch.no_grad():
        for vector in (ours.query.bias, ours.value.bias, ours.out.bias):
            vector.normal_()
        theirs.in_proj_weight.copy_(
            torch.cat([ours.query.weight, ours.key.weight, ours.value.weight])
        )
        theirs.in_proj_bias.copy_(torch.cat([ours.query.bias, torch.zeros(8), ours.value.bias]))
        theirs.out_proj.weight.copy_(ours.out.weight)
        theirs.out_proj.bias.copy_(ours.out.bias)
    asks_BNE, asked_BSE = torch.randn(3, 4, 8), torch.randn(3, 5, 8)
    present_BS = torch.arange(5) < torch.tensor([[5], [2], [1]])
    expected, _ = theirs(asks_BNE, asked_BSE, asked_BSE, key_padding_mask=~present_BS)
    # Sums of float32 in another order.
    torch.testing.assert_close(ours(asks_BNE, asked_BSE, present_BS), expected, atol=1e-6, rtol=0)


def test_a_mask_of_ones_masks_nothing():
    torch.manual_seed(0)
    block, x_BNE = Block(SHAPE, 0.0), torch.randn(2, 5, 8)
    everything = torch.ones(2, 5, dtype=torch.bool)
    torch.testing.assert_close(block(x_BNE, everything), block(x_BNE, None))


def test_a_width_that_does_not_divide_among_the_heads_is_refused():
    with pytest.raises(BackboneError, match=r"width of 10 .* 4 heads; .* such as 12"):
        Attention(10, 4)


def test_paths_are_left_out_by_clip_and_the_mean_stays():
    torch.manual_seed(0)
    drop, branch = DropPath(0.25), torch.ones(4000, 2, 3)
    kept = drop(branch)
    assert kept.unique().tolist() == pytest.approx([0.0, 4 / 3])
    assert torch.equal(kept.amin((1, 2)), kept.amax((1, 2)))
    # Four standard errors of the mean of 4000 clips.
    assert float(kept.mean()) == pytest.approx(1.0, abs=4 * (0.25 / 0.75 / 4000) ** 0.5)
    assert torch.equal(drop.eval()(branch), branch)


def test_later_blocks_are_left_out_more_often():
    shape = Shape(dim=6, tokens=5, classes=3, layers=4, drop_path=0.2)
    assert drop_shares(shape) == pytest.approx([0.05, 0.1, 0.15, 0.2])


def test_positions_are_those_of_the_formula():
    place, unit = 3, 2
    found = sinusoids(5, 8)[place]
    assert float(found[2 * unit]) == pytest.approx(
        torch.tensor(place / 10_000 ** (2 * unit / 8)).sin().item(), abs=1e-6
    )
    assert sinusoids(4, 7).shape == (4, 7)


def test_more_tokens_than_it_was_made_for_are_refused():
    with pytest.raises(BackboneError, match="received 6 tokens a clip and was made for at most 5"):
        Positions(5, 8)(torch.zeros(1, 6, 8))

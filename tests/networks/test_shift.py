"""Channels move in time as in the authors' code, and what a token sees grows with the layers."""

from __future__ import annotations

import pytest
import torch

from vidfit.networks import Shape
from vidfit.networks.clips import Clips
from vidfit.networks.shift import Shift, shifted


def authors(x_NTE, fold_div=8):
    """Lin et al. 2019, ``temporal_shift.py``, for one place of an image."""
    fold = x_NTE.size(2) // fold_div
    out = torch.zeros_like(x_NTE)
    out[:, :-1, :fold] = x_NTE[:, 1:, :fold]
    out[:, 1:, fold : 2 * fold] = x_NTE[:, :-1, fold : 2 * fold]
    out[:, :, 2 * fold :] = x_NTE[:, :, 2 * fold :]
    return out


def test_shifted_as_by_the_authors():
    x_BNE = torch.randn(2, 5, 24)
    # They move the first eighth back and the second forth; ours are the other way around.
    swapped = torch.cat([x_BNE[..., 3:6], x_BNE[..., :3], x_BNE[..., 6:]], dim=2)
    expected = authors(swapped)
    expected = torch.cat([expected[..., 3:6], expected[..., :3], expected[..., 6:]], dim=2)
    assert torch.equal(shifted(x_BNE), expected)


@pytest.mark.parametrize("layers", [1, 2])
def test_a_token_sees_as_many_steps_as_there_are_layers(layers):
    torch.manual_seed(0)
    shape = Shape(dim=6, tokens=9, classes=3, width=16, layers=layers, dropout=0.0)
    network = Shift(shape).eval()
    # Behind the last layer only the token at place 4 is kept.
    network.answer = torch.nn.Identity()
    tokens_BND = torch.randn(1, 9, 6, requires_grad=True)
    x_BNE = network.stem(tokens_BND)
    for branch in network.perceptrons:
        x_BNE = x_BNE + branch(shifted(x_BNE))
    x_BNE[0, 4].sum().backward()
    seen = tokens_BND.grad[0].abs().sum(1) > 0
    assert seen.nonzero().flatten().tolist() == list(range(4 - layers, 5 + layers))


def test_one_token_has_no_neighbours():
    assert torch.equal(shifted(torch.ones(1, 1, 16))[0, 0], torch.tensor([0.0] * 4 + [1.0] * 12))
    network = Shift(Shape(dim=6, tokens=9, classes=3, width=16))
    assert network(Clips(torch.randn(2, 1, 6))).shape == (2, 3)

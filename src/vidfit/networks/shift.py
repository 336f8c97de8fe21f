"""Time for the price of a perceptron: some channels of each token come from its neighbours.

Lin, Gan and Han, "TSM: temporal shift module" (2019), on the tokens of a frozen encoder: in each
residual branch an eighth of the channels is moved a step forth and an eighth a step back.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from vidfit.networks import Shape
from vidfit.networks.blocks import DropPath, answer, drop_shares, perceptron, stem
from vidfit.networks.clips import Clips
from vidfit.networks.seen import mean_of_real, seen_tokens

SHARE = 8
"""Of this number of channels one moves forth and one back: a quarter in all (Lin et al. 2019)."""


class Shift(nn.Module):
    """Layer norm and linear layer, perceptrons over shifted tokens, mean, answer.

    A token sees ``layers`` steps to either side. ``heads`` of the `Shape` do not matter.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.stem = stem(shape)
        self.perceptrons = nn.ModuleList(perceptron(shape) for _ in range(shape.layers))
        self.drops = nn.ModuleList(
            nn.Sequential(nn.Dropout(shape.dropout), DropPath(share))
            for share in drop_shares(shape)
        )
        self.answer = answer(shape.width, shape)

    def forward(self, clips: Clips) -> Tensor:
        """Return logits [B, K] of tokens [B, N, D]."""
        tokens_BND, present_BN = seen_tokens(clips)
        x_BNE = self.stem(tokens_BND)
        for branch, drop in zip(self.perceptrons, self.drops, strict=True):
            # Beyond the last real token there is nothing, as there is before the first.
            real_BNE = x_BNE.masked_fill(~present_BN[..., None], 0.0)
            x_BNE = x_BNE + drop(branch(shifted(real_BNE)))
        logits_BK: Tensor = self.answer(mean_of_real(x_BNE, present_BN))
        return logits_BK


def shifted(x_BNE: Tensor) -> Tensor:
    """Return tokens of which an eighth of the channels is a step late, and an eighth early."""
    count = max(x_BNE.shape[2] // SHARE, 1)
    late_BNE = functional.pad(x_BNE[:, :-1, :count], (0, 0, 1, 0))
    early_BNE = functional.pad(x_BNE[:, 1:, count : 2 * count], (0, 0, 0, 1))
    return torch.cat([late_BNE, early_BNE, x_BNE[:, :, 2 * count :]], dim=2)

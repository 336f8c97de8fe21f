"""The plainest head: the mean of the tokens, a layer norm, and a linear layer.

Blind to the order of the tokens. What a head that sees time is worth, is measured against it.
``width``, ``layers`` and ``heads`` of the `Shape` do not matter.
"""

from __future__ import annotations

from torch import Tensor, nn

from vidfit.networks import Shape
from vidfit.networks.blocks import answer
from vidfit.networks.clips import Clips
from vidfit.networks.seen import mean_of_real, seen_tokens


class Mean(nn.Module):
    """Mean pooling, layer norm (Ba, Kiros and Hinton 2016), fully connected layer."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.answer = answer(shape.dim, shape)

    def forward(self, clips: Clips) -> Tensor:
        """Return logits [B, K] of tokens [B, N, D]."""
        logits_BK: Tensor = self.answer(mean_of_real(*seen_tokens(clips)))
        return logits_BK

"""A small transformer over the tokens of a clip, with their places in time."""

from __future__ import annotations

from torch import Tensor, nn

from vidfit.networks import Shape
from vidfit.networks.blocks import Positions, answer, blocks, stem
from vidfit.networks.clips import Clips
from vidfit.networks.seen import mean_of_real, seen_tokens


class Transformer(nn.Module):
    """Pre-norm transformer (Vaswani et al. 2017; Xiong et al. 2020), mean of its tokens, answer.

    Residual branches are left out at random in training, the later the more often (stochastic
    depth; Huang et al. 2016).
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.stem = stem(shape)
        self.positions = Positions(shape.tokens, shape.width)
        self.blocks = blocks(shape)
        self.answer = answer(shape.width, shape)

    def forward(self, clips: Clips) -> Tensor:
        """Return logits [B, K] of tokens [B, N, D]."""
        tokens_BND, present_BN = seen_tokens(clips)
        x_BNE = self.positions(self.stem(tokens_BND))
        for block in self.blocks:
            x_BNE = block(x_BNE, present_BN)
        logits_BK: Tensor = self.answer(mean_of_real(x_BNE, present_BN))
        return logits_BK

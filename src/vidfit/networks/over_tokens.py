"""Heads over the tokens of a clip as a whole: their mean, what queries take, a transformer."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vidfit.networks import Shape
from vidfit.networks.blocks import Attention, Positions, answer, blocks, stem
from vidfit.networks.clips import Clips
from vidfit.networks.seen import mean_of_real, seen_tokens


class Mean(nn.Module):
    """Mean pooling, layer norm (Ba, Kiros and Hinton 2016), fully connected layer.

    Blind to the order of the tokens. What a head that sees time is worth, is measured against it.
    ``width``, ``layers`` and ``heads`` of the `Shape` do not matter.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.answer = answer(shape.dim, shape)

    def forward(self, clips: Clips) -> Tensor:
        """Return logits [B, K] of tokens [B, N, D]."""
        logits_BK: Tensor = self.answer(mean_of_real(*seen_tokens(clips)))
        return logits_BK


QUERIES = 4
"""What they take lies side by side before the answer: Q * E numbers a clip."""


class AttentivePooling(nn.Module):
    """Attentive pooling: learned queries take from the tokens what they need.

    Lee et al., "Set transformer" (2019), pooling by multihead attention; as a probe of video
    encoders in Bardes et al., "V-JEPA" (2024). Blind to the order of the tokens.
    ``layers`` and ``drop_path`` of the `Shape` do not matter.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.stem = stem(shape)
        self.query_QE = nn.Parameter(torch.randn(QUERIES, shape.width))
        self.norm = nn.LayerNorm(shape.width)
        self.attention = Attention(shape.width, shape.heads)
        self.answer = answer(QUERIES * shape.width, shape)

    def forward(self, clips: Clips) -> Tensor:
        """Return logits [B, K] of tokens [B, N, D]."""
        tokens_BND, present_BN = seen_tokens(clips)
        x_BNE = self.norm(self.stem(tokens_BND))
        query_BQE = self.query_QE.expand(x_BNE.shape[0], -1, -1)
        pooled_BQE = self.attention(query_BQE, x_BNE, present_BN)
        logits_BK: Tensor = self.answer(pooled_BQE.flatten(1))
        return logits_BK


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

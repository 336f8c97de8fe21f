"""Attentive pooling: learned queries take from the tokens what they need.

Lee et al., "Set transformer" (2019), pooling by multihead attention; as a probe of video
encoders in Bardes et al., "V-JEPA" (2024). Blind to the order of the tokens.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vidfit.networks import Shape
from vidfit.networks.blocks import Attention, answer, stem
from vidfit.networks.clips import Clips
from vidfit.networks.seen import seen_tokens

QUERIES = 4
"""What they take lies side by side before the answer: Q * E numbers a clip."""


class AttentivePooling(nn.Module):
    """Layer norm and linear layer, attention of the queries, answer.

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

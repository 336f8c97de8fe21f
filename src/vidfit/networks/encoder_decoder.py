"""A transformer that asks the clip one question a class.

Liu et al., "Query2Label: a simple transformer way to multi-label classification" (2021): an
encoder over the tokens; a decoder with one learned query a class, which attends to them; a class
is answered from its own query. A class can so look at moments of its own.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vidfit.networks import Shape
from vidfit.networks.blocks import Positions, blocks, stem
from vidfit.networks.clips import Clips
from vidfit.networks.seen import seen_tokens


class EncoderDecoder(nn.Module):
    """Transformer encoder and decoder of ``layers`` blocks each, one logit a query.

    Without attention among the queries, which Liu et al. have: classes of a clip exclude each
    other, so that there is no co-occurrence to learn.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.stem = stem(shape)
        self.positions = Positions(shape.tokens, shape.width)
        self.encoder_blocks = blocks(shape)
        self.norm = nn.LayerNorm(shape.width)
        self.query_KE = nn.Parameter(torch.randn(shape.classes, shape.width))
        self.decoder_blocks = blocks(shape)
        self.answer = AnswerByQuery(shape)

    def forward(self, clips: Clips) -> Tensor:
        """Return logits [B, K] of tokens [B, N, D]."""
        tokens_BND, present_BN = seen_tokens(clips)
        x_BNE = self.positions(self.stem(tokens_BND))
        for block in self.encoder_blocks:
            x_BNE = block(x_BNE, present_BN)
        x_BNE = self.norm(x_BNE)
        query_BKE = self.query_KE.expand(x_BNE.shape[0], -1, -1)
        for block in self.decoder_blocks:
            query_BKE = block(query_BKE, present_BN, x_BNE)
        logits_BK: Tensor = self.answer(query_BKE)
        return logits_BK


class AnswerByQuery(nn.Module):
    """A logit from each query by weights of its own (Liu et al. 2021, section 3.2)."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(shape.width)
        self.drop = nn.Dropout(shape.dropout)
        self.weight_KE = nn.Parameter(torch.empty(shape.classes, shape.width))
        self.bias_K = nn.Parameter(torch.zeros(shape.classes))
        nn.init.trunc_normal_(self.weight_KE, std=0.02)

    def forward(self, query_BKE: Tensor) -> Tensor:
        """Return logits [B, K] of queries [B, K, E]."""
        normal_BKE = self.drop(self.norm(query_BKE))
        logits_BK: Tensor = (normal_BKE * self.weight_KE).sum(2) + self.bias_K
        return logits_BK

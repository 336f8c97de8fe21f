"""A recurrent head for scenes where the decisive moment may be anywhere.

Akti, Tataroğlu and Ekenel, "Vision-based fight detection from surveillance cameras" (2019):
features of an image network, a bidirectional LSTM (Graves and Schmidhuber 2005), attention over
its states, a fully connected layer. The attention is additive (Bahdanau et al. 2015).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vidfit.networks import Shape
from vidfit.networks.blocks import answer, linear, stem
from vidfit.networks.clips import Clips
from vidfit.networks.lstm import recurrent
from vidfit.networks.seen import seen_tokens


class BiLstmAttention(nn.Module):
    """Layer norm and linear layer, LSTMs in both directions, additive attention, answer.

    ``heads`` and ``drop_path`` of the `Shape` do not matter; with several ``layers`` each
    direction is a stack of its own (Peters et al. 2018).
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.stem = stem(shape)
        self.onward = recurrent(shape)
        self.back = recurrent(shape)
        self.pooling = AdditiveAttention(2 * shape.width, shape.width)
        self.answer = answer(2 * shape.width, shape)

    def forward(self, clips: Clips) -> Tensor:
        """Return logits [B, K] of tokens [B, N, D]."""
        tokens_BND, present_BN = seen_tokens(clips)
        x_BNE = self.stem(tokens_BND)
        onward_BNE, _ = self.onward(x_BNE)
        back_BNE, _ = self.back(reversed_in_time(x_BNE, present_BN))
        states_BNF = torch.cat([onward_BNE, reversed_in_time(back_BNE, present_BN)], dim=2)
        logits_BK: Tensor = self.answer(self.pooling(states_BNF, present_BN))
        return logits_BK


class AdditiveAttention(nn.Module):
    """Mean of states [B, N, F] by softmax of ``v . tanh(W state + b)`` (Bahdanau et al. 2015)."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.hidden = linear(width, hidden)
        self.score = nn.Linear(hidden, 1, bias=False)

    def forward(self, states_BNF: Tensor, present_BN: Tensor) -> Tensor:
        """Return [B, F] of the real states."""
        score_BN = self.score(torch.tanh(self.hidden(states_BNF)))[..., 0].float()
        # The lowest finite score: a clip without any real state must not become no number.
        lowest = torch.finfo(torch.float32).min
        weight_BN = torch.softmax(score_BN.masked_fill(~present_BN, lowest), dim=1)
        pooled_BF: Tensor = (weight_BN[..., None].to(states_BNF.dtype) * states_BNF).sum(1)
        return pooled_BF


def reversed_in_time(x_BNE: Tensor, present_BN: Tensor) -> Tensor:
    """Turn around the real tokens, which come first; padding stays behind them."""
    place_N = torch.arange(x_BNE.shape[1], device=x_BNE.device)
    turned_BN = present_BN.sum(1, keepdim=True) - 1 - place_N
    index_BN = torch.where(present_BN, turned_BN, place_N)
    return x_BNE.gather(1, index_BN[..., None].expand_as(x_BNE))

"""Networks that read a clip in time order: LSTMs over tokens, and over the frames themselves."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vidfit.networks import Shape
from vidfit.networks.blocks import answer, linear, stem
from vidfit.networks.clips import Clips
from vidfit.networks.cnn import encoder, of_frames
from vidfit.networks.seen import last_of_real, seen_frames, seen_tokens


class Lstm(nn.Module):
    """Layer norm and linear layer, LSTM (Hochreiter and Schmidhuber 1997), last state, answer.

    Donahue et al., "Long-term recurrent convolutional networks" (2015): features of a pretrained
    encoder, read in time order. ``heads`` and ``drop_path`` of the `Shape` do not matter.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.stem = stem(shape)
        self.lstm = recurrent(shape)
        self.answer = answer(shape.width, shape)

    def forward(self, clips: Clips) -> Tensor:
        """Return logits [B, K] of tokens [B, N, D]."""
        tokens_BND, present_BN = seen_tokens(clips)
        # Time runs forward only: what comes after the last real token cannot reach its state.
        states_BNE, _ = self.lstm(self.stem(tokens_BND))
        logits_BK: Tensor = self.answer(last_of_real(states_BNE, present_BN))
        return logits_BK


def recurrent(shape: Shape) -> nn.LSTM:
    """Return an LSTM of a shape's width and layers, initialised to remember.

    Recurrent weights are orthogonal (Saxe et al. 2014), and the forget gate's bias is 1
    (Jozefowicz et al. 2015).
    """
    width = shape.width
    between = shape.dropout if shape.layers > 1 else 0.0
    lstm = nn.LSTM(width, width, shape.layers, batch_first=True, dropout=between)
    for name, parameter in lstm.named_parameters():
        if parameter.ndim == 1:
            nn.init.zeros_(parameter)
            if name.startswith("bias_ih"):
                # Gates come in the order input, forget, cell, output.
                nn.init.ones_(parameter.data[width : 2 * width])
        else:
            make = nn.init.orthogonal_ if name.startswith("weight_hh") else nn.init.xavier_uniform_
            for gate in parameter.data.chunk(4):
                make(gate)
    return lstm


class BiLstmAttention(nn.Module):
    """Layer norm and linear layer, LSTMs in both directions, additive attention, answer.

    For scenes where the decisive moment may be anywhere: Akti, Tataroğlu and Ekenel,
    "Vision-based fight detection from surveillance cameras" (2019), with LSTMs in both directions
    (Graves and Schmidhuber 2005) and additive attention (Bahdanau et al. 2015).
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


class CnnLstm(nn.Module):
    """Convolutions with stride, global average, LSTM, last state, answer.

    As in Donahue et al. (2015), without their pretrained encoder: for videos that no pretrained
    encoder has seen the like of; it needs more clips than a head over tokens.
    ``dim``, ``heads`` and ``drop_path`` of the `Shape` do not matter. Batch normalisation
    (Ioffe and Szegedy 2015) sees the frames of a micro-batch.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.encoder = encoder(shape.width)
        self.drop = nn.Dropout(shape.dropout)
        self.lstm = recurrent(shape)
        self.answer = answer(shape.width, shape)

    def forward(self, clips: Clips) -> Tensor:
        """Return logits [B, K] of uint8 frames [B, V, T, H, W, C]."""
        frames_BTHWC, present_BT = seen_frames(clips)
        features_BTE = of_frames(self.encoder, frames_BTHWC)
        states_BTE, _ = self.lstm(self.drop(features_BTE))
        logits_BK: Tensor = self.answer(last_of_real(states_BTE, present_BT))
        return logits_BK

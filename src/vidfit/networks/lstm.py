"""A recurrent head: LSTM over the tokens, its last state to a linear layer.

Donahue et al., "Long-term recurrent convolutional networks" (2015): features of a pretrained
encoder, read in time order.
"""

from __future__ import annotations

from torch import Tensor, nn

from vidfit.networks import Shape
from vidfit.networks.blocks import answer, stem
from vidfit.networks.clips import Clips
from vidfit.networks.seen import last_of_real, seen_tokens


class Lstm(nn.Module):
    """Layer norm and linear layer, LSTM (Hochreiter and Schmidhuber 1997), last state, answer.

    ``heads`` and ``drop_path`` of the `Shape` do not matter.
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

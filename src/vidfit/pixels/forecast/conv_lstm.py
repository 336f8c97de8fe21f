"""A convolutional LSTM over folded frames: each place remembers itself and its neighbours.

Shi et al., "Convolutional LSTM network: a machine learning approach for precipitation nowcasting"
(2015), two layers over cells of 4 x 4 pixels.

Shape letters as in `vidfit.pixels.forecast.forecaster`; C channels, Y and X cells.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vidfit.pixels.forecast.forecaster import TAUGHT_SHARE, FrameForecaster, bce

FOLD, CHANNELS, LAYERS = 4, 32, 2

_State = list[tuple[Tensor, Tensor]]


class ConvLstm(FrameForecaster):
    """Frames folded into cells, convolutional LSTMs, and logits unfolded again.

    Parameters
    ----------
    side_pixels
        Of the square frames; a multiple of 4.
    copies
        As of all forecasters.
    """

    def __init__(self, side_pixels: int, copies: bool = False) -> None:
        super().__init__(copies)
        self.cells = side_pixels // FOLD
        self.fold, self.unfold = nn.PixelUnshuffle(FOLD), nn.PixelShuffle(FOLD)
        widths = [FOLD**2] + [CHANNELS] * (LAYERS - 1)
        self.gates = nn.ModuleList(
            nn.Conv2d(width + CHANNELS, 4 * CHANNELS, 3, padding=1) for width in widths
        )
        self.say = nn.Conv2d(LAYERS * CHANNELS, FOLD**2, 1)
        self.begun(self.say)

    def forward(self, seen_BTHW: Tensor, ahead: int) -> Tensor:
        """Return logits [B, A, H, W]: each frame that is said is seen before the next."""
        return self._all(seen_BTHW, ahead)[:, -ahead:]

    def loss(self, frames_BSHW: Tensor, seen: int, done: float) -> Tensor:
        """Return the loss of every frame but the first; those ahead are told before the next.

        After the taught share those ahead are said from what was said; no gradient goes through it.
        """
        if done < TAUGHT_SHARE:
            seen = frames_BSHW.shape[1] - 1
        said = self._all(frames_BSHW[:, :seen], frames_BSHW.shape[1] - seen)
        return bce(said, frames_BSHW[:, 1:])

    def _all(self, seen_BTHW: Tensor, ahead: int) -> Tensor:
        """Return logits of every frame but the first, to the last one ahead."""
        state, said = self._empty(len(seen_BTHW)), list[Tensor]()
        for frame_BHW in seen_BTHW.unbind(1):
            state = self._see(frame_BHW, state)
            said.append(self._said(frame_BHW, state))
        for _ in range(ahead - 1):
            last_BHW = torch.sigmoid(said[-1]).detach()
            state = self._see(last_BHW, state)
            said.append(self._said(last_BHW, state))
        return torch.stack(said, dim=1)

    def _empty(self, batch: int) -> _State:
        zero = torch.zeros(batch, CHANNELS, self.cells, self.cells)
        return [(zero, zero)] * LAYERS

    def _see(self, frame_BHW: Tensor, state: _State) -> _State:
        """Return the state after a frame."""
        input_BCYX, after = self.fold(frame_BHW[:, None]), []
        for gates, (hidden, cell) in zip(self.gates, state, strict=True):
            keep, take, give, new = gates(torch.cat([input_BCYX, hidden], 1)).chunk(4, 1)
            cell = torch.sigmoid(keep + 1) * cell + torch.sigmoid(take) * torch.tanh(new)
            input_BCYX = torch.sigmoid(give) * torch.tanh(cell)
            after.append((input_BCYX, cell))
        return after

    def _said(self, last_BHW: Tensor, state: _State) -> Tensor:
        """Return logits [B, H, W] of the frame after the last, which the state remembers."""
        hidden = torch.cat([hidden for hidden, _ in state], 1)
        return self.over(last_BHW, self.unfold(self.say(hidden))[:, 0])

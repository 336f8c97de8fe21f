"""A convolutional LSTM over folded frames: each place remembers itself and its neighbours.

Shi et al., "Convolutional LSTM network: a machine learning approach for precipitation nowcasting"
(2015), two layers over cells of 4 x 4 pixels.

Shape letters as in `vidfit.pixels.forecast.forecaster`; C channels, Y and X cells.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vidfit.pixels.forecast.forecaster import CHANGE, TAUGHT_SHARE, FrameForecaster, bce

FOLD, CHANNELS, LAYERS = 4, 32, 2


@dataclass(frozen=True)
class _CellMemory:
    """What is remembered: hidden and cell by layer, and the sum of so many frames."""

    layers: tuple[tuple[Tensor, Tensor], ...]
    sum_BHW: Tensor
    frames: int


class ConvLstm(FrameForecaster):
    """Frames folded into cells, convolutional LSTMs, and logits unfolded again.

    Sides of frames are multiples of 4.

    Parameters
    ----------
    copies
        As of all forecasters; each frame is then seen beside its difference from the mean so far.
    """

    def __init__(self, copies: bool = False) -> None:
        super().__init__(copies)
        self.fold, self.unfold = nn.PixelUnshuffle(FOLD), nn.PixelShuffle(FOLD)
        widths = [(1 + copies) * FOLD**2] + [CHANNELS] * (LAYERS - 1)
        self.gates = nn.ModuleList(
            nn.Conv2d(width + CHANNELS, 4 * CHANNELS, 3, padding=1) for width in widths
        )
        self.say = nn.Conv2d(LAYERS * CHANNELS, self.maps * FOLD**2, 1)
        self.begun(self.say)

    def forward(self, seen_BTHW: Tensor, ahead: int) -> Tensor:
        """Return logits [B, A, H, W]: each frame that is said is seen before the next."""
        return self.every(seen_BTHW, ahead)[:, -ahead:]

    def loss(self, frames_BSHW: Tensor, seen: int, done: float) -> Tensor:
        """Return the loss of every frame but the first; those ahead are told before the next.

        After the taught share those ahead are said from what was said; no gradient goes through it.
        """
        if done < TAUGHT_SHARE:
            seen = frames_BSHW.shape[1] - 1
        said = self.every(frames_BSHW[:, :seen], frames_BSHW.shape[1] - seen)
        return bce(said, frames_BSHW[:, 1:])

    def every(self, seen_BTHW: Tensor, ahead: int) -> Tensor:
        """Return logits of every frame but the first, to the last one ahead."""
        state, said = _empty(seen_BTHW[:, 0]), list[Tensor]()
        for frame_BHW in seen_BTHW.unbind(1):
            state = self._see(frame_BHW, state)
            said.append(self._said(frame_BHW, state))
        for _ in range(ahead - 1):
            last_BHW = torch.sigmoid(said[-1]).detach()
            state = self._see(last_BHW, state)
            said.append(self._said(last_BHW, state))
        return torch.stack(said, dim=1)

    def _see(self, frame_BHW: Tensor, state: _CellMemory) -> _CellMemory:
        """Return the state after a frame."""
        sum_BHW, frames = state.sum_BHW + frame_BHW, state.frames + 1
        maps, layers = [frame_BHW], list[tuple[Tensor, Tensor]]()
        if self.copies:
            maps.append(CHANGE * (sum_BHW / frames - frame_BHW))
        input_BCYX = self.fold(torch.stack(maps, 1))
        for gates, (hidden, cell) in zip(self.gates, state.layers, strict=True):
            keep, take, give, new = gates(torch.cat([input_BCYX, hidden], 1)).chunk(4, 1)
            cell = torch.sigmoid(keep + 1) * cell + torch.sigmoid(take) * torch.tanh(new)
            input_BCYX = torch.sigmoid(give) * torch.tanh(cell)
            layers.append((input_BCYX, cell))
        return _CellMemory(tuple(layers), sum_BHW, frames)

    def _said(self, last_BHW: Tensor, state: _CellMemory) -> Tensor:
        """Return logits [B, H, W] of the frame after the last, which the state remembers."""
        hidden = torch.cat([hidden for hidden, _ in state.layers], 1)
        return self.over(last_BHW, state.sum_BHW / state.frames, self.unfold(self.say(hidden)))


def _empty(frame_BHW: Tensor) -> _CellMemory:
    """Return what is remembered before the first frame."""
    batch, height, width = frame_BHW.shape
    zero = torch.zeros(batch, CHANNELS, height // FOLD, width // FOLD)
    return _CellMemory(((zero, zero),) * LAYERS, torch.zeros_like(frame_BHW), 0)

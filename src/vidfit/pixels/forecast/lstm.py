"""CNN encoder, LSTM, fully connected decoder: frame after frame to the last.

Srivastava et al., "Unsupervised learning of video representations using LSTMs" (2015), with a small
convolutional encoder in front, and space folded into channels first (Shi et al., "Real-time single
image and video super-resolution", 2016).

Shape letters as in `vidfit.pixels.forecast.forecaster`; Z numbers of a frame's code.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vidfit.pixels.forecast.forecaster import TAUGHT_SHARE, FrameForecaster, bce

FOLD, CHANNELS, CODE, WIDTH, LAYERS = 4, 16, 128, 256, 2


@dataclass(frozen=True)
class _CodeMemory:
    """What is remembered: by the LSTMs, and the sum of so many frames."""

    hidden: tuple[Tensor, Tensor]
    sum_B1HW: Tensor
    frames: int


class CnnLstmFc(FrameForecaster):
    """Each frame becomes a code, an LSTM remembers codes, and its state becomes the next frame.

    The encoder sees a frame and what changed since the one before: so motion stands in the code.

    The decoder sees the code beside the state: it learns to draw from it at once, where from the
    state alone the first 600 steps on moving digits give the mean picture and no more.

    Parameters
    ----------
    side_pixels
        Of the square frames; a multiple of 4.
    copies
        As of all forecasters.
    """

    def __init__(self, side_pixels: int, copies: bool = False) -> None:
        super().__init__(copies)
        cells = side_pixels // FOLD
        self.side_pixels = side_pixels
        self.encoder = nn.Sequential(
            nn.PixelUnshuffle(FOLD),
            nn.Conv2d(2 * FOLD**2, CHANNELS, 3, padding=1), nn.GELU(),
            nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1), nn.GELU(),
            nn.Flatten(), nn.Linear(CHANNELS * cells**2, CODE), nn.LayerNorm(CODE),
        )  # fmt: skip
        self.memory = nn.LSTM(CODE, WIDTH, LAYERS, batch_first=True)
        say = nn.Linear(WIDTH, self.maps * side_pixels**2)
        self.decoder = nn.Sequential(nn.Linear(WIDTH + CODE, WIDTH), nn.GELU(), say)
        self.begun(say)

    def forward(self, seen_BTHW: Tensor, ahead: int) -> Tensor:
        """Return logits [B, A, H, W]: each frame that is said is seen before the next."""
        return self._said(seen_BTHW, ahead)[:, -ahead:]

    def loss(self, frames_BSHW: Tensor, seen: int, done: float) -> Tensor:
        """Return the loss of every frame but the first; those ahead are told before the next.

        After the taught share those ahead are said from what was said, through which no gradient
        goes: over ten frames it grows until it undoes what was learned before.
        """
        if done < TAUGHT_SHARE:
            said, _ = self._next(frames_BSHW[:, :-1], None)
        else:
            said = self._said(frames_BSHW[:, :seen], frames_BSHW.shape[1] - seen)
        return bce(said, frames_BSHW[:, 1:])

    def _said(self, seen_BTHW: Tensor, ahead: int) -> Tensor:
        """Return logits of every frame but the first, to the last one ahead."""
        logits, state = self._next(seen_BTHW, None)
        last_B2HW, said = seen_BTHW[:, -1:], [logits]
        for _ in range(ahead - 1):
            last_BHW = torch.sigmoid(said[-1][:, -1:]).detach()
            last_B2HW = torch.cat([last_B2HW[:, -1:], last_BHW], dim=1)
            logits, state = self._next(last_B2HW, state)
            said.append(logits)
        return torch.cat(said, dim=1)

    def _next(self, frames_BTHW: Tensor, state: _CodeMemory | None) -> tuple[Tensor, _CodeMemory]:
        """Return logits of the frame after each, [B, T, H, W], and the state after the last.

        With a state, the first frame is one that was seen: only what it changed into is new.
        """
        before_BTHW = frames_BTHW[:, :-1]
        if state is None:
            before_BTHW = torch.cat([frames_BTHW[:, :1], before_BTHW], dim=1)
        now_BTHW = frames_BTHW[:, -before_BTHW.shape[1] :]
        codes_BTZ = self._codes(before_BTHW, now_BTHW)
        hidden_BTE, hidden = self.memory(codes_BTZ, state.hidden if state else None)
        drawn = self.decoder(torch.cat([hidden_BTE, codes_BTZ], dim=-1))
        drawn = drawn.unflatten(-1, (self.maps, *now_BTHW.shape[2:]))
        frames = state.frames if state else 0
        count_T11 = frames + torch.arange(1, now_BTHW.shape[1] + 1)[:, None, None]
        sum_BTHW = now_BTHW.cumsum(1) + (state.sum_B1HW if state else 0.0)
        said = self.over(now_BTHW, sum_BTHW / count_T11, drawn)
        return said, _CodeMemory(hidden, sum_BTHW[:, -1:], frames + now_BTHW.shape[1])

    def _codes(self, before_BTHW: Tensor, now_BTHW: Tensor) -> Tensor:
        pairs = torch.stack([now_BTHW, now_BTHW - before_BTHW], dim=2)
        codes: Tensor = self.encoder(pairs.flatten(0, 1))
        return codes.reshape(*now_BTHW.shape[:2], CODE)

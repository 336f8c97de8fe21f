"""CNN encoder, LSTM, fully connected decoder: frame after frame to the last.

Srivastava et al., "Unsupervised learning of video representations using LSTMs" (2015), with a small
convolutional encoder in front, and space folded into channels first (Shi et al., "Real-time single
image and video super-resolution", 2016).

Shape letters as in `vidfit.pixels.forecast.forecaster`; Z numbers of a frame's code.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vidfit.pixels.forecast.forecaster import TAUGHT_SHARE, FrameForecaster, bce

FOLD, CHANNELS, CODE, WIDTH, LAYERS = 4, 16, 128, 256, 2

_State = tuple[Tensor, Tensor]


class CnnLstmFc(FrameForecaster):
    """Each frame becomes a code, an LSTM remembers codes, and its state becomes the next frame.

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
            nn.Conv2d(FOLD**2, CHANNELS, 3, padding=1), nn.GELU(),
            nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1), nn.GELU(),
            nn.Flatten(), nn.Linear(CHANNELS * cells**2, CODE), nn.LayerNorm(CODE),
        )  # fmt: skip
        self.memory = nn.LSTM(CODE, WIDTH, LAYERS, batch_first=True)
        say = nn.Linear(WIDTH, side_pixels**2)
        self.decoder = nn.Sequential(nn.Linear(WIDTH + CODE, WIDTH), nn.GELU(), say)
        self.begun(say)

    def forward(self, seen_BTHW: Tensor, ahead: int) -> Tensor:
        """Return logits [B, A, H, W]: each frame that is said is seen before the next."""
        logits, state = self._next(seen_BTHW[:, -1:], self._remember(seen_BTHW[:, :-1]))
        said = [logits]
        for _ in range(ahead - 1):
            logits, state = self._next(torch.sigmoid(logits), state)
            said.append(logits)
        return torch.cat(said, dim=1)

    def loss(self, frames_BSHW: Tensor, seen: int, done: float) -> Tensor:
        """Return the loss of every next frame while it is taught, and of those ahead after."""
        if done >= TAUGHT_SHARE:
            return super().loss(frames_BSHW, seen, done)
        logits, _ = self._next(frames_BSHW[:, :-1], None)
        return bce(logits, frames_BSHW[:, 1:])

    def _remember(self, frames_BTHW: Tensor) -> _State | None:
        """Return the state after frames that are seen."""
        if not frames_BTHW.shape[1]:
            return None
        state: _State = self.memory(self._codes(frames_BTHW))[1]
        return state

    def _next(self, frames_BTHW: Tensor, state: _State | None) -> tuple[Tensor, _State]:
        """Return logits [B, T, H, W] of the frame after each, and the state after the last."""
        codes_BTZ = self._codes(frames_BTHW)
        hidden_BTE, state = self.memory(codes_BTZ, state)
        drawn = self.decoder(torch.cat([hidden_BTE, codes_BTZ], dim=-1)).unflatten(
            -1, (self.side_pixels, self.side_pixels)
        )
        return self.over(frames_BTHW, drawn), state

    def _codes(self, frames_BTHW: Tensor) -> Tensor:
        codes: Tensor = self.encoder(frames_BTHW.flatten(0, 1)[:, None])
        return codes.reshape(*frames_BTHW.shape[:2], CODE)

"""All frames ahead at once, by convolutions over frames that are laid over each other.

After Gao et al., "SimVP: simpler yet better video prediction" (2022): an encoder of each frame, a
translator of all of them together, a decoder of each. Smaller: cells of 4 x 4 pixels in place of
strided convolutions, and residual blocks in place of Inception modules.

Shape letters as in `vidfit.pixels.forecast.forecaster`; C channels, Y and X cells.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vidfit.pixels.forecast.forecaster import CHANGE, FrameForecaster

FOLD, CHANNELS, WIDTH, BLOCKS = 4, 16, 96, 4


class ConvTranslator(FrameForecaster):
    """Cells of the frames that are seen, as channels, become those of the frames ahead.

    Parameters
    ----------
    seen, ahead
        Frames in, and frames out at once; further ones are said from those that were said.
    copies
        As of all forecasters; frames are then seen as their differences from the last.
    """

    def __init__(self, seen: int, ahead: int, copies: bool = False) -> None:
        super().__init__(copies)
        self.seen, self.ahead = seen, ahead
        self.encoder = nn.Sequential(
            nn.PixelUnshuffle(FOLD), nn.Conv2d(FOLD**2, CHANNELS, 3, padding=1), nn.GELU()
        )
        say = nn.Conv2d(WIDTH, ahead * self.maps * FOLD**2, 1)
        self.translator = nn.Sequential(
            nn.Conv2d((seen + self.copies) * CHANNELS, WIDTH, 1),
            *(_NormedBlock(WIDTH) for _ in range(BLOCKS)),
            nn.GELU(),
            say,
        )
        self.begun(say)
        self.unfold = nn.PixelShuffle(FOLD)

    def forward(self, seen_BTHW: Tensor, ahead: int) -> Tensor:
        """Return logits [B, A, H, W]; of more frames than it says at once, a part at a time."""
        frames_BTHW = seen_BTHW[:, -self.seen :]
        said: list[Tensor] = []
        while sum(one.shape[1] for one in said) < ahead:
            said.append(self._at_once(frames_BTHW))
            frames_BTHW = torch.cat([frames_BTHW, torch.sigmoid(said[-1])], 1)[:, -self.seen :]
        return torch.cat(said, dim=1)[:, :ahead]

    def _at_once(self, seen_BTHW: Tensor) -> Tensor:
        last_B1HW, frames_BTHW = seen_BTHW[:, -1:], seen_BTHW
        if self.copies:
            frames_BTHW = torch.cat([CHANGE * (seen_BTHW - last_B1HW), last_B1HW], 1)
        cells = self.encoder(frames_BTHW.flatten(0, 1)[:, None])
        together = cells.unflatten(0, frames_BTHW.shape[:2]).flatten(1, 2)
        ahead = self.translator(together).unflatten(1, (self.ahead, -1))
        mean_B1HW = seen_BTHW.mean(1, keepdim=True)
        return self.over(last_B1HW, mean_B1HW, self.unfold(ahead))


class _NormedBlock(nn.Module):
    """A residual block before which its input is normalised."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.change = nn.Sequential(
            nn.GroupNorm(1, width), nn.Conv2d(width, width, 3, padding=1), nn.GELU(),
            nn.Conv2d(width, width, 3, padding=1),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        changed: Tensor = x + self.change(x)
        return changed

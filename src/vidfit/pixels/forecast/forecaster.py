"""What all forecasters have in common: frames seen go in, logits of the pixels ahead come out.

Shape letters: B sequences, T frames that are seen, A frames ahead, H and W pixels.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn
from torch.nn import functional

TAUGHT_SHARE = 0.6
"""Of training, in which each frame is said from the true one before it, not from the said one."""

HALF_LEVEL = 0.5 / 255
"""Least and, from one, highest probability of a pixel whose brightness is given with 8 bits."""

CHANGE = 4.0
"""What small differences of brightness are multiplied with where networks see them."""


class FrameForecaster(nn.Module, ABC):
    """A network that says the frames ahead, with a probability for each pixel.

    A pixel's brightness in [0, 1] is taken for the probability that it is lit, as is usual for
    digits; of a grey pixel the probability says how bright it is expected to be.

    Parameters
    ----------
    copies
        Whether the network changes the last frame in place of drawing whole ones: so it begins as
        ``copy-last``, and where nothing has moved it stays so.
    """

    def __init__(self, copies: bool) -> None:
        super().__init__()
        self.copies = copies

    @property
    def maps(self) -> int:
        """How many maps are drawn of a frame: one of logits, or two that say what changes."""
        return 2 if self.copies else 1

    @abstractmethod
    def forward(self, seen_BTHW: Tensor, ahead: int) -> Tensor:
        """Return logits [B, A, H, W] of the frames after those in [0, 1] that are seen."""

    def loss(self, frames_BSHW: Tensor, seen: int, done: float) -> Tensor:
        """Return the mean cross-entropy of a pixel over frames that are learned from.

        Parameters
        ----------
        frames_BSHW
            Those that are seen, and those ahead of them.
        done
            Share of training that is over.
        """
        said = self(frames_BSHW[:, :seen], frames_BSHW.shape[1] - seen)
        return bce(said, frames_BSHW[:, seen:])

    def over(self, last: Tensor, mean: Tensor, drawn: Tensor) -> Tensor:
        """Return logits [..., H, W] of what was drawn, [..., maps, H, W].

        A network that copies moves each pixel of the last frame toward the mean of the frames
        before it, or away from it, and adds to its logit where something differs from that mean.
        """
        if not self.copies:
            return drawn[..., 0, :, :]
        share, change = drawn.unbind(-3)
        apart = mean - last
        moved = logits_of(last + torch.tanh(share) * apart)
        return moved + _near(apart) * change

    def begun(self, last_layer: nn.Linear | nn.Conv2d) -> None:
        """Let a network that copies begin by changing nothing."""
        if self.copies:
            nn.init.zeros_(last_layer.weight)
            if last_layer.bias is not None:
                nn.init.zeros_(last_layer.bias)


def _near(apart: Tensor) -> Tensor:
    """Return where something has moved within 4 pixels, 0 to 1; 1 from 5 % of the brightness."""
    around = functional.max_pool2d(apart.abs().flatten(0, -3)[:, None], 9, 1, 4)
    return (20 * around).clamp(max=1.0)[:, 0].reshape(apart.shape)


def logits_of(frames: Tensor) -> Tensor:
    """Return the logit of each brightness in [0, 1], as far as 8 bits tell it."""
    return torch.logit(frames.clamp(HALF_LEVEL, 1 - HALF_LEVEL))


def bce(logits: Tensor, truth: Tensor) -> Tensor:
    """Return the mean binary cross-entropy of a pixel, in nats."""
    return functional.binary_cross_entropy_with_logits(logits, truth)

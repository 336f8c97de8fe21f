"""Small networks that add to bicubic what it lacks, on luma, at the size of the small picture.

All layers work on the small picture and the last one makes ``scale²`` values a pixel, which are
laid out as pixels of the large one (Shi et al. 2016, "Real-time single image and video
super-resolution using an efficient sub-pixel convolutional neural network"). Blocks are residual,
without normalisation (Lim et al. 2017, "Enhanced deep residual networks for single image
super-resolution"). The last layer begins at zero: before it learns the answer is bicubic's.

Shape letters: B frames, H rows, W columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import pixel_shuffle, relu

from vidfit.pixels.restore.enlarge import bicubic


@dataclass(frozen=True)
class RestoreSizes:
    """What a network is built from.

    Parameters
    ----------
    scale
        2 or 4.
    width, blocks
        Channels, and residual blocks of two convolutions.
    """

    scale: int
    width: int = 32
    blocks: int = 3

    @property
    def reach_pixels(self) -> int:
        """How far a pixel of the small picture reaches: layers, and two for bicubic."""
        return 2 * self.blocks + 4


class RestoreNetwork(nn.Module):
    """From small frames of 0 to 1 to large ones."""

    def __init__(self, sizes: RestoreSizes) -> None:
        super().__init__()
        self.sizes = sizes
        width = sizes.width
        self.head = _conv(1, width)
        self.blocks = nn.ModuleList(_Block(width) for _ in range(sizes.blocks))
        self.tail = _conv(width, sizes.scale**2)
        nn.init.zeros_(self.tail.weight)
        nn.init.zeros_(cast(Tensor, self.tail.bias))
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, planes_B1HW: Tensor) -> Tensor:
        """Return large frames, [B, 1, scale H, scale W], not clipped."""
        scale = self.sizes.scale
        height, width = planes_B1HW.shape[2] * scale, planes_B1HW.shape[3] * scale
        seen = self.head(planes_B1HW - 0.5)
        for block in self.blocks:
            seen = block(seen)
        added: Tensor = pixel_shuffle(self.tail(seen), scale)
        return bicubic(planes_B1HW, height, width) + added


class _Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = _conv(width, width), _conv(width, width)

    def forward(self, seen: Tensor) -> Tensor:
        added: Tensor = self.second(relu(self.first(seen)))
        return seen + added


def _conv(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1)

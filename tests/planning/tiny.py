"""A small network to plan for; `vidfit.planning.probe` finds it by this module's name."""

from __future__ import annotations

import torch
from torch import nn

from vidfit.networks.clips import Clips
from vidfit.networks.tuned import Tuned
from vidfit.planning.trial import Trainee

WIDTH, BLOCKS, CLASSES = 64, 4, 3


class Encoder(nn.Module):
    """Blocks of linear layers over the pixels of 16 x 16 frames.

    No convolutions: their kernels take memory for themselves, much beside tensors so small.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Linear(3, WIDTH)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.GELU()) for _ in range(BLOCKS)
        )

    def forward(self, frames_BTHWC):
        x = self.stem(frames_BTHWC[:, 0].flatten(1, 2).float() / 255)
        for block in self.blocks:
            x = block(x)
        return x.mean(1)[:, None]


class Head(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.answer = nn.Linear(WIDTH, CLASSES)

    def forward(self, clips):
        return self.answer(clips.tokens_BND[:, 0])


class Peeks(Head):
    """Looks at values, as no network of shapes alone can."""

    def forward(self, clips):
        float(clips.tokens_BND.sum().item() > 0)
        return super().forward(clips)


def trainee(arguments):
    head = Peeks() if arguments.get("peeks") else Head()
    return Trainee(Tuned(Encoder(), head, 1, WIDTH), batch, CLASSES)


def batch(count):
    return Clips(frames_BVTHWC=torch.zeros(count, 1, 1, 16, 16, 3, dtype=torch.uint8))

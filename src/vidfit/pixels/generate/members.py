"""What draws clips: members, and pools in which each of them draws a share.

Shape letters: B clips that are asked for, T frames, S side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import nn

from vidfit.contracts import Frames, Indices
from vidfit.language.codebook import Codebook
from vidfit.networks.gpt import GptLanguage
from vidfit.pixels.generate.bank import as_frames, one_hot
from vidfit.pixels.generate.prior import LatentFlow
from vidfit.pixels.generate.sizes import ClipSizes
from vidfit.pixels.generate.tokens import draw_tokens, frames_of
from vidfit.pixels.generate.vae import ClipDecoder

_AT_ONCE = 128


class ClipDrawer(Protocol):
    """Draws clips of classes."""

    @property
    def name(self) -> str:
        """What reports call it."""
        ...

    def draw(self, labels_B: Indices, seed: int) -> Frames:
        """Return a clip [B, T, S, S, 3] for each class; the same for the same seed."""
        ...


@dataclass(frozen=True, eq=False)
class LatentMember:
    """A decoder over latents of a flow; without one over the normal prior of a VAE."""

    name: str
    sizes: ClipSizes
    decoder: ClipDecoder
    flow: LatentFlow | None = None

    def draw(self, labels_B: Indices, seed: int) -> Frames:
        """Return clips."""
        found = []
        with torch.random.fork_rng(devices=()), torch.no_grad():
            torch.manual_seed(seed)
            for start in range(0, len(labels_B), _AT_ONCE):
                classes = one_hot(labels_B[start : start + _AT_ONCE], len(self.sizes.classes))
                size = (len(classes), self.sizes.latent)
                latent = self.flow.draw(classes) if self.flow else torch.randn(size)
                found.append(as_frames(self.decoder(latent, classes)))
        return np.concatenate(found)


@dataclass(frozen=True, eq=False)
class TokenMember:
    """A GPT, and the codebook that its tokens stand for."""

    name: str
    sizes: ClipSizes
    gpt: GptLanguage
    book: Codebook

    def draw(self, labels_B: Indices, seed: int) -> Frames:
        """Return clips."""
        looks_VD = self.book.centres_VD / self.book.scale_D
        found = []
        with torch.random.fork_rng(devices=()):
            torch.manual_seed(seed)
            for start in range(0, len(labels_B), _AT_ONCE):
                tokens = draw_tokens(self.gpt, labels_B[start : start + _AT_ONCE], self.sizes)
                found.append(frames_of(looks_VD[tokens - 1], self.sizes))
        return np.concatenate(found)


@dataclass(frozen=True, eq=False)
class SharedPool:
    """Members that each draw a share of the clips.

    Parameters
    ----------
    shares
        Of each member; they sum to one.
    """

    name: str
    sizes: ClipSizes
    members: Sequence[ClipDrawer]
    shares: Sequence[float]

    def draw(self, labels_B: Indices, seed: int) -> Frames:
        """Return clips; which member draws which is drawn at random."""
        sizes = self.sizes
        clips = np.zeros((len(labels_B), sizes.frames, sizes.side, sizes.side, 3), np.uint8)
        drawer_B = np.random.default_rng([seed, 11]).choice(
            len(self.members), size=len(labels_B), p=np.asarray(self.shares) / sum(self.shares)
        )
        for place, member in enumerate(self.members):
            (rows,) = np.nonzero(drawer_B == place)
            if len(rows):
                clips[rows] = member.draw(labels_B[rows], seed * 31 + place)
        return clips


def drawn_labels(count: int, sizes: ClipSizes, seed: int) -> Indices:
    """Return classes [B] as frequent as among the clips that were learned from."""
    if not sizes.classes:
        return np.full(count, -1, np.int64)
    shares = np.asarray(sizes.shares) / np.sum(sizes.shares)
    return np.random.default_rng([seed, 7]).choice(len(shares), size=count, p=shares)


def quiet(*modules: nn.Module) -> None:
    """Take networks out of training."""
    for module in modules:
        module.eval()
        module.requires_grad_(False)

"""What draws clips: members, and a pool of them among whose clips a critic chooses.

Shape letters: B clips that are asked for, T frames, S side, N clips of a pool.
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
from vidfit.pixels.generate.bank import as_frames, as_numbers, one_hot
from vidfit.pixels.generate.polish import ClipCritic
from vidfit.pixels.generate.prior import LatentFlow
from vidfit.pixels.generate.sizes import ClipSizes
from vidfit.pixels.generate.tokens import draw_tokens, frames_of
from vidfit.pixels.generate.vae import ClipDecoder

POOL = 4
"""Clips that are drawn for each that a critic chooses."""

_AT_ONCE = 128
_LARGEST = 0.05
"""Share of the weights at either end that count as the ones next to them: no clip outweighs all."""


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
class CriticPool:
    """Members that draw more clips than are asked for, of which a critic chooses.

    A critic that tells real clips from drawn ones says how many times as frequent a clip is among
    real ones: the exponent of its logit (Azadi et al. 2019). So many times it is drawn, without
    putting back (Gumbel top-k; Kool et al. 2019), class by class.
    """

    name: str
    sizes: ClipSizes
    members: Sequence[ClipDrawer]
    critic: ClipCritic

    def draw(self, labels_B: Indices, seed: int) -> Frames:
        """Return clips."""
        each = -(-POOL // len(self.members))
        wanted_N = np.tile(labels_B, each * len(self.members))
        parts = np.split(wanted_N, len(self.members))
        drawn = np.concatenate(
            [
                member.draw(part, seed * 31 + place)
                for place, (member, part) in enumerate(zip(self.members, parts, strict=True))
            ]
        )
        logits_N = judged(self.critic, drawn, wanted_N, len(self.sizes.classes))
        rows_B = chosen(logits_N, wanted_N, labels_B, seed)
        return drawn[rows_B]


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


def judged(critic: ClipCritic, frames: Frames, labels_N: Indices, classes: int) -> Indices:
    """Return a critic's logits [N] of clips, as float64."""
    found = []
    with torch.no_grad():
        for start in range(0, len(frames), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            clips = as_numbers(frames[part])
            found.append(critic(clips, one_hot(labels_N[part], classes)).double().numpy())
    return np.concatenate(found)


def chosen(logits_N: Indices, wanted_N: Indices, labels_B: Indices, seed: int) -> Indices:
    """Return which of the clips of a pool stand for those that were asked for, [B]."""
    low, high = np.quantile(logits_N, [_LARGEST, 1 - _LARGEST])
    noise_N = np.random.default_rng(seed).gumbel(size=len(logits_N))
    merit_N = np.clip(logits_N, low, high) + noise_N
    rows_B = np.zeros(len(labels_B), np.int64)
    for label in np.unique(labels_B):
        (asked,) = np.nonzero(labels_B == label)
        (drawn,) = np.nonzero(wanted_N == label)
        rows_B[asked] = drawn[np.argsort(-merit_N[drawn], kind="stable")[: len(asked)]]
    return rows_B


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

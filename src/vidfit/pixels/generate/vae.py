"""A variational autoencoder of short clips (Kingma and Welling 2014).

The noise of the pixels is learned in closed form, which weighs pictures against latents without a
knob (Rybkin et al. 2021, "Simple and effective VAE training with calibrated decoders"). A latent
number is active where its mean varies over clips (Burda et al. 2016).

Shape letters: B clips, C = 3 T channels, S side, K classes, L latent numbers.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn

from vidfit.pixels.generate.bank import ClipBank, as_numbers, one_hot
from vidfit.pixels.generate.sizes import BLOCK_PIXELS, ClipSizes
from vidfit.pixels.learn import Descent

BATCH, RATE = 32, 2e-3
ACTIVE_VARIANCE = 0.01
"""Of the mean of a latent number, from which on it is active."""

_LEAST_ERROR = 1e-5
"""Mean squared error of pixels below which nothing is to be gained: a tenth of a grey level."""

_LEAST, _MOST = -12.0, 4.0
"""Of the logarithm of a posterior's variance."""

_AT_ONCE = 128


class ClipEncoder(nn.Module):
    """Three strided convolutions over the frames as channels: [B, C, S, S] to [B, 2 L]."""

    def __init__(self, sizes: ClipSizes) -> None:
        super().__init__()
        wide = [sizes.width * n for n in (1, 2, 3)]
        self.body = nn.Sequential(
            nn.Conv2d(3 * sizes.frames, wide[0], 4, 2, 1), nn.SiLU(),
            nn.Conv2d(wide[0], wide[1], 4, 2, 1), nn.GroupNorm(8, wide[1]), nn.SiLU(),
            nn.Conv2d(wide[1], wide[2], 4, 2, 1), nn.GroupNorm(8, wide[2]), nn.SiLU(),
            nn.Flatten(),
        )  # fmt: skip
        flat = wide[2] * (sizes.side // BLOCK_PIXELS) ** 2
        self.out = nn.Linear(flat + len(sizes.classes), 2 * sizes.latent)

    def forward(self, clips_BCSS: Tensor, classes_BK: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance [B, L] of the posterior."""
        both = self.out(torch.cat([self.body(clips_BCSS), classes_BK], dim=1))
        mean_BL, log_BL = both.chunk(2, dim=1)
        return mean_BL, log_BL.clamp(_LEAST, _MOST)


class ClipDecoder(nn.Module):
    """The reverse: latents [B, L] to clips [B, C, S, S], about -1 to 1."""

    def __init__(self, sizes: ClipSizes) -> None:
        super().__init__()
        self.wide = [sizes.width * n for n in (3, 2, 1)]
        self.cells = sizes.side // BLOCK_PIXELS
        self.into = nn.Linear(sizes.latent + len(sizes.classes), self.wide[0] * self.cells**2)
        self.body = nn.Sequential(
            nn.SiLU(),
            nn.ConvTranspose2d(self.wide[0], self.wide[1], 4, 2, 1),
            nn.GroupNorm(8, self.wide[1]), nn.SiLU(),
            nn.ConvTranspose2d(self.wide[1], self.wide[2], 4, 2, 1),
            nn.GroupNorm(8, self.wide[2]), nn.SiLU(),
        )  # fmt: skip
        self.last = nn.ConvTranspose2d(self.wide[2], 3 * sizes.frames, 4, 2, 1)

    def forward(self, latent_BL: Tensor, classes_BK: Tensor) -> Tensor:
        """Return the mean of the pixels."""
        x = self.into(torch.cat([latent_BL, classes_BK], dim=1))
        x = self.body(x.unflatten(1, (self.wide[0], self.cells, self.cells)))
        clips_BCSS: Tensor = self.last(x)
        return clips_BCSS


class VideoVae(nn.Module):
    """Encoder and decoder."""

    def __init__(self, sizes: ClipSizes) -> None:
        super().__init__()
        self.encoder, self.decoder = ClipEncoder(sizes), ClipDecoder(sizes)

    def loss(self, clips_BCSS: Tensor, classes_BK: Tensor) -> Tensor:
        """Return the negative evidence bound in nats a pixel number, but for a constant."""
        mean_BL, log_BL = self.encoder(clips_BCSS, classes_BK)
        latent_BL = mean_BL + torch.randn_like(mean_BL) * (0.5 * log_BL).exp()
        error = (self.decoder(latent_BL, classes_BK) - clips_BCSS).square().mean()
        divergence = 0.5 * (mean_BL**2 + log_BL.exp() - 1 - log_BL).sum(dim=1).mean()
        numbers = clips_BCSS[0].numel()
        nats: Tensor = 0.5 * error.clamp(min=_LEAST_ERROR).log() + divergence / numbers
        return nats


def vae_trainee(vae: VideoVae, bank: ClipBank, classes: int) -> Descent:
    """Return what trains a VAE on a bank of clips."""

    def loss(rng: np.random.Generator, done: float) -> Tensor:
        return vae.loss(*bank.batch(rng, BATCH, classes))

    return Descent(vae, loss, RATE)


def posteriors(vae: VideoVae, bank: ClipBank, classes: int) -> tuple[Tensor, Tensor]:
    """Return mean and log-variance [N, L] of all clips of a bank."""
    found = []
    with torch.no_grad():
        for start in range(0, len(bank), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            clips = as_numbers(bank.frames_NTSSC[part])
            found.append(vae.encoder(clips, one_hot(bank.labels_N[part], classes)))
    return torch.cat([mean for mean, _ in found]), torch.cat([log for _, log in found])


def active_dimensions(mean_NL: Tensor) -> int:
    """Return how many latent numbers vary over clips."""
    return int((mean_NL.var(dim=0) > ACTIVE_VARIANCE).sum())


def decibels(vae: VideoVae, bank: ClipBank, classes: int) -> float:
    """Return the peak signal-to-noise ratio of clips that are encoded and decoded, in dB."""
    mean_NL, _ = posteriors(vae, bank, classes)
    squares = 0.0
    with torch.no_grad():
        for start in range(0, len(bank), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            made = vae.decoder(mean_NL[part], one_hot(bank.labels_N[part], classes))
            wrong = made.clamp(-1, 1) - as_numbers(bank.frames_NTSSC[part])
            squares += float(wrong.square().mean()) * len(made)
    return 10 * math.log10(4 / max(squares / len(bank), 1e-10))

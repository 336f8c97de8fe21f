"""A decoder that learns to deceive a critic (Goodfellow et al. 2014), and the critic itself.

The clips to deceive with are drawn from the flow; encoded clips go on being decoded well, weighed
so that both pull alike at the last layer (Esser et al. 2021, "Taming transformers", equation 7).
What the critic sees of few clips is shifted and brightened (Zhao et al. 2020, DiffAugment), and its
slope at real ones is held down now and then (R1; Mescheder et al. 2018).

Shape letters: B clips, C = 3 T channels, S side, K classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from vidfit.pixels.generate.bank import ClipBank
from vidfit.pixels.generate.prior import LatentFlow
from vidfit.pixels.generate.sizes import BLOCK_PIXELS, ClipSizes
from vidfit.pixels.generate.vae import VideoVae
from vidfit.pixels.learn import Descent
from vidfit.training.checkpoint import Saved, gathered, scatter

BATCH, RATE, CRITIC_RATE = 32, 2e-4, 4e-4
PENALTY, PENALTY_EVERY = 1.0, 8
SHIFTED_SHARE = 8
"""Clips are moved by up to one of so many parts of their side."""

_ADVERSARY = 0.5
_MOST_WEIGHT = 1e4


class ClipCritic(nn.Module):
    """How real a clip looks: clips [B, C, S, S] and classes [B, K] to logits [B].

    A class is judged by the projection of what was seen on it (Miyato and Koyama 2018).
    """

    def __init__(self, sizes: ClipSizes) -> None:
        super().__init__()
        wide = [sizes.width * n for n in (1, 2, 3)]
        self.body = nn.Sequential(
            nn.Conv2d(3 * sizes.frames, wide[0], 4, 2, 1), nn.LeakyReLU(0.2),
            nn.Conv2d(wide[0], wide[1], 4, 2, 1), nn.LeakyReLU(0.2),
            nn.Conv2d(wide[1], wide[2], 4, 2, 1), nn.LeakyReLU(0.2), nn.Flatten(),
        )  # fmt: skip
        flat = wide[2] * (sizes.side // BLOCK_PIXELS) ** 2
        self.seen = nn.Sequential(nn.Linear(flat, wide[2]), nn.LeakyReLU(0.2))
        self.out = nn.Linear(wide[2], 1)
        count = len(sizes.classes)
        self.of_class = nn.Linear(count, wide[2], bias=False) if count else None

    def forward(self, clips_BCSS: Tensor, classes_BK: Tensor) -> Tensor:
        """Return logits."""
        seen = self.seen(self.body(clips_BCSS))
        logits_B: Tensor = self.out(seen)[:, 0]
        if self.of_class is not None:
            logits_B = logits_B + (seen * self.of_class(classes_BK)).sum(dim=1) / seen.shape[1]
        return logits_B


def disturbed(clips_BCSS: Tensor) -> Tensor:
    """Return clips brightened and shifted at random, all frames of a clip alike."""
    batch, _, side, _ = clips_BCSS.shape
    clips = clips_BCSS + (torch.rand(batch, 1, 1, 1) - 0.5)
    most = max(1, side // SHIFTED_SHARE)
    padded = functional.pad(clips, (most,) * 4)
    places = torch.randint(0, 2 * most + 1, (2, batch, 1))
    rows, columns = places + torch.arange(side)
    clip = torch.arange(batch)[:, None, None]
    moved: Tensor = padded.permute(0, 2, 3, 1)[clip, rows[:, :, None], columns[:, None, :]]
    return moved.permute(0, 3, 1, 2)


@dataclass(frozen=True, eq=False)
class PolishStart:
    """What polishing begins with: a VAE, the flow over its latents, and clips."""

    vae: VideoVae
    flow: LatentFlow
    bank: ClipBank
    sizes: ClipSizes


class PolishTrainee:
    """A decoder and a critic that play against each other, a step each in turn."""

    def __init__(self, start: PolishStart) -> None:
        self._start, self.vae = start, start.vae
        self.critic = ClipCritic(start.sizes)
        self._made = torch.optim.AdamW(self.vae.decoder.parameters(), RATE, (0.0, 0.99))
        self._judged = torch.optim.AdamW(self.critic.parameters(), CRITIC_RATE, (0.0, 0.99))
        self._steps = 0

    def step(self, rng: np.random.Generator, done: float) -> float:
        """Let the critic learn from a batch, then the decoder; return the decoder's loss."""
        rate = min(1.0, 20 * (done + 0.002)) * (1 - done) ** 0.5
        for optimizer, highest in ((self._made, RATE), (self._judged, CRITIC_RATE)):
            for group in optimizer.param_groups:
                group["lr"] = highest * rate
        real, classes = self._start.bank.batch(rng, BATCH, len(self._start.sizes.classes))
        latent = self._start.flow.draw(classes)
        self._judge(real, latent, classes)
        self._steps += 1
        return self._make(real, latent, classes)

    def _judge(self, real: Tensor, latent: Tensor, classes: Tensor) -> None:
        with torch.no_grad():
            made = self.vae.decoder(latent, classes)
        loss = functional.softplus(-self.critic(disturbed(real), classes)).mean()
        loss = loss + functional.softplus(self.critic(disturbed(made), classes)).mean()
        if self._steps % PENALTY_EVERY == 0:
            seen = real.clone().requires_grad_()
            (slope,) = torch.autograd.grad(
                self.critic(seen, classes).sum(), seen, create_graph=True
            )
            loss = loss + 0.5 * PENALTY * PENALTY_EVERY * slope.square().sum((1, 2, 3)).mean()
        self._judged.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.critic.parameters(), 1.0)
        self._judged.step()

    def _make(self, real: Tensor, latent: Tensor, classes: Tensor) -> float:
        decoder = self.vae.decoder
        with torch.no_grad():
            mean, log = self.vae.encoder(real, classes)
            seen = mean + torch.randn_like(mean) * (0.5 * log).exp()
        both = decoder(torch.cat([seen, latent]), torch.cat([classes, classes]))
        kept, made = both.chunk(2)
        rebuilt = 0.5 * (kept - real).square().mean().clamp(min=1e-5).log()
        deceived = functional.softplus(-self.critic(disturbed(made), classes)).mean()
        last = decoder.last.weight
        pulls = [
            torch.autograd.grad(x, last, retain_graph=True)[0].norm() for x in (rebuilt, deceived)
        ]
        weight = _ADVERSARY * (pulls[0] / (pulls[1] + 1e-6)).clamp(0, _MOST_WEIGHT)
        loss = rebuilt + weight.detach() * deceived
        self._made.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(decoder.parameters(), 1.0)
        self._made.step()
        return float(loss.detach())

    def state(self) -> Saved:
        """Return all that a later step depends on."""
        made, made_groups = gathered(self.vae.decoder, self._made)
        judged, judged_groups = gathered(self.critic, self._judged)
        tensors = {f"made/{n}": t for n, t in made.items()}
        tensors |= {f"judged/{n}": t for n, t in judged.items()}
        facts = {"made": made_groups, "judged": judged_groups, "steps": self._steps}
        return Saved(tensors, facts)

    def restore(self, saved: Saved) -> None:
        """Take back what `state` returned."""
        facts = saved.facts
        scatter(Saved(saved.part("made"), {}), self.vae.decoder, self._made, facts["made"])
        scatter(Saved(saved.part("judged"), {}), self.critic, self._judged, facts["judged"])
        self._steps = int(facts["steps"])


def critic_trainee(critic: ClipCritic, bank: ClipBank, made: ClipBank, classes: int) -> Descent:
    """Return what trains a critic to tell clips of a bank from clips that were made."""

    def loss(rng: np.random.Generator, done: float) -> Tensor:
        real, of_real = bank.batch(rng, BATCH, classes)
        drawn, of_drawn = made.batch(rng, BATCH, classes)
        wrong = functional.softplus(-critic(disturbed(real), of_real)).mean()
        return wrong + functional.softplus(critic(disturbed(drawn), of_drawn)).mean()

    return Descent(critic, loss, CRITIC_RATE, decay=1e-2)

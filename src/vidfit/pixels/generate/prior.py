"""A spline flow over the latents of a VAE: where clips really lie, in place of one normal cloud.

Durkan et al. (2019), "Neural spline flows", in couplings (two passes). It learns the aggregate
posterior: a clip's latent is drawn anew at each step. On latents of recordings that are held back
it is watched, and the weights that said most of them are kept: a few hundred clips are soon learned
by heart.

Shape letters: N clips, B of a batch, L latent numbers, K classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from vidfit.pixels.generate.bank import one_hot
from vidfit.pixels.generate.sizes import ClipSizes
from vidfit.pixels.learn import Descent
from vidfit.training.checkpoint import Saved

if TYPE_CHECKING:
    from vidfit.contracts import Indices

BATCH, RATE, DECAY = 256, 1e-3, 1e-4
TRANSFORMS, HIDDEN, BINS = 3, 128, 8
_WATCHED_EVERY = 50
_LEAST_DEVIATION = 1e-3


class LatentFlow(nn.Module):
    """A density of latents [B, L], given classes [B, K]."""

    scale: Tensor
    shift: Tensor

    def __init__(self, sizes: ClipSizes) -> None:
        super().__init__()
        import zuko

        self.flow = zuko.flows.NSF(
            sizes.latent,
            context=len(sizes.classes),
            transforms=TRANSFORMS,
            hidden_features=(HIDDEN, HIDDEN),
            bins=BINS,
            passes=2,
        )
        self.register_buffer("shift", torch.zeros(sizes.latent))
        self.register_buffer("scale", torch.ones(sizes.latent))

    def standardise(self, mean_NL: Tensor, log_NL: Tensor) -> None:
        """Take mean and deviation of the aggregate posterior: splines lie within 5 of them."""
        variance_L = mean_NL.var(dim=0) + log_NL.exp().mean(dim=0)
        self.shift.copy_(mean_NL.mean(dim=0))
        self.scale.copy_(variance_L.sqrt().clamp(min=_LEAST_DEVIATION))

    def log_density(self, latent_BL: Tensor, classes_BK: Tensor) -> Tensor:
        """Return log p of standardised latents [B]."""
        found: Tensor = self._at(classes_BK).log_prob((latent_BL - self.shift) / self.scale)
        return found

    def draw(self, classes_BK: Tensor) -> Tensor:
        """Return a latent [B, L] for each row of classes; `torch`'s random numbers decide."""
        with torch.no_grad():
            if classes_BK.shape[1]:
                found: Tensor = self._at(classes_BK).sample()
            else:
                found = self.flow().sample((len(classes_BK),))
        return found * self.scale + self.shift

    def _at(self, classes_BK: Tensor) -> Any:  # noqa: ANN401  (a distribution of zuko)
        return self.flow(classes_BK) if classes_BK.shape[1] else self.flow()


@dataclass(frozen=True, eq=False)
class Posteriors:
    """Of clips: means and log-variances [N, L], and numbers of classes [N]."""

    mean_NL: Tensor
    log_NL: Tensor
    labels_N: Indices


class FlowTrainee:
    """Trains a flow, watches it on other recordings and keeps the weights that were best there."""

    def __init__(
        self, flow: LatentFlow, learned: Posteriors, watched: Posteriors, classes: int
    ) -> None:
        self.flow, self._learned, self._classes = flow, learned, classes
        flow.standardise(learned.mean_NL, learned.log_NL)
        noise = torch.randn(watched.mean_NL.shape, generator=torch.Generator().manual_seed(0))
        self._watched_NL = watched.mean_NL + noise * (0.5 * watched.log_NL).exp()
        self._watched_NK = one_hot(watched.labels_N, classes)
        self._descent = Descent(flow, self._loss, RATE, decay=DECAY)
        self._steps, self._best = 0, float("inf")
        self._kept = self._weights()

    def step(self, rng: np.random.Generator, done: float) -> float:
        """Take a step; now and then look how much is said of other recordings."""
        loss = self._descent.step(rng, done)
        self._steps += 1
        if self._steps % _WATCHED_EVERY == 0:
            self._watch()
        return loss

    def finish(self) -> float:
        """Take the weights that were best; return their nats a clip of other recordings."""
        self._watch()
        self.flow.load_state_dict(self._kept)
        return self._best

    def state(self) -> Saved:
        """Return all that a later step depends on."""
        saved = self._descent.state()
        tensors = {**saved.tensors, **{f"kept/{n}": t for n, t in self._kept.items()}}
        return Saved(tensors, {**saved.facts, "steps": self._steps, "best": self._said()})

    def restore(self, saved: Saved) -> None:
        """Take back what `state` returned."""
        self._descent.restore(saved)
        self._kept = saved.part("kept")
        best = saved.facts["best"]
        self._best = float("inf") if best is None else float(best)
        self._steps = int(saved.facts["steps"])

    def _loss(self, rng: np.random.Generator, done: float) -> Tensor:
        own = self._learned
        rows = torch.from_numpy(rng.integers(len(own.labels_N), size=BATCH))
        mean_BL, log_BL = own.mean_NL[rows], own.log_NL[rows]
        latent_BL = mean_BL + torch.randn_like(mean_BL) * (0.5 * log_BL).exp()
        classes_BK = one_hot(own.labels_N[rows.numpy()], self._classes)
        return -self.flow.log_density(latent_BL, classes_BK).mean()

    def _watch(self) -> None:
        with torch.no_grad():
            nats = -float(self.flow.log_density(self._watched_NL, self._watched_NK).mean())
        if nats < self._best:
            self._best, self._kept = nats, self._weights()

    def _weights(self) -> dict[str, Tensor]:
        return {n: t.detach().clone() for n, t in self.flow.state_dict().items()}

    def _said(self) -> float | None:
        return None if self._best == float("inf") else self._best

"""Distillation without labels: a smaller network learns to give the tokens of the larger one.

Romero et al., "FitNets" (2015), with the last layer as the hint. Both networks see the same
changed view (Beyer et al., "A good teacher is patient and consistent", 2022). The loss is the
mean squared difference in deviations of the teacher's tokens: a linear probe standardises its
features, and so small ones count as much as large ones.

Shape letters: B views, T frames, H height, W width, C channels, N tokens, D features.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from vidfit.contracts import Frames
from vidfit.errors import BackboneError, NotEnoughDataError
from vidfit.progress import SILENT, Progress
from vidfit.schedule import rate_factor
from vidfit.shown import counted

LEAST_VIEWS = 8
"""Fewer give no deviations to measure by."""

DEVIATION_BATCHES = 12
"""Batches that the teacher's deviations are taken of."""

_WARMUP = 0.05
_LEAST_CROP = 0.6
_FLOOR = 0.05


@dataclass(frozen=True, slots=True)
class Distillation:
    """How long and how strongly to learn; the rate rises for 5 % and falls along a cosine.

    Parameters
    ----------
    steps
        Updates of the weights.
    batch_views
        Views an update.
    learning_rate
        Of AdamW, at its highest.
    weight_decay
        Of AdamW.
    largest_norm
        Gradients are scaled down to this norm.
    seed
        Of the order of views and of their changes.
    """

    steps: int = 600
    batch_views: int = 16
    learning_rate: float = 3e-4
    weight_decay: float = 1e-4
    largest_norm: float = 1.0
    seed: int = 0


def distil(
    student: nn.Module,
    teacher: nn.Module,
    views: Sequence[Frames],
    settings: Distillation | None = None,
    progress: Progress = SILENT,
) -> nn.Module:
    """Return a copy of the student that has learned the teacher's tokens; both stay as they are.

    Batch norms keep their statistics: small batches tell little, and so the network that learns is
    the one that runs. Nor are they estimated anew first: `vidfit.compression.prune` fits what it
    leaves to the old ones. Dropout is off. The same seed gives the same network on the same
    machine.

    Parameters
    ----------
    student, teacher
        uint8 views [B, T, H, W, C] -> float32 tokens [B, N, D], equal in N and D.
    views
        uint8 [T, H, W, C], all of one size; may be read from the disk one by one.
    settings
        See `Distillation`.
    progress
        Told of every update.

    Raises
    ------
    NotEnoughDataError
        When there are fewer than 8 views.
    BackboneError
        When the tokens do not match, or learning diverges.
    """
    settings = settings or Distillation()
    if len(views) < LEAST_VIEWS:
        raise NotEnoughDataError(
            f"Distillation got {counted(len(views), 'view')}; valid are {LEAST_VIEWS} and more. "
            "Give more "
            "clips, or more views of each; labels are not needed."
        )
    source = _Batches(views, settings)
    network = copy.deepcopy(student).eval().requires_grad_(True)
    _check(network, teacher, source)
    _learn(network, teacher, source, progress)
    return network.eval().requires_grad_(False)


class _Batches:
    """Draws views in a random order, epoch after epoch, each mirrored and cut at random."""

    def __init__(self, views: Sequence[Frames], settings: Distillation) -> None:
        self.settings = settings
        self._views = views
        self._rng = np.random.default_rng(settings.seed)
        self._waiting: list[int] = []

    def draw(self) -> Tensor:
        """Return the next uint8 views [B, T, H, W, C]."""
        views = []
        for _ in range(self.settings.batch_views):
            self._waiting = self._waiting or self._rng.permutation(len(self._views)).tolist()
            views.append(self._changed(self._views[self._waiting.pop()]))
        return torch.stack(views)

    def _changed(self, frames_THWC: Frames) -> Tensor:
        """Cut a part of the same proportions out of all frames, and mirror every second view."""
        view_THWC = torch.from_numpy(np.array(frames_THWC))
        height, width = view_THWC.shape[1:3]
        scale = self._rng.uniform(_LEAST_CROP, 1.0) ** 0.5
        cut_height, cut_width = max(1, round(scale * height)), max(1, round(scale * width))
        top = int(self._rng.integers(height - cut_height + 1))
        left = int(self._rng.integers(width - cut_width + 1))
        cut_THWC = view_THWC[:, top : top + cut_height, left : left + cut_width]
        if self._rng.random() < 0.5:
            cut_THWC = cut_THWC.flip(2)
        scaled_TCHW = functional.interpolate(
            cut_THWC.permute(0, 3, 1, 2), (height, width), mode="bilinear"
        )
        return scaled_TCHW.permute(0, 2, 3, 1).contiguous()


def _check(student: nn.Module, teacher: nn.Module, source: _Batches) -> None:
    views_BTHWC = source.draw()[:1]
    with torch.no_grad():
        got, wanted = student(views_BTHWC).shape, teacher(views_BTHWC).shape
    if got != wanted:
        raise BackboneError(
            f"The student gives tokens {tuple(got)}, the teacher {tuple(wanted)}; they must be "
            "equal. Prune a copy of the teacher itself."
        )


def _learn(network: nn.Module, teacher: nn.Module, source: _Batches, progress: Progress) -> None:
    settings = source.settings
    deviation_D = _deviation(teacher, source)
    optimizer = torch.optim.AdamW(
        network.parameters(), settings.learning_rate, weight_decay=settings.weight_decay
    )
    progress.start("distil", settings.steps)
    for step in range(settings.steps):
        share = rate_factor((step + 0.5) / settings.steps, _WARMUP)
        for group in optimizer.param_groups:
            group["lr"] = share * settings.learning_rate
        views_BTHWC = source.draw()
        with torch.no_grad():
            wanted_BND = teacher(views_BTHWC)
        loss = ((network(views_BTHWC) - wanted_BND) / deviation_D).square().mean()
        if not torch.isfinite(loss):
            raise BackboneError(
                f"Distillation diverged at step {step} with a learning rate of "
                f"{settings.learning_rate:g}. Choose a smaller one."
            )
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), settings.largest_norm)
        optimizer.step()
        progress.advance()
        if step + 1 == settings.steps:
            progress.note(f"distilled to {float(loss.detach()):.3f} of the tokens' variance")


@torch.no_grad()
def _deviation(teacher: nn.Module, source: _Batches) -> Tensor:
    """Return the deviations [D] of the teacher's tokens; hardly varying ones are not blown up."""
    tokens = [teacher(source.draw()) for _ in range(DEVIATION_BATCHES)]
    deviation_D = torch.cat(tokens).flatten(0, 1).std(0)
    mean = float(deviation_D.mean())
    return deviation_D.clamp(min=_FLOOR * mean if mean > 0 else 1.0)

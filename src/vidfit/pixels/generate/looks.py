"""How clips look to a frozen encoder, and how those that were drawn lie beside real ones.

The encoder is named: EfficientNet-Lite0 of vidfit's catalogue, on every second frame, scaled to
96 x 96. Of a clip the mean of its tokens is kept, and the mean of how they change, each scaled so
that the clips that were learned from have a variance of 50 in it: a distance of 100 is as far as
they are wide. No direction is left out: what is wrong with a drawn clip often lies where real ones
do not differ.

Shape letters: N clips, D numbers of a look, T frames.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidfit.backbones import load
from vidfit.contracts import Estimate, Floats, Frames, TorchBackbone
from vidfit.errors import BackboneError, NotEnoughDataError
from vidfit.metrics.generated import Manifolds, Points, Products, frechet_distance, manifolds
from vidfit.metrics.resampled import expanded, numbered

ENCODER, ENCODER_SIDE, EVERY = "efficientnet-lite0", 96, 2
SPREAD = 100.0
"""Variance of the clips that were learned from, over all directions."""

NEAREST = 5
_LEAST_WIDTH = 1e-3
_RESAMPLES = 200
_AT_ONCE = 4  # more frames at once do not fit into the caches: twice the time


class ClipLooks:
    """The frozen encoder: clips to mean and change of its tokens."""

    def __init__(self) -> None:
        backbone = load(ENCODER)
        if not isinstance(backbone, TorchBackbone):
            raise BackboneError(f"{ENCODER} has no module that takes small frames")
        self._network = backbone.network
        self.name = (
            f"{ENCODER} at {ENCODER_SIDE} x {ENCODER_SIDE} pixels, mean and change over every "
            "second frame"
        )

    def of(self, frames_NTSSC: Frames) -> Floats:
        """Return looks [N, 2 x 1280]."""
        import torch
        from torch.nn import functional

        found = []
        for start in range(0, len(frames_NTSSC), _AT_ONCE):
            part = torch.from_numpy(frames_NTSSC[start : start + _AT_ONCE, ::EVERY].copy())
            clips, frames = part.shape[:2]
            flat = part.flatten(0, 1).permute(0, 3, 1, 2).float()
            size = (ENCODER_SIDE, ENCODER_SIDE)
            scaled = functional.interpolate(flat, size, mode="bilinear").round().to(torch.uint8)
            with torch.no_grad():
                tokens = self._network(scaled.permute(0, 2, 3, 1)[:, None]).flatten(1)
            tokens = tokens.unflatten(0, (clips, frames))
            change = tokens.diff(dim=1).abs().mean(dim=1)
            found.append(torch.cat([tokens.mean(dim=1), change], dim=1).numpy())
        return np.concatenate(found)


@dataclass(frozen=True, eq=False)
class LookSpace:
    """The scale on which looks are compared: mean and change count alike."""

    mean_D: Points
    scale_D: Points

    @classmethod
    def of(cls, looks_ND: Floats) -> LookSpace:
        """Take the scale of clips that are learned from.

        Raises
        ------
        NotEnoughDataError
            If all clips look the same.
        """
        looks = looks_ND.astype(np.float64)
        widths = [_norm(half.std(axis=0)) for half in np.split(looks, 2, axis=1)]
        if not max(widths) > _LEAST_WIDTH:
            raise NotEnoughDataError(
                "all clips look the same: there is nothing to learn; are they black?"
            )
        side = looks.shape[1] // 2
        scales = [math.sqrt(SPREAD / 2) / max(width, _LEAST_WIDTH) for width in widths]
        return cls(looks.mean(axis=0), np.repeat(scales, side))

    def place(self, looks_ND: Floats) -> Points:
        """Return points [N, D]."""
        points: Points = (looks_ND - self.mean_D) * self.scale_D
        return points


def _norm(values: NDArray[np.float32]) -> float:
    return float(np.sqrt((values.astype(np.float64) ** 2).sum()))


@dataclass(frozen=True)
class RealClips:
    """Points of real clips, and the recording of each."""

    points_ND: Points
    groups: tuple[str, ...]


@dataclass(frozen=True)
class DrawnScores:
    """How drawn clips lie beside as many real ones that were held back.

    Parameters
    ----------
    clips
        Of either kind, in each draw.
    distance
        Squared Fréchet distance, mean over draws; the interval is over recordings.
    manifolds
        Mean over draws.
    """

    clips: int
    distance: Estimate
    manifolds: Manifolds


def scored(real: RealClips, draws: Sequence[Points]) -> DrawnScores:
    """Return how draws lie beside real clips; each draw is as large as those are."""
    found = [frechet_distance(real.points_ND, made) for made in draws]
    balls = [manifolds(real.points_ND, made, nearest_of(len(made))) for made in draws]
    mean = Manifolds(
        *(
            float(np.mean([getattr(b, name) for b in balls]))
            for name in ("precision", "recall", "density", "coverage")
        )
    )
    resampled = _distances(real, draws)
    return DrawnScores(len(draws[0]), _centred(float(np.mean(found)), resampled, real), mean)


def gained(real: RealClips, these: Sequence[Points], those: Sequence[Points]) -> Estimate:
    """Return how much nearer these draws lie than those: above 0 is better, paired interval."""
    value = float(
        np.mean([frechet_distance(real.points_ND, made) for made in those])
        - np.mean([frechet_distance(real.points_ND, made) for made in these])
    )
    return _centred(value, _distances(real, those) - _distances(real, these), real)


def nearest_of(count: int) -> int:
    """Return how many neighbours make a ball, for sets of a size."""
    return max(1, min(NEAREST, count - 1))


def _centred(value: float, resampled_R: Points, real: RealClips) -> Estimate:
    """Return a value with the spread of resamples around it.

    A resample holds points twice, which lies nearer to nothing: all distances of resamples are too
    large by about as much, and that is taken off.
    """
    shifted = resampled_R - resampled_R.mean() + value
    return expanded(value, shifted, len(set(real.groups)))


def _distances(real: RealClips, draws: Sequence[Points]) -> Points:
    """Return distances of resamples: whole recordings are drawn, and drawn clips one by one."""
    group_N, count = numbered(real.groups)
    rows_of = [np.flatnonzero(group_N == one) for one in range(count)]
    products = [Products.of(real.points_ND, made) for made in draws]
    rng = np.random.default_rng(0)
    found = np.zeros(_RESAMPLES)
    for at in range(_RESAMPLES):
        rows = np.concatenate([rows_of[one] for one in rng.integers(count, size=count)])
        made = rng.integers(len(draws[0]), size=len(draws[0]))
        if len(rows) < 2:
            rows = np.arange(len(group_N))
        found[at] = products[at % len(draws)].distance(rows, made)
    return found

"""A network learns to restore: patches of pairs, its loss, and the run.

Shape letters: B patches, H rows, W columns.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vidfit.contracts import Floats
from vidfit.pixels.learn import NEVER, Descent, StepBudget, learn
from vidfit.pixels.restore.material import Stretch
from vidfit.pixels.restore.network import RestoreNetwork, RestoreSizes
from vidfit.progress import SILENT, Progress

_TRIES = 2
"""Patches that are drawn, of which the one with the most detail is learned from."""

_EDGE = 2
"""Small pixels along the rim of a patch whose error does not count, as less is seen there."""

_ROUNDING = 1e-3
"""Below which an error counts by its square (Charbonnier et al. 1994; Lai et al. 2017)."""


@dataclass(frozen=True)
class RestoreRecipe:
    """How a network learns.

    Parameters
    ----------
    patch_pixels
        A side of what is shown, of the small picture.
    batch
        Patches of a step.
    rate
        Highest learning rate.
    """

    patch_pixels: int = 24
    batch: int = 16
    rate: float = 1e-3
    seed: int = 0


def restore_network(  # noqa: PLR0913  (a run, and what is told of it)
    stretches: Sequence[Stretch],
    sizes: RestoreSizes,
    budget: StepBudget,
    recipe: RestoreRecipe = RestoreRecipe(),
    *,
    folder: Path | None = None,
    stage: str = "train",
    stop: Callable[[], bool] = NEVER,
    progress: Progress = SILENT,
) -> RestoreNetwork | None:
    """Return a network that learned from stretches; ``None`` when ``stop`` asked it to pause.

    Raises
    ------
    StoreError
        If the folder holds a checkpoint of another run, or cannot be written.
    NotEnoughDataError
        If the loss is no number.
    """
    torch.manual_seed(recipe.seed)
    network = RestoreNetwork(sizes)
    patches = _Patches(stretches, sizes, recipe)

    def loss(rng: np.random.Generator, done: float) -> Tensor:
        small_B1HW, large_B1HW = patches.drawn(rng)
        edge = _EDGE * sizes.scale
        error = (network(small_B1HW) - large_B1HW)[:, :, edge:-edge, edge:-edge]
        mean: Tensor = (error.square() + _ROUNDING**2).sqrt().mean()
        return mean

    network.train()
    done = learn(
        Descent(network, loss, recipe.rate, warmup_share=0.03),
        budget,
        run=_digest(stretches, sizes, recipe, budget),
        seed=recipe.seed,
        folder=folder,
        stage=stage,
        stop=stop,
        progress=progress,
    )
    network.eval()
    return network if done else None


class _Patches:
    """Draws pairs of patches: recordings alike often, turned and mirrored at random."""

    def __init__(
        self, stretches: Sequence[Stretch], sizes: RestoreSizes, recipe: RestoreRecipe
    ) -> None:
        self._sizes, self._recipe = sizes, recipe
        self._of = {
            name: [one for one in stretches if one.recording == name]
            for name in sorted({one.recording for one in stretches})
        }

    def drawn(self, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Return small patches [B, 1, H, W] and large ones [B, 1, H, W], 0 to 1."""
        pairs = [self._one(rng) for _ in range(self._recipe.batch)]
        side = min(pair[0].shape[1] for pair in pairs)
        scaled = side * self._sizes.scale
        small = np.stack([pair[0][:, :side, :side] for pair in pairs])
        large = np.stack([pair[1][:, :scaled, :scaled] for pair in pairs])
        return tuple(torch.from_numpy(one / np.float32(255)) for one in (small, large))  # type: ignore[return-value]

    def _one(self, rng: np.random.Generator) -> tuple[Floats, Floats]:
        tried = [self._tried(rng) for _ in range(_TRIES)]
        small, large = max(tried, key=lambda pair: float(pair[0][0].std()))
        turns = int(rng.integers(4))
        small, large = (np.rot90(one, turns, (1, 2)) for one in (small, large))
        if rng.integers(2):
            small, large = small[:, :, ::-1], large[:, :, ::-1]
        return np.ascontiguousarray(small), np.ascontiguousarray(large)

    def _tried(self, rng: np.random.Generator) -> tuple[Floats, Floats]:
        names = list(self._of)
        of = self._of[names[rng.integers(len(names))]]
        stretch = of[rng.integers(len(of))]
        scale = self._sizes.scale
        frames, height, width = stretch.small_THW.shape
        time = int(rng.integers(frames))
        side = min(self._recipe.patch_pixels, height, width)
        top, left = int(rng.integers(height - side + 1)), int(rng.integers(width - side + 1))
        small = stretch.small_THW[time, top : top + side, left : left + side]
        large = stretch.large_THW[
            time, top * scale : (top + side) * scale, left * scale : (left + side) * scale
        ]
        return small[None].astype(np.float32), large[None].astype(np.float32)


def _digest(
    stretches: Sequence[Stretch], sizes: RestoreSizes, recipe: RestoreRecipe, budget: StepBudget
) -> str:
    """Return what a run is known by: its recipe, its budget and what is learned from."""
    facts = (asdict(sizes), asdict(recipe), budget.cpu_seconds, budget.steps)
    found = hashlib.sha256(repr(facts).encode())
    for one in stretches:
        found.update(one.recording.encode())
        found.update(np.ascontiguousarray(one.small_THW).tobytes())
    return found.hexdigest()

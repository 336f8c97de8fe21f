"""Small banks of clips for tests."""

import numpy as np

from vidfit.pixels.generate.bank import ClipBank
from vidfit.pixels.generate.sizes import ClipSizes

SIZES = ClipSizes(
    frames=4, side=16, classes=("a", "b"), shares=(0.5, 0.5), latent=8, width=8, codes=16,
    gpt_width=16, gpt_layers=2,
)  # fmt: skip


def bank(count=40, seed=0):
    """Return clips of two brightnesses."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    ground = 60 + 120 * labels[:, None, None, None, None]
    frames = ground + rng.integers(-30, 30, (count, 4, 16, 16, 3))
    names = tuple(f"{i // 2}.mp4" for i in range(count))
    return ClipBank(frames.astype(np.uint8), labels.astype(np.int64), names, names)

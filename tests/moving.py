"""Small videos of drifting textures, which have detail to lose and motion to follow."""

from __future__ import annotations

import numpy as np

from vidfit.contracts import Frames
from vidfit.video import write_video


def texture(height, width, seed):
    """Return grating and blobs in colour, uint8 [H, W, 3]."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    found = np.zeros((height, width, 3))
    for _ in range(12):
        way, wide = rng.uniform(0, np.pi), rng.uniform(3, 14)
        wave = np.sin((np.cos(way) * x + np.sin(way) * y) * 2 * np.pi / wide + rng.uniform(0, 6))
        found += (wave > 0)[..., None] * rng.uniform(-30, 30, 3)
    return np.clip(128 + found, 0, 255).astype(np.uint8)


def frames(count=9, height=64, width=96, seed=0) -> list[Frames]:
    """Return frames in which a texture drifts by a pixel each."""
    whole = texture(height + count, width + count, seed)
    return [np.ascontiguousarray(whole[t : t + height, t : t + width]) for t in range(count)]


def videos(folder, names, **shape):
    """Write a video of its own texture under each name; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed, name in enumerate(names):
        write_video(folder / f"{name}.mp4", frames(seed=seed, **shape), 12.5, options={"crf": "10"})
    return [folder / f"{name}.mp4" for name in names]

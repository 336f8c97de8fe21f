"""Pictures of a sky, a ground and a box on it, and their masks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

NAMES = ("sky", "ground", "box", "void")


def drawn(rng: np.random.Generator, height: int = 48, width: int = 64):
    """Return a picture and its mask; two pixels of the edge are void."""
    horizon = int(rng.integers(height // 3, 2 * height // 3))
    mask = np.zeros((height, width), np.uint8)
    mask[horizon:] = 1
    top, left = (int(rng.integers(4, side - 20)) for side in (height, width))
    mask[top : top + 16, left : left + 16] = 2
    picture = np.array([[150, 190, 250], [90, 110, 60], [220, 40, 30]], np.uint8)[mask]
    noisy = picture + rng.integers(-20, 20, picture.shape)
    mask[:, :2] = 3
    return np.clip(noisy, 0, 255).astype(np.uint8), mask


def write_folders(folder: Path, count: int = 12, recordings: int = 3) -> Path:
    """Write ``images``, ``masks`` and ``names.txt``."""
    rng = np.random.default_rng(0)
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    for i in range(count):
        picture, mask = drawn(rng)
        stem = f"street{i % recordings}_{i:03d}"
        Image.fromarray(picture).save(folder / "images" / f"{stem}.png")
        Image.fromarray(mask).save(folder / "masks" / f"{stem}.png")
    (folder / "names.txt").write_text("\n".join(NAMES) + "\n")
    return folder

"""Tiny clips that can be told apart, and encoders that count what they are asked."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np

from vidfit.contracts import BackboneSpec, Floats, Frames, Preprocessing, Sampling
from vidfit.video import write_video

HEIGHT, WIDTH = 48, 64
FPS = 12.5

BACKBONE_FILE = '''
from dataclasses import replace
from vidfit.backbones import RESTORE
from vidfit.contracts import BackboneSpec, Preprocessing, Sampling

RESTORE["colour"] = f"{__name__}:restore"


class Colour:
    """Mean and deviation of each colour channel."""

    spec = BackboneSpec(
        name="colour", family="colour", architecture="algorithm",
        sampling=Sampling(clip_len=1, num_clips=4), preprocessing=Preprocessing(32, 32),
        dim=6, parameters=0, gmacs_per_view=0.0, licence="MIT", commercial_use=True,
        source="test", revision="colour-1",
    )

    def forward(self, frames_BTHWC):
        import numpy as np
        mean = frames_BTHWC.mean(axis=(2, 3))
        return np.concatenate([mean, frames_BTHWC.std(axis=(2, 3))], axis=-1).astype(np.float32)

    def save(self, directory):
        pass


class Broken(Colour):
    spec = replace(Colour.spec, name="broken", family="broken")

    def forward(self, frames_BTHWC):
        raise ZeroDivisionError("this network divides by zero")


def restore(directory, spec):
    return Colour()
'''
"""A backbone as a user may write it, for ``--backbone FILE.py:Colour``."""


def write_clip(path: Path, kind: str = "left", seed: int = 0, frames: int = 20) -> Path:
    """Write texture that drifts to the left or to the right; no single frame tells which."""
    rng = np.random.default_rng(seed)
    texture = np.kron(rng.integers(0, 256, (HEIGHT // 4, WIDTH // 4, 3)), np.ones((4, 4, 1)))
    step = {"left": -2, "right": 2}[kind]
    pictures = (np.roll(texture, step * i, axis=1).astype(np.uint8) for i in range(frames))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_video(path, pictures, FPS, options={"crf": "18", "preset": "ultrafast"})
    return path


def write_backbone(folder: Path) -> str:
    """Write a user's own backbone and return its name for ``--backbone``."""
    path = folder / "colour_backbone.py"
    path.write_text(BACKBONE_FILE)
    return f"{path}:Colour"


def write_dataset(folder: Path, recordings: int = 6, clips: int = 1) -> Path:
    """Write ``left/`` and ``right/``, each with so many recordings of so many clips."""
    for k, kind in enumerate(("left", "right")):
        for r in range(recordings):
            for c in range(clips):
                seed = 1000 * k + 10 * r + c
                name = f"{kind}{'abcdefghij'[r]}_{c}.mp4" if clips > 1 else f"{kind}{r}.mp4"
                write_clip(folder / kind / name, kind, seed)
    return folder


def spec(name: str = "mean", **changes: object) -> BackboneSpec:
    """Return the facts of a small encoder."""
    facts = {
        "name": name,
        "family": name,
        "architecture": "algorithm",
        "sampling": Sampling(clip_len=1, num_clips=4),
        "preprocessing": Preprocessing(16, 16),
        "dim": 3,
        "parameters": 0,
        "gmacs_per_view": 0.0,
        "licence": "MIT",
        "commercial_use": True,
        "source": "test",
        "revision": "1",
    }
    return BackboneSpec(**{**facts, **changes})  # type: ignore[arg-type]


class Counting:
    """Mean colour of each frame; counts its calls and, if asked, fails from one on."""

    def __init__(self, name: str = "mean", fail_from: int | None = None, **changes: object) -> None:
        self.spec = spec(name, **changes)
        self.calls = 0
        self.fail_from = fail_from
        self._lock = threading.Lock()

    def forward(self, frames_BTHWC: Frames) -> Floats:
        with self._lock:
            self.calls += 1
            if self.fail_from is not None and self.calls >= self.fail_from:
                raise ValueError("this encoder has had enough")
        return frames_BTHWC.mean(axis=(2, 3)).astype(np.float32)

    def save(self, directory: Path) -> None:
        """Write nothing."""

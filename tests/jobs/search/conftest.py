"""A small library: drifting textures, a long video of two of them, subtitles, and what is none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.clips import FPS, HEIGHT, WIDTH, write_backbone, write_clip

from vidfit.jobs.search.options import SearchOptions
from vidfit.video import write_video

SUBTITLES = """1
00:00:00,000 --> 00:00:01,000
A <i>red</i> kite is in the sky

2
00:00:01,000 --> 00:00:01,600
and it falls &amp; falls
"""


def texture(seed: int, frames: int, step: int = 2) -> list[np.ndarray]:
    """Frames of one colour of squares that drift."""
    rng = np.random.default_rng(seed)
    squares = rng.integers(0, 256, (HEIGHT // 8, WIDTH // 8, 3)) // 2 + rng.integers(0, 128, 3)
    picture = np.kron(squares, np.ones((8, 8, 1))).astype(np.uint8)
    return [np.roll(picture, step * i, axis=1) for i in range(frames)]


@pytest.fixture
def library(tmp_path) -> Path:
    folder = tmp_path / "library"
    folder.mkdir()
    for seed in range(3):
        write_clip(folder / f"clip{seed}.mp4", seed=seed)
    fast = {"crf": "18", "preset": "ultrafast"}
    write_video(folder / "long.mp4", texture(7, 60) + texture(8, 65), FPS, options=fast)
    (folder / "clip1.srt").write_text(SUBTITLES, encoding="utf-8")
    (folder / "broken.mp4").write_bytes(b"\0" * 4000)
    return folder


@pytest.fixture
def options(tmp_path) -> SearchOptions:
    return SearchOptions(backbone=write_backbone(tmp_path), workers=1)

"""What a model's networks take: seconds of a clip, bytes on disk and in memory.

``python -m vidfit.jobs.compress.footprint FOLDER...`` opens saved backbones, answers a clip of
noise, and prints the most memory that it held: in a process of its own, where nothing else counts.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from vidfit.children import run_module
from vidfit.contracts import Backbone, Frames
from vidfit.errors import BackboneError
from vidfit.hardware import peak_bytes

ROUNDS = 15
_MINUTES = 10


def size_bytes(folders: Sequence[Path]) -> int:
    """Return what the files of saved backbones take on disk."""
    return sum(f.stat().st_size for folder in folders for f in folder.rglob("*") if f.is_file())


def held_bytes(folders: Sequence[Path]) -> int:
    """Return the peak of a process that opens saved backbones and answers a clip.

    Raises
    ------
    BackboneError
        If the process fails.
    TimeoutError
        If it does not end.
    """
    module, names = "vidfit.jobs.compress.footprint", [str(folder) for folder in folders]
    ended = run_module(module, names, timeout_seconds=60 * _MINUTES)
    if ended.status:
        raise BackboneError(f"a process that opened {folders[0].parent} failed: {ended.said}")
    return int(ended.answer)


def latencies(models: Mapping[str, Sequence[Backbone]]) -> dict[str, tuple[float, ...]]:
    """Return by name the seconds of a clip in each round, models in turn: rounds are paired.

    A clip are all views that a member's sampling asks for; decoding is not counted.
    """
    rng = np.random.default_rng(0)
    shown = {name: [(b, _noise(b, rng)) for b in members] for name, members in models.items()}
    found: dict[str, list[float]] = {name: [] for name in models}
    for number in range(-1, ROUNDS):
        for name, members in shown.items():
            started = time.perf_counter()
            for backbone, frames_BTHWC in members:
                backbone.forward(frames_BTHWC)
            if number >= 0:  # the first round warms up
                found[name].append(time.perf_counter() - started)
    return {name: tuple(seconds) for name, seconds in found.items()}


def _noise(backbone: Backbone, rng: np.random.Generator) -> Frames:
    sampling, size = backbone.spec.sampling, backbone.spec.preprocessing
    shape = (sampling.num_clips, sampling.clip_len, size.height_pixels, size.width_pixels, 3)
    return rng.integers(0, 256, shape, dtype=np.uint8)


def _main() -> None:
    from vidfit.backbones import restore
    from vidfit.runtime import accelerate

    for folder in sys.argv[1:]:
        backbone = accelerate(restore(Path(folder)))
        backbone.forward(_noise(backbone, np.random.default_rng(0)))
    sys.stdout.write(f"{peak_bytes()}\n")


if __name__ == "__main__":
    _main()

"""Clips to compare on: features made like those of EfficientNet-Lite0, or of the regret tasks.

Shape letters: M clips, D features of a vector, L latent variables, K classes, G recordings.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks._study import MEAN, study
from vidfit.contracts import Clip, Cost, Floats, Indices
from vidfit.study.table import Table

ENCODERS, DIM = 3, 3 * 1280
"""Mean, deviation and change over time of 1280 features, as of EfficientNet-Lite0."""

NETWORKS = ("efficientnet-lite0@4", "efficientnet-lite1@4", "motion")

_LATENTS = 768
_CLASS, _RECORDING, _CLIP, _NOISE = 0.2, 0.5, 0.9, 0.3
"""How far classes, recordings and clips lie apart, and what each feature has of its own."""


def made(clips: int, classes: int, recordings: int, seed: int = 0) -> Table:
    """Return clips as three encoders see them: alike in part, with variances that fall as 1 / i.

    Each clip is of a random recording; a recording shifts all features of its clips.
    """
    rng = np.random.default_rng(seed)
    labels_M = rng.permutation(clips) % classes
    recording_M = rng.integers(0, recordings, clips)
    shared = [_normal(rng, count) for count in (classes, recordings, clips)]
    vectors = {
        f"encoder-{i}": _seen(labels_M, recording_M, shared, np.random.default_rng((seed, i)))
        for i in range(ENCODERS)
    }
    return _table(vectors, labels_M, [f"recording {g}" for g in recording_M])


def task(name: str, cache: Path) -> tuple[Table, dict[str, Cost]]:
    """Return a task of `benchmarks._tasks` as three networks see it, and their costs."""
    found = study(name, cache, names=NETWORKS, say=lambda _: None)
    kept = {n: one for n, one in found.candidates.items() if not n.endswith(MEAN)}
    vectors = {n: one.vectors_MD for n, one in kept.items()}
    costs = {
        n: Cost(one.cost.decode_seconds, one.cost.forward_seconds, 0) for n, one in kept.items()
    }
    return _table(vectors, found.labels_M, found.groups), costs


def _seen(
    labels_M: Indices, recording_M: Indices, shared: Sequence[Floats], rng: np.random.Generator
) -> Floats:
    """Return vectors [M, D] of one encoder, a row at a time as far as memory is concerned."""
    of_class, of_recording, of_clip = shared
    own_class, own_recording = _normal(rng, len(of_class)), _normal(rng, len(of_recording))
    scale_L = np.arange(1, _LATENTS + 1, dtype=np.float32) ** -0.5
    mix_LD = rng.normal(size=(_LATENTS, DIM)).astype(np.float32)
    x_MD = np.empty((len(labels_M), DIM), np.float32)
    for rows in np.array_split(np.arange(len(labels_M)), max(len(labels_M) // 1000, 1)):
        latent = _CLASS * (of_class + 0.7 * own_class)[labels_M[rows]]
        latent += _RECORDING * (of_recording + 0.5 * own_recording)[recording_M[rows]]
        latent += _CLIP * (0.7 * of_clip[rows] + _normal(rng, len(rows)))
        x_MD[rows] = (latent * scale_L) @ mix_LD
        x_MD[rows] += _NOISE * np.linalg.norm(scale_L) * rng.normal(size=(len(rows), DIM))
    return x_MD


def _normal(rng: np.random.Generator, count: int) -> Floats:
    return rng.normal(size=(count, _LATENTS)).astype(np.float32)


def _table(vectors: dict[str, Floats], labels_M: Indices, groups: Sequence[str]) -> Table:
    """Return a table of clips that have no files."""
    clips = tuple(Clip(f"{i}.mp4", group=group) for i, group in enumerate(groups))
    classes = tuple(str(k) for k in range(int(labels_M.max()) + 1))
    return Table(clips, classes, labels_M, vectors, (), np.ones(len(clips), np.float32))

"""``NAME:int8``: the network of an encoder in integers of 8 bits, made once for a machine.

What ranges its activations have is seen on pictures that are drawn here, the same ones each time:
nothing of anybody's clips is in the network, so that one is made for all of them. They are dead
leaves, shapes of all sizes over each other, which have edges, occlusions and a spectrum as
photographs have (Lee, Mumford, Huang, "Occlusion models for natural images", IJCV 2001), enough
for networks to learn from (Baradad et al., "Learning to see by looking at noise", 2021).
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vidfit.backbones.graph import Graph, graph_backbone
from vidfit.backbones.notation import EIGHT_BITS
from vidfit.contracts import Backbone, BackboneSpec, Floats, Frames, TorchBackbone
from vidfit.errors import BackboneError
from vidfit.files import sha256

if TYPE_CHECKING:
    from numpy.random import Generator

METHOD = 1
"""Counts up when another network comes out for the same weights."""

CALIBRATED, HELD = 24, 8
"""Drawn views by which ranges are chosen, and others by which the outcome is held to floats."""

LEAST_COSINE = 0.9
"""Of tokens to those of floats: below, the network is not one for 8 bits."""

_LEAVES = 250
_LARGEST, _SMALLEST = 0.5, 0.03
_DEPTH = 6


def eight_bits(backbone: Backbone) -> Graph:
    """Return an encoder with its network in 8 bits, from the cache of engines if it is there.

    Convolutional networks compute in integers throughout, transformers in their matrix products
    (`vidfit.compression.quantize`). ``spec.source`` says how near its tokens are to floats.

    Raises
    ------
    BackboneError
        When the encoder has no torch network, or it cannot be had in 8 bits.
    """
    if not isinstance(backbone, TorchBackbone):
        raise BackboneError(
            f"{backbone.spec.name} has no network of floats that could be had in 8 bits; "
            f"{EIGHT_BITS} is for networks, such as efficientnet-lite0{EIGHT_BITS}."
        )
    from vidfit.runtime import cache

    spec, folder = backbone.spec, cache.default_folder()
    export = cache.export_path(folder, spec)
    path = export.with_name(f"{export.stem}.int8-{METHOD}-{cache.version('onnxruntime')}.onnx")
    network = cache.whole(path)
    if network is None:
        path = cache.writable(path)
        network = cache.whole(path)
    if network is None:
        cache.write(path, lambda new: _make(backbone, folder, new))
        network = sha256(path)
    return _told(graph_backbone(spec, path, f"{spec.name}{EIGHT_BITS}", "onnx"), backbone, network)


def draw_views(spec: BackboneSpec, count: int, seed: int) -> Frames:
    """Draw views uint8 [B, T, H, W, 3] of an encoder's size: dead leaves that drift by."""
    size, rng = spec.preprocessing, np.random.default_rng(seed)
    views = [
        _drift(rng, spec.sampling.clip_len, size.height_pixels, size.width_pixels)
        for _ in range(count)
    ]
    return np.stack(views)


def _make(backbone: TorchBackbone, folder: Path, target: Path) -> None:
    from vidfit.compression.quantize import quantize_dynamic, quantize_static
    from vidfit.runtime import cache
    from vidfit.runtime.opened import open_engine

    spec = backbone.spec
    open_engine(backbone, "onnx", 1, folder)  # exports it, unless that was done
    source = cache.export_path(folder, spec)
    source = source if cache.whole(source) else cache.writable(source)
    if spec.architecture == "transformer":
        quantize_dynamic(source, target)
    else:
        quantize_static(source, target, draw_views(spec, CALIBRATED, seed=0))


def _told(graph: Graph, backbone: TorchBackbone, network: str) -> Graph:
    """Return the graph with its likeness to floats in its spec, from a note beside the file."""
    from vidfit.runtime import cache

    path = cache.note_path(graph.graph, "likeness", ("onnxruntime", "torch"), 1)
    note = cache.read_note(path, network)
    likeness = note.get("cosine") if note else None
    if not isinstance(likeness, float):
        views = draw_views(graph.spec, HELD, seed=1)
        likeness = cosine(graph.forward(views), backbone.forward(views))
        cache.write_note(path, network, {"cosine": likeness})
    if not likeness >= LEAST_COSINE:
        raise BackboneError(
            f"{backbone.spec.name} does not bear 8 bits: the cosine of its tokens to those of "
            f"floats is {likeness:.3f}, at least {LEAST_COSINE:g} is wanted. Use it as it is."
        )
    source = f"{backbone.spec.source}, in 8 bits: cosine {likeness:.4f} to its floats"
    return dataclasses.replace(graph, spec=dataclasses.replace(graph.spec, source=source))


def cosine(tokens_BND: Floats, floats_BND: Floats) -> float:
    """Return the mean cosine of tokens to others; 0 where some are not finite."""
    if not np.isfinite(tokens_BND).all():
        return 0.0
    norms = np.linalg.norm(tokens_BND, axis=-1) * np.linalg.norm(floats_BND, axis=-1)
    return float(((tokens_BND * floats_BND).sum(-1) / np.maximum(norms, 1e-12)).mean())


def _drift(rng: Generator, frames: int, height: int, width: int) -> Frames:
    """Return frames [T, H, W, 3] of one picture that drifts by a pixel or two a frame."""
    steps_T2 = np.arange(frames)[:, None] * rng.uniform(0.0, 2.0, 2)
    tops, lefts = np.rint(steps_T2).astype(int).T
    whole = _leaves(rng, height + int(tops[-1]), width + int(lefts[-1]))
    cuts = [
        whole[t : t + height, x : x + width]
        for t, x in zip(tops.tolist(), lefts.tolist(), strict=True)
    ]
    return np.stack(cuts)


def _leaves(rng: Generator, height: int, width: int) -> Frames:
    """Return one picture: ellipses whose sizes follow a power law, each over those before."""
    import cv2

    around = rng.uniform(40.0, 215.0, 3)
    picture = np.full((height, width, 3), around, np.float32)
    for _ in range(_LEAVES):
        # Density of radii r^-3, as objects at all distances have (Lee et al., section 3).
        low, high = _SMALLEST**-2, _LARGEST**-2
        radius = max(height, width) * (low - rng.random() * (low - high)) ** -0.5
        axes = max(1, int(radius)), max(1, int(radius * rng.uniform(0.3, 1.0)))
        centre = int(rng.integers(width)), int(rng.integers(height))
        colour = (around + rng.normal(0.0, 60.0, 3)).clip(0.0, 255.0).tolist()
        cv2.ellipse(picture, centre, axes, rng.uniform(0, 180), 0, 360, colour, cv2.FILLED)
    picture += rng.normal(0.0, _DEPTH, picture.shape).astype(np.float32)
    return np.asarray(np.clip(picture, 0, 255).astype(np.uint8))

"""From what encoders saw in a window of a video to its shots, each with its vectors.

Shape letters: N frames of a window, D features.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from vidfit.contracts import Clip, ClipFeatures, Floats
from vidfit.features import ClipOutcome, temporal_statistics

CUT_COSINE = 0.5
"""Frames that follow one another and are less alike belong to two shots."""


@dataclass(frozen=True)
class Shot:
    """A part of a video without a cut, its key frame, and its vectors by way."""

    start_seconds: float
    end_seconds: float
    key_seconds: float
    vectors: Mapping[str, Floats]


def windows(path: str, span: tuple[float, float], window_seconds: float) -> list[Clip]:
    """Return equal windows that cover a span, none longer than ``window_seconds``."""
    start, end = span
    count = max(1, math.ceil((end - start) / window_seconds - 1e-6))
    edges = np.linspace(start, end, count + 1).tolist()
    return [Clip(path, a, b) for a, b in pairwise(edges)]


def shots_of(window: Clip, seen: Mapping[str, ClipFeatures]) -> Iterator[Shot]:
    """Yield the shots of a window: its parts between cuts.

    The look of a shot is the mean of the directions of its frames; its motion is what a probe
    would learn from. The key frame is that nearest to the mean, the medoid.
    """
    frames_ND = unit(seen["look"].tokens_ND)
    count = len(frames_ND)
    end_seconds = window.end_seconds or 0.0
    at = np.linspace(window.start_seconds, end_seconds, count + 1)
    for first, stop in _parts(frames_ND):
        look_D = unit(frames_ND[first:stop].mean(axis=0))
        medoid = first + int((frames_ND[first:stop] @ look_D).argmax())
        vectors = {"look": look_D}
        if motion := seen.get("motion"):
            vectors["motion"] = _motion(motion.tokens_ND, first / count, stop / count)
        key_seconds = float(at[medoid] + at[medoid + 1]) / 2
        yield Shot(float(at[first]), float(at[stop]), key_seconds, vectors)


def refusal(outcome: ClipOutcome) -> str:
    """Return why a window cannot be used, or nothing."""
    return outcome.failure or "; ".join(outcome.backbone_failures.values())


def unit(vectors: Floats) -> Floats:
    """Return vectors of length 1 along the last axis; those of length 0 stay."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), np.float32)


def _parts(frames_ND: Floats) -> Iterator[tuple[int, int]]:
    """Yield the first frame of each part, and that behind its last."""
    alike = (frames_ND[1:] * frames_ND[:-1]).sum(axis=1)
    edges = [0, *(np.flatnonzero(alike < CUT_COSINE) + 1).tolist(), len(frames_ND)]
    yield from pairwise(edges)


def _motion(tokens_ND: Floats, first: float, stop: float) -> Floats:
    """Return what moves in a part of a window, from one share of it to another."""
    count = len(tokens_ND)
    start = min(round(first * count), count - 1)
    return temporal_statistics(tokens_ND[start : max(round(stop * count), start + 1)])

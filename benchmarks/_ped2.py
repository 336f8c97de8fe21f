"""UCSD Ped2 as benchmarks see it: where it lies, which frames are unusual; figures in words."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks._clips import SURVEILLANCE
from vidfit.contracts import Clip
from vidfit.metrics import Scored
from vidfit.video import VideoReader

PED2 = SURVEILLANCE.parent / "ucsd_ped2"

Figure = tuple[float, float, float]
"""A value, and the ends of its interval over recordings."""


def flags_of_frames() -> dict[str, list[int]]:
    found = defaultdict(list)
    with (PED2 / "frames.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            found[row["clip"]].append(int(row["anomalous"]))
    return found


def cells_of_masks(clip: Clip, grid: tuple[int, int]) -> NDArray[np.bool_]:
    """Return which places of a grid hold a pixel of the object in one of a window's frames."""
    import cv2

    folder = PED2 / "masks" / Path(clip.path).stem
    with VideoReader(clip.path) as reader:
        pts_seconds, end = reader.pts_seconds, clip.end_seconds or reader.duration_seconds
    cells = np.zeros(grid, bool)
    for frame in np.flatnonzero((pts_seconds >= clip.start_seconds) & (pts_seconds < end)):
        mask = cv2.imread(str(folder / f"{frame:03d}.png"), cv2.IMREAD_GRAYSCALE)
        if mask is not None:
            covered = (mask > 0).astype(np.float32)
            cells |= cv2.resize(covered, grid[::-1], interpolation=cv2.INTER_AREA) > 0
    return cells


def estimate_of(scored: Scored, which: int) -> Figure:
    one = scored.interval(which)
    return one.value, one.low, one.high


def shown(figure: Figure) -> str:
    return f"{figure[0]:.3f} [{figure[1]:.3f}, {figure[2]:.3f}]"


def signed(figure: Figure) -> str:
    return f"{figure[0]:+.3f} [{figure[1]:+.3f}, {figure[2]:+.3f}]"

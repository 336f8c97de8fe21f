"""Tiny clips with several labels or a number that their colours tell."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from tests.clips import FPS, HEIGHT, WIDTH, write_backbone

from vidfit.video import write_video

__all__ = ["boxes", "numbers", "several", "write_backbone", "write_labelled"]

NAMES = ("red", "green", "blue")


def several(folder: Path, recordings: int, clips: int, *, shuffled: bool = False) -> Path:
    """Write clips and a table with a column of 0 and 1 for each colour that is strong."""
    rng = np.random.default_rng(7)
    there_MK = rng.random((recordings * clips, 3)) < 0.5
    said_MK = there_MK[rng.permutation(len(there_MK))] if shuffled else there_MK
    colours_MC = 90 + 70 * there_MK + rng.normal(0, 26, there_MK.shape)
    rows = ([int(x) for x in said_K] for said_K in said_MK)
    return write_labelled(folder, colours_MC, clips, NAMES, rows)


def numbers(folder: Path, recordings: int, clips: int, *, shuffled: bool = False) -> Path:
    """Write clips and a table with a column ``value``: how green they are, in a unit of its own."""
    rng = np.random.default_rng(8)
    green_M = rng.uniform(60, 200, recordings * clips)
    colours_MC = np.column_stack([rng.uniform(60, 200, len(green_M)), green_M, green_M * 0 + 120])
    value_M = 40 + (green_M - 60) / 2 + rng.normal(0, 3, len(green_M))
    said_M = rng.permutation(value_M) if shuffled else value_M
    return write_labelled(folder, colours_MC, clips, ("value",), ([f"{v:.2f}"] for v in said_M))


def boxes(folder: Path, recordings: int, clips: int) -> Path:
    """Write clips and a table with a column ``label``: a box whose edges are told by colours."""
    rng = np.random.default_rng(9)
    colours_MC = rng.uniform(60, 200, (recordings * clips, 3))
    low_M, high_M = (colours_MC[:, :2].T - 60) / 400
    edges_M4 = np.column_stack([low_M, high_M, low_M + 0.5, high_M + 0.5])
    edges_M4 += rng.normal(0, 0.01, edges_M4.shape)
    rows = ([" ".join(f"{edge:.4f}" for edge in edges)] for edges in edges_M4)
    return write_labelled(folder, colours_MC, clips, ("label",), rows)


def write_labelled(
    folder: Path, colours_MC: np.ndarray, clips: int, names: Iterable[str], rows: Iterable[list]
) -> Path:
    """Write one clip for each colour, ``clips`` of a recording, and the table of them."""
    folder.mkdir(parents=True)
    with (folder / "clips.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("path", "group", *names))
        for i, (colour_C, row) in enumerate(zip(colours_MC, rows, strict=True)):
            rng = np.random.default_rng(i)
            grain = rng.normal(0, 20, (6, HEIGHT // 4, WIDTH // 4, 3))
            frames = np.kron(grain, np.ones((1, 4, 4, 1))) + colour_C
            pictures = np.clip(frames, 0, 255).astype(np.uint8)
            write_video(folder / f"v{i}.mp4", pictures, FPS, options={"preset": "ultrafast"})
            table.writerow((f"v{i}.mp4", f"r{i // clips}", *row))
    return folder / "clips.csv"

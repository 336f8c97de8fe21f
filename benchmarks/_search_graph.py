"""The comparison of all shots beside a graph of neighbours, usearch's HNSW; it is no dependency.

Vectors are drawn as shots of recordings: around a direction for every hundred of them. Queries are
shots with a little noise. What building takes is the time of one thread.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks._harness import table
from vidfit.contracts import Floats
from vidfit.jobs.search.rank import nearest, of_unit_length

DIM, TOP, QUERIES, OF_RECORDING, BLOCK = 1280, 10, 50, 100, 10_000
SPREAD, ASKED_SPREAD = 0.7, 0.3
"""Deviation of a shot from its recording, and of a query from its shot, in lengths of these."""

Figures = dict[str, Any]


def graph_compared(sizes: tuple[int, ...]) -> list[Figures]:
    """Print and return what a graph costs and finds; nothing where usearch is not installed."""
    try:
        from usearch.index import Index
    except ModuleNotFoundError:
        print("\nusearch is not installed: no graph is measured (pip install usearch)")
        return []
    rows = []
    for shots in sizes:
        blocks = [*_blocks(shots)]
        asked_QD = _asked(blocks)
        index = Index(ndim=DIM, metric="cos", dtype="f16")
        began = time.process_time()
        for number, block_BD in enumerate(blocks):
            keys = np.arange(len(block_BD)) + number * BLOCK
            index.add(keys, block_BD, threads=1)
        build = time.process_time() - began
        row: Figures = {"shots": shots, "build ms": 1e3 * build / shots}
        row["MB"] = index.memory_usage / 1e6
        exact, row["all ms"] = _exact(blocks, asked_QD)
        found = []
        began = time.process_time()
        for asked_D in asked_QD:
            found.append({int(key) for key in index.search(asked_D, TOP, threads=1).keys})
        row["graph ms"] = 1e3 * (time.process_time() - began) / QUERIES
        row["recall"] = float(
            np.mean([len(a & b) / TOP for a, b in zip(exact, found, strict=True)])
        )
        rows.append(row)
    print("\na graph (HNSW of usearch, f16) beside the comparison of all shots, one thread")
    heads = ("shots", "build, ms a shot", "MB", "query, ms", "recall@10", "all shots, ms")
    names = ("build ms", "MB", "graph ms", "recall", "all ms")
    table(heads, [(f"{r['shots']:,}", *(f"{r[name]:.3g}" for name in names)) for r in rows])
    return rows


def _blocks(shots: int) -> Iterator[Floats]:
    rng = np.random.default_rng(0)
    around_D = np.zeros(DIM, np.float32)
    for start in range(0, shots, BLOCK):
        count = min(BLOCK, shots - start)
        block_BD = SPREAD * rng.standard_normal((count, DIM), np.float32)
        for at in range(0, count, OF_RECORDING):
            around_D = rng.standard_normal(DIM, np.float32)
            block_BD[at : at + OF_RECORDING] += around_D
        yield block_BD / np.linalg.norm(block_BD, axis=1, keepdims=True)


def _asked(blocks: list[Floats]) -> Floats:
    rng = np.random.default_rng(1)
    of = [blocks[int(rng.integers(len(blocks)))] for _ in range(QUERIES)]
    shots_QD = np.stack([block_BD[int(rng.integers(len(block_BD)))] for block_BD in of])
    noise_QD = rng.standard_normal(shots_QD.shape, np.float32) / np.sqrt(DIM)
    asked_QD: Floats = (shots_QD + ASKED_SPREAD * noise_QD).astype(np.float32)
    return asked_QD


def _exact(blocks: list[Floats], asked_QD: Floats) -> tuple[list[set[int]], float]:
    """Return the nearest shots of each query, and the milliseconds that one takes."""
    allowed = [np.ones(len(block_BD), bool) for block_BD in blocks]
    found = []
    began = time.process_time()
    for asked_D in asked_QD:
        best = nearest(blocks, asked_D[None], allowed, TOP, of_unit_length)
        found.append({one.matrix * BLOCK + one.row for one in best})
    return found, 1e3 * (time.process_time() - began) / len(asked_QD)

"""What search finds, by look and by motion, and what a query costs among a million shots.

Each clip of fights in surveillance footage, and of drones, birds and aircraft in infrared, is a
query of its own set:

- by recording: is what is nearest of the same recording? Clips that are alone in theirs are left
  out.
- by what is shown: is what is nearest **in other recordings** of the same class, and how many of
  the ten nearest are?

Chance beside it is a shot drawn at random. Intervals are of recordings. Joined videos tell whether
cuts are found.

Then a million vectors by chance: a query compares with all of them; beside it stands how long
memory takes to deliver as many bytes. A graph of neighbours is measured where usearch is installed.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._clips import SURVEILLANCE
from benchmarks._copied import KINDS, written
from benchmarks._copies_found import DRONES, by_scene, one_each
from benchmarks._harness import arguments, environment, finish, median_ratio, table
from benchmarks._search_graph import graph_compared
from benchmarks._study import CACHE
from vidfit.contracts import Clip, Floats
from vidfit.hardware import peak_bytes
from vidfit.jobs.search.grow import grow
from vidfit.jobs.search.index import ShotIndex
from vidfit.jobs.search.options import SHOT_SECONDS, SearchOptions
from vidfit.jobs.search.rank import nearest, of_unit_length, standardised
from vidfit.jobs.search.run import open_index
from vidfit.manifest import read_manifest
from vidfit.metrics import mean_interval, share_interval
from vidfit.progress import SILENT

WAYS = ("look", "motion")
LIBRARY = CACHE / "search"
DIMS = {"look": 1280, "motion": 360}
TOP = 10
NEAR_SECONDS = 0.5
"""A cut is found where a shot begins no further away. Those where a window begins do not count."""

QUICK_CLIPS, QUICK_SHOTS = 40, 30_000
SHOTS = (10_000, 100_000, 1_000_000)
GRAPH_SHOTS = (20_000, 50_000)
BAR_TIMES = 2.0
"""A query by look takes no more than so many times as long as memory needs to deliver the shots."""
Figures = dict[str, Any]


def main() -> None:
    options = _options()
    start = environment()
    figures: Figures = {}
    for name, clips in _sets(options.quick).items():
        figures[name] = _found(name, clips)
    figures["cuts"] = _cuts(options.quick)
    figures["cost"] = _cost((QUICK_SHOTS,) if options.quick else SHOTS)
    figures["graph"] = [] if options.quick else graph_compared(GRAPH_SHOTS)
    largest = figures["cost"][-1]
    slow = largest["look times"]
    told = [
        f"{name}: same recording {100 * f['look']['recording'][0]:.1f} % by look, same class "
        f"elsewhere {100 * f['motion']['class'][0]:.1f} % by motion and "
        f"{100 * f['look']['class'][0]:.1f} % by look"
        for name, f in figures.items()
        if name not in ("cuts", "cost", "graph")
    ]
    headline = (
        f"{'; '.join(told)}; a query by look among {largest['shots']:,} shots "
        f"{largest['look ms'] / 1e3:.2f} s, {slow:.1f} times the reading of them "
        f"(bar {BAR_TIMES:g})"
    )
    finish(options, figures, start, headline, met=slow <= BAR_TIMES)


def _options() -> argparse.Namespace:
    return arguments(__doc__).parse_args()


def _sets(quick: bool) -> dict[str, list[Clip]]:
    if not SURVEILLANCE.is_dir():
        return {}
    sets = {"fights": list(read_manifest(SURVEILLANCE).clips)}
    if quick:
        sets["fights"] = sets["fights"][: QUICK_CLIPS // 2] + sets["fights"][-QUICK_CLIPS // 2 :]
    elif DRONES.exists():
        sets["drones"] = by_scene(DRONES)
    return sets


def _index(clips: Sequence[Clip], name: str) -> ShotIndex:
    options = SearchOptions(workers=1)
    index, encoders, _ = open_index(LIBRARY / name, options)
    grow([clip.path for clip in clips], index, encoders, options, SILENT)
    return index


def _found(name: str, clips: Sequence[Clip]) -> Figures:
    """Ask for each clip; a clip of several shots is answered by the best of any of them."""
    index = _index(clips, name)
    path_of = {known.digest: known.path for known in index.videos.values()}
    number = {clip.path: i for i, clip in enumerate(clips)}
    owner_S = np.array(
        [number[path_of[v]] for s in index.segments for v in s.rows["video"].to_pylist()]
    )
    figures = {way: _by(way, index, clips, owner_S) for way in WAYS}
    recording, label = _names(clips)
    same = [np.delete(recording == one, i).mean() for i, one in enumerate(recording)]
    other = [(label == label[i])[recording != one].mean() for i, one in enumerate(recording)]
    many = _many(recording)
    figures["chance"] = {
        "recording": _interval(np.array(same)[many], recording[many]),
        "class": _interval(np.array(other), recording),
        "of ten": _interval(np.array(other), recording),
    }
    print(f"\n{name}: {len(clips)} clips, {len(set(recording))} recordings, {len(owner_S)} shots")
    rows = [(way, *(_cell(one) for one in of.values())) for way, of in figures.items()]
    table(("", "same recording", "same class elsewhere", "of the ten nearest elsewhere"), rows)
    return figures


def _by(way: str, index: ShotIndex, clips: Sequence[Clip], owner_S: np.ndarray) -> Figures:
    matrices = [segment.vectors[way] for segment in index.segments]
    prepare = of_unit_length if way == "look" else standardised(matrices)
    vectors_SD = np.concatenate([prepare(matrix) for matrix in matrices])
    shots = vectors_SD @ vectors_SD.T
    clip_MM = np.full((len(clips), len(clips)), -np.inf, np.float32)
    np.maximum.at(clip_MM, (owner_S[:, None], owner_S[None]), shots)
    np.fill_diagonal(clip_MM, -np.inf)
    recording, label = _names(clips)
    many = _many(recording)
    first_M = recording[clip_MM.argmax(axis=1)] == recording
    clip_MM[recording[:, None] == recording[None]] = -np.inf
    order = np.argsort(-clip_MM, axis=1)[:, :TOP]
    hits = label[order] == label[:, None]
    return {
        "recording": _interval(first_M[many].astype(float), recording[many]),
        "class": _interval(hits[:, 0].astype(float), recording),
        "of ten": _interval(hits.mean(axis=1), recording),
    }


def _names(clips: Sequence[Clip]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([c.recording for c in clips]), np.array([str(c.label) for c in clips])


def _many(recording: np.ndarray) -> np.ndarray:
    """Return which clips have another one in their recording."""
    return np.array([(recording == one).sum() > 1 for one in recording])


def _interval(values_M: np.ndarray, recording: np.ndarray) -> tuple[float, float, float]:
    is_share = set(np.unique(values_M)) <= {0.0, 1.0}
    found = (share_interval if is_share else mean_interval)(values_M, list(recording))
    return found.value, found.low, found.high


def _cell(figure: tuple[float, float, float]) -> str:
    value, low, high = (100 * one for one in figure)
    return f"{value:.1f} [{low:.1f}, {high:.1f}]"


def _cuts(quick: bool) -> Figures:
    """Look at clips between others: how many of the two cuts are found, how many are none."""
    if not (SURVEILLANCE.is_dir() and DRONES.exists()):
        return {}
    chosen = one_each(read_manifest(SURVEILLANCE).clips)[: 6 if quick else None]
    kind = list(KINDS).index("inside a longer video")
    copies = list(written(chosen, one_each(by_scene(DRONES)), CACHE / "copied" / "fights"))
    clips = [Clip(str(path)) for _, _, path in copies[kind :: len(KINDS)]]
    index = _index(clips, "joined")
    seconds = {known.digest: known.duration_seconds for known in index.videos.values()}
    edges: dict[str, set[float]] = {digest: set() for digest in seconds}
    for segment in index.segments:
        for row in segment.rows.to_pylist():
            if row["video"] in edges:
                edges[row["video"]] |= {row["start"], row["end"]}
    found, false, asked = 0, 0, 0
    for digest, duration in seconds.items():
        grid = np.linspace(0, duration, max(1, int(np.ceil(duration / SHOT_SECONDS - 1e-6))) + 1)
        away = np.array([np.abs(grid - e).min() for e in sorted(edges[digest])])
        at = np.array(sorted(edges[digest]))[away > 1e-3]
        cuts = [
            c for c in (duration / 3, 2 * duration / 3) if np.abs(grid - c).min() > NEAR_SECONDS
        ]
        asked += len(cuts)
        found += sum(bool((np.abs(at - cut) < NEAR_SECONDS).any()) for cut in cuts)
        false += sum(
            min(abs(e - c) for c in (duration / 3, 2 * duration / 3)) >= NEAR_SECONDS for e in at
        )
    false = int(false)
    print(f"\ncuts of joined videos: {found} of {asked} found, {false} elsewhere")
    return {"found": found, "of": asked, "elsewhere": false}


def _cost(sizes: Sequence[int]) -> list[Figures]:
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for shots in sizes:
            row: Figures = {"shots": shots}
            for way in WAYS:
                row |= _timed(way, shots, Path(folder))
            rows.append(row)
    gigabytes = peak_bytes() / 1e9
    print(f"\none query, one thread; at most {gigabytes:.1f} GB were in use, maps included")
    table(
        (
            "shots",
            *(f"{way} {what}" for way in WAYS for what in ("MB", "ms", "reading ms", "times")),
        ),
        [
            (
                f"{row['shots']:,}",
                *(
                    f"{row[f'{way} {what}']:,.1f}"
                    for way in WAYS
                    for what in ("MB", "ms", "reading ms", "times")
                ),
            )
            for row in rows
        ],
    )
    return rows


def _timed(way: str, shots: int, folder: Path) -> Figures:
    """Time a query, and the reading of the same bytes: their sum, by the fastest that numpy has."""
    rng = np.random.default_rng(0)
    path = folder / f"{way}.npy"
    written_SD = np.lib.format.open_memmap(path, "w+", np.float32, (shots, DIMS[way]))
    for at in range(0, shots, 10_000):
        block_BD = rng.standard_normal((min(10_000, shots - at), DIMS[way]), np.float32)
        written_SD[at : at + 10_000] = block_BD / np.linalg.norm(block_BD, axis=1, keepdims=True)
    written_SD.flush()
    matrix_SD = np.load(path, mmap_mode="r")
    query_QD = rng.standard_normal((1, DIMS[way]), np.float32)
    words = matrix_SD.reshape(-1).view(np.int64)
    times: list[tuple[float, float]] = []
    for _ in range(3):
        asked = _seconds(lambda: _ask(way, matrix_SD, query_QD))
        times.append((asked, _seconds(lambda: np.bitwise_xor.reduce(words))))
    asked, read = zip(*times, strict=True)
    path.unlink()
    return {
        f"{way} MB": matrix_SD.nbytes / 1e6,
        f"{way} ms": 1e3 * float(np.median(asked)),
        f"{way} reading ms": 1e3 * float(np.median(read)),
        f"{way} times": median_ratio(asked, read),
    }


def _ask(way: str, matrix_SD: np.ndarray, query_QD: Floats) -> None:
    prepare = of_unit_length if way == "look" else standardised([matrix_SD])
    nearest([matrix_SD], query_QD, [np.ones(len(matrix_SD), bool)], 12, prepare)


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()

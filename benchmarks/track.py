"""Boxes over time: vidfit's tracker beside ByteTrack on the same detections, speed and memory.

NanoDet as it was published finds people in two videos of MOTChallenge 2015, nothing is trained.
Both trackers are given the same boxes: those of every frame, and those of every second one, as
they are and disturbed a little, again and again. Then `vidfit predict nanodet` runs as a user runs
it: how many frames a second, what share of the processor's peak the network reaches, and whether
memory grows with the length of a video.
"""

from __future__ import annotations

import argparse
import itertools
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import _tracking
from benchmarks._harness import arguments, environment, finish, load, table
from benchmarks._tracking import MEASURES, People, Rows
from benchmarks.memory import peak_bytes, repeated

DATA = Path(__file__).parents[2] / "shared" / "data" / "mot15"
NAMES = ("PETS09-S2L1", "TUD-Campus")
EVERY = (1, 2)
AUTHORS, SUPERVISION = 0.5, 0.25
"""Scores from which on a box is sure: by ByteTrack's authors (and vidfit), and by supervision."""

LEAST_RATE = 10.0
MOST_MS = 2 * 1000 / LEAST_RATE
"""Of two cores for a frame of 768 x 576, every second of which is looked at."""

MOST_GROWTH = 0.10

TRACKERS: dict[str, Callable[[People, int], Rows]] = {
    "vidfit": _tracking.by_vidfit,
    "ByteTrack": lambda sequence, every: _tracking.by_supervision(sequence, every, AUTHORS),
    "ByteTrack, its defaults": lambda sequence, every: _tracking.by_supervision(
        sequence, every, SUPERVISION
    ),
}


def main() -> None:
    options = _options()
    if options.child:
        _child(options.child[0], Path(options.child[1]))
        return
    if lacking := _tracking.absent():
        raise SystemExit(f"not installed: {', '.join(lacking)}\n{_tracking.__doc__}")
    start = environment()
    print(f"{start['machine']['processor']}, {start['load']}")
    sequences, forward = _looked(options.quick)
    share = _share_of_peak(forward["GFLOPs a frame"], forward["seconds a frame"])
    figures: dict[str, Any] = {"detection": forward, "share of peak": share}
    precision = {s.name: _tracking.average_precision([s]) for s in sequences}
    table(
        ["people found by NanoDet", "frames", "AP50", "found by any box"],
        [
            [s.name, str(len(s.truth)), *(f"{x:.1f} %" for x in precision[s.name])]
            for s in sequences
        ],
    )
    rows = _tracked(sequences, 2 if options.quick else 10)
    figures |= {"precision": precision, "tracking": rows}
    _show(rows)
    _second_reading(sequences, rows)
    runs = _runs(options)
    figures["runs"] = runs
    headers = ("vidfit predict nanodet", "frames", "wall s", "frames a second", "CPU ms", "peak MB")
    lines = [
        [r["what"], str(r["frames"]), f"{r['wall']:.0f}", f"{r['frames'] / r['wall']:.1f}",
         f"{1000 * r['cpu'] / r['frames']:.0f}", f"{r['peak_bytes'] / 1e6:.0f}"]
        for r in runs
    ]  # fmt: skip
    table(headers, lines)
    print(
        f"NanoDet, one thread: {1000 * forward['seconds a frame']:.0f} ms a frame, "
        f"{forward['GFLOPs a frame']:.1f} GFLOP: {share['reached']:.0f} GFLOP/s, "
        f"{share['share']:.0%} of the {share['peak']:.0f} of a matrix product"
    )
    ahead = min(
        rows["vidfit"][str(every)][name] - rows["ByteTrack"][str(every)][name]
        for every in EVERY
        for name in MEASURES
    )
    hota = {name: rows[name][str(EVERY[0])]["HOTA"] for name in ("vidfit", "ByteTrack")}
    milliseconds = 1000 * runs[0]["cpu"] / runs[0]["frames"]
    growth = runs[-1]["peak_bytes"] / runs[-2]["peak_bytes"] - 1 if len(runs) > 2 else 0.0
    grown = f"; memory grows by {growth:.0%} (bar {MOST_GROWTH:.0%})" if len(runs) > 2 else ""
    headline = (
        f"HOTA {hota['vidfit']:.1f} beside {hota['ByteTrack']:.1f} of ByteTrack on the same boxes; "
        f"of HOTA, IDF1 and MOTA none is behind: the least lead is {ahead:+.1f} (bar 0); "
        f"{milliseconds:.0f} CPU ms a frame (bar {MOST_MS:.0f}: two cores, {LEAST_RATE:.0f} frames "
        f"a second){grown}"
    )
    met = ahead >= 0 and milliseconds <= MOST_MS and growth <= MOST_GROWTH
    finish(options, figures, start, headline, met=met)


def _options() -> argparse.Namespace:
    parser = arguments(__doc__)
    parser.add_argument("--minutes", type=int, default=60, help="length of the long video (60)")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    return parser.parse_args()


def _looked(quick: bool) -> tuple[list[People], dict[str, float]]:
    """Find people in both videos; take the time that the network needs for a frame."""
    from vidfit import backbones as zoo
    from vidfit.jobs.predict.objects.finder import open_finder

    finder, spec = open_finder("nanodet"), zoo.load("nanodet").spec
    size = spec.preprocessing
    picture = np.random.default_rng(0).integers(
        0, 256, (size.height_pixels, size.width_pixels, 3), np.uint8
    )
    seconds = []
    for _ in range(12):
        started = time.perf_counter()
        finder.shares([picture])
        seconds.append(time.perf_counter() - started)
    most = 120 if quick else None
    sequences = [_tracking.looked(DATA / name, finder, most, 2) for name in NAMES]
    print(f"  looked at {sum(len(s.looks) for s in sequences)} frames, {load()}")
    # A multiply-accumulate is two operations; the least of repeats is what no other load disturbs.
    return sequences, {"seconds a frame": min(seconds), "GFLOPs a frame": 2 * spec.gmacs_per_view}


def _share_of_peak(gflops: float, seconds: float) -> dict[str, float]:
    from vidfit.runtime.roof import measure_roof

    peak = measure_roof(1).flops_per_second / 1e9
    return {"reached": gflops / seconds, "peak": peak, "share": gflops / seconds / peak}


def _tracked(sequences: list[People], copies: int) -> dict[str, dict[str, dict[str, float]]]:
    """Return the mean scores of each tracker over the detections and disturbed copies of them."""
    found: dict[str, dict[str, dict[str, float]]] = {name: {} for name in TRACKERS}
    variants = [sequences] + [
        [_tracking.disturbed(one, seed) for one in sequences] for seed in range(copies)
    ]
    for every in EVERY:
        parts: dict[str, list[dict[str, float]]] = {name: [] for name in TRACKERS}
        for variant in variants:
            for name, track in TRACKERS.items():
                started = time.process_time()
                pairs = [(one.truth, track(one, every)) for one in variant]
                looks = sum(len(one.looks[::every]) for one in variant)
                milliseconds = 1000 * (time.process_time() - started) / looks
                parts[name].append({**_tracking.scored(pairs), "ms a look": milliseconds})
        for name, scores in parts.items():
            columns = {key: np.array([one[key] for one in scores]) for key in scores[0]}
            means = {key: float(values.mean()) for key, values in columns.items()}
            first = {f"{key}, undisturbed": float(columns[key][0]) for key in MEASURES}
            found[name][str(every)] = means | first
    return found


def _show(rows: Mapping[str, Mapping[str, Mapping[str, float]]]) -> None:
    names = (*MEASURES, "recall", "switches", "ms a look")
    lines = [
        [f"{name}, every {'frame' if every == 1 else '2nd frame'}",
         *(f"{rows[name][str(every)][key]:.1f}" for key in names),
         " ".join(f"{rows[name][str(every)][f'{key}, undisturbed']:.1f}" for key in MEASURES)]
        for every in EVERY
        for name in TRACKERS
    ]  # fmt: skip
    table(["tracker", *names, "undisturbed"], lines)


def _second_reading(sequences: list[People], rows: Mapping[str, Any]) -> None:
    """Hold TrackEval's figures against those of py-motmetrics, where it is installed."""
    try:
        other = _tracking.by_motmetrics(
            [(one.truth, _tracking.by_vidfit(one, 1)) for one in sequences]
        )
    except ModuleNotFoundError:
        return
    own = rows["vidfit"]["1"]
    print(
        f"py-motmetrics on the undisturbed tracks: IDF1 {other['IDF1']:.1f}, "
        f"MOTA {other['MOTA']:.1f}; TrackEval {own['IDF1, undisturbed']:.1f}, "
        f"{own['MOTA, undisturbed']:.1f}"
    )


def _runs(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Run the command on the video of PETS, then on it over and over."""
    source = DATA / NAMES[0] / "video.avi"
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        if options.quick:
            listed = home / "part.csv"
            listed.write_text(f"path,start,end\n{source},0,20\n")
            return [_run(home, listed, 2, "20 s, every 2nd")]
        runs = [_run(home, source, 2, "every 2nd")]
        for minutes in (max(1, options.minutes // 12), options.minutes):
            video = repeated(source, home / f"{minutes}.avi", minutes)
            runs.append(_run(home, video, 5, f"{minutes} min, every 5th"))
        return runs


def _run(home: Path, asked: Path, every: int, what: str) -> dict[str, Any]:
    """Run it in a process that tells what it took."""
    output, told = home / f"out-{asked.stem}-{every}", home / "told.json"
    words = ["predict", "nanodet", str(asked), "-o", str(output), "--every", str(every)]
    child = [sys.executable, "-m", "benchmarks.track", "--child", json.dumps(words)]
    started = time.perf_counter()
    done = subprocess.run([*child, str(told)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"predict failed:\n{done.stderr[-2000:]}")
    wall = time.perf_counter() - started
    (answer,) = output.glob("*.json")
    with answer.open() as lines:
        head = "".join(itertools.takewhile(lambda line: '"classes"' not in line, lines))
    facts = json.loads(head.rstrip().rstrip(",") + "}")
    frames = facts["last_frame"] + 1 - facts["first_frame"]
    print(f"  {what}: {frames} frames in {wall:.0f} s, {load()}")
    return {"what": what, "frames": frames, "wall": wall, **json.loads(told.read_text())}


def _child(words: str, told: Path) -> None:
    from vidfit.cli.main import main as vidfit

    sys.argv = ["vidfit", *json.loads(words)]
    try:
        vidfit()
    except SystemExit as ended:
        if ended.code:
            raise
    usage = resource.getrusage(resource.RUSAGE_SELF)
    cpu = usage.ru_utime + usage.ru_stime
    told.write_text(json.dumps({"cpu": cpu, "peak_bytes": peak_bytes()}))


if __name__ == "__main__":
    main()

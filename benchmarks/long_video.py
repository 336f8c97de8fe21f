"""A long video: spans, anomalies and the index of a search, killed and resumed.

The video is ten seconds of real footage over and over, by copying packets. Heads know nothing:
time and memory do not depend on what they answer. Each run is a process of its own on all cores:
of a short video (a twelfth) each of the three alone, then all from one decode, and that of the long
one, too. The last is then killed half way and run again: what it answers must be what the
undisturbed run answers.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._harness import arguments, environment, finish, load, table
from benchmarks.memory import peak_bytes, repeated, segment
from vidfit.files import read_parquet

GROWTH = 0.10
SHORT = 12
ALL = "all in one decode"
WORK = ("localise", "anomaly", "index", ALL)
LABELS = {
    "localise": ("walk 0.0 5.0", "fall 5.0 9.0", "background"),
    "anomaly": ("normal", "normal", "unusual 0.0 2.0"),
}
WAYS = ("look", "motion")
MEMBERS = {"localise": ("motion@2",), "anomaly": ("speed-grid",)}


def main() -> None:
    options = _options()
    if options.child:
        _child(options.child[0], Path(options.child[1]))
        return
    start = environment()
    print(f"{start['machine']['processor']}, {start['load']}")
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        for task in LABELS:
            _model(task, home / task)
        part = segment(home)
        for minutes in options.minutes:
            repeated(part, home / f"{minutes}.mp4", minutes)
        short, long = options.minutes
        apart = [_run(work, home, short) for work in WORK]
        together, whole = apart[-1], _run(ALL, home, long)
        rows = [*apart, whole]
        print(f"  runs, {load()}")
        killed = _killed(home, long, whole)
    table(
        ["work", "minutes", "wall s", "CPU s", "times faster than real time", "peak MB"],
        [
            [r["work"], str(r["minutes"]), f"{r['wall']:.0f}", f"{r['cpu']:.0f}",
             f"{60 * r['minutes'] / r['wall']:.1f}", f"{r['peak_bytes'] / 1e6:.0f}"]
            for r in rows
        ],
    )  # fmt: skip
    table(
        ["killed half way", "seconds before", "seconds to go on", "answers the same"],
        [[ALL, f"{killed['before']:.0f}", f"{killed['after']:.0f}", str(killed["same"])]],
    )
    growth = whole["peak_bytes"] / together["peak_bytes"] - 1
    saved = 1 - together["cpu"] / sum(row["cpu"] for row in apart[:-1])
    length = whole["wall"] / (60 * long)
    headline = (
        f"{long} min of video: spans, anomalies and index take {length:.2f} of "
        f"its length; one decode saves {saved:.0%} of three; memory grows by {growth:.0%} "
        f"(bar {GROWTH:.0%}{', of longer videos' if options.quick else ''}); killed and "
        f"resumed the same: {killed['same']}"
    )
    grows = growth > GROWTH and not options.quick
    met = not grows and length < 1 and killed["same"]
    finish(options, {"rows": rows, "killed": killed, "saved": saved}, start, headline, met=met)


def _options() -> argparse.Namespace:
    parser = arguments(__doc__)
    parser.add_argument("--hours", type=float, help="length of the long video (3)")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    long = round(60 * (options.hours or 3)) if not options.quick or options.hours else 6
    options.minutes = (max(1, long // SHORT), long)
    return options


def _model(task_name: str, directory: Path) -> None:
    """Write a model whose head was fitted on noise."""
    from vidfit import backbones as zoo
    from vidfit.contracts import Clip
    from vidfit.model import Model, save_model
    from vidfit.study.heads import pooling
    from vidfit.tasks import task_named

    task, members = task_named(task_name), [zoo.load(name) for name in MEMBERS[task_name]]
    labels = LABELS[task_name]
    clips = [
        Clip(f"{i // 10}.mp4", i % 10, i % 10 + 1.0, labels[i // 10 % len(labels)])
        for i in range(90)
    ]
    classes = task.kind.classes(clips)
    rng = np.random.default_rng(0)
    pool = pooling(task.learner.head, task)
    tokens = [rng.normal(size=(16, b.spec.dim)).astype(np.float32) for b in members]
    wide = [rng.normal(size=(90, len(pool.pool(t)))).astype(np.float32) for t in tokens]
    head, _ = task.learner.fit(wide[0], task.kind.truth(clips, classes), np.arange(90) // 10 % 5)
    model = Model(
        classes, tuple(b.spec.name for b in members), task.learner.head, head.state(), 1.0, 0.0,
        float("inf"), 1.0, 1.0, {}, task=task_name,
    )  # fmt: skip
    save_model(model, directory, lambda i, folder: zoo.save(members[i], folder))


def _command(work: str, home: Path, minutes: int, output: Path) -> list[str]:
    """Return the command of a user that does it."""
    program = [sys.executable, "-c", "from vidfit.cli.main import main; main()"]
    video = str(home / f"{minutes}.mp4")
    if work == "index":
        library = home / f"library-{minutes}"
        library.mkdir(exist_ok=True)
        if not (library / "v.mp4").exists():
            (library / "v.mp4").symlink_to(video)
        return [*program, "search", str(library), f"{video}#0-4", "-o", str(output), "--json"]
    models = ["localise", "anomaly"] if work == ALL else [work]
    also = [word for model in models[1:] for word in ("--also", str(home / model))]
    also += ["--index", str(output / "index")] if work == ALL else []
    return [*program, "predict", str(home / models[0]), video, *also, "-o", str(output)]


def _run(work: str, home: Path, minutes: int) -> dict[str, Any]:
    """Run a command in a process that tells what it took."""
    output = home / f"out-{WORK.index(work)}-{minutes}"
    command = _command(work, home, minutes, output)
    told = home / "told.json"
    child = [sys.executable, "-m", "benchmarks.long_video", "--child", json.dumps(command[3:])]
    started = time.perf_counter()
    done = subprocess.run([*child, str(told)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{work} failed:\n{done.stderr[-2000:]}")
    wall = time.perf_counter() - started
    return {"work": work, "minutes": minutes, "wall": wall, "output": str(output),
            **json.loads(told.read_text())}  # fmt: skip


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


def _killed(home: Path, minutes: int, whole: dict[str, Any]) -> dict[str, Any]:
    """Kill a run half way, run it again, and hold its answers against those undisturbed."""
    output = home / "killed"
    shutil.rmtree(output, ignore_errors=True)
    command = _command(ALL, home, minutes, output)
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(whole["wall"] / 2)
    process.send_signal(signal.SIGKILL)
    process.wait()
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    after = time.perf_counter() - started
    same = done.returncode == 0 and all(
        _answers(output, name) == _answers(Path(whole["output"]), name) for name in LABELS
    )
    same = same and _shots(output) == _shots(Path(whole["output"]))
    return {"before": whole["wall"] / 2, "after": after, "same": same}


def _answers(output: Path, model: str) -> list[str]:
    return [path.read_text() for path in sorted((output / model).glob("*.json"))]


def _shots(output: Path) -> dict[tuple[str, int, float], tuple[float, ...]]:
    """Return the shots of an index, by video, window and start: their ends and vectors."""
    found = {}
    for path in (output / "index").rglob("*.parquet"):
        rows = read_parquet(path).to_pylist()
        ways = [np.load(path.with_suffix(f".{way}.npy"), mmap_mode="r") for way in WAYS]
        for row, *vectors in zip(rows, *ways, strict=True):
            sums = (float(np.abs(one).sum()) for one in vectors)
            found[row["video"], row["window"], row["start"]] = (row["end"], row["key"], *sums)
    return found


if __name__ == "__main__":
    main()

"""Kill `vidfit fit` at random moments: it goes on, and ends as if nothing had been.

An undisturbed run gives the reference and its time. Then, in another folder, the same command
is started again and again and killed (SIGKILL to the process) at a random moment of that
time; after each kill, whatever lies under its final name must be whole. A run that ends before
its moment, on what those before it left, must give the report (times aside), the model and the
answers of the reference, and the next begins in an empty folder. A last run is left alone.
"""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._clips import SURVEILLANCE, folder
from benchmarks._harness import arguments, environment, finish, table
from vidfit.errors import ModelError, VidfitError
from vidfit.jobs.predict.predictor import load
from vidfit.jobs.predict.run import run_predict
from vidfit.model import load_model

BAR = "0 kills that leave damage, 0 differences"
_MEASURED = ("stages", "machine")
_ANSWERS = 8


@dataclass(frozen=True)
class Run:
    """The command that is killed."""

    clips: Path
    backbones: tuple[str, ...]

    def start(self, output: Path) -> subprocess.Popen[bytes]:
        """Start it in a process of its own."""
        # A shell's background jobs ignore SIGINT, and so would what they start.
        heed = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
        call = f"{heed}; from vidfit.cli.main import main; main()"
        names = [word for name in self.backbones for word in ("--backbone", name)]
        return subprocess.Popen(
            [sys.executable, "-c", call, "fit", str(self.clips), "-o", str(output), *names],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )


@dataclass(frozen=True)
class Kill:
    """One kill: when, whether the process still ran, and what was damaged after it."""

    seconds: float
    killed: bool
    complaint: str


def undisturbed(run: Run, output: Path) -> float:
    """Run to the end and return the seconds it took."""
    started = time.perf_counter()
    process = run.start(output)
    _, complaint = process.communicate()
    if process.returncode:
        raise SystemExit(f"vidfit fit failed: {complaint.decode()}")
    return time.perf_counter() - started


def disturb(run: Run, output: Path, reference: Path, moments: Sequence[float]) -> list[Kill]:
    """Start the command again and again and kill it after so many seconds, if it still runs."""
    done = []
    for wait in moments:
        process = run.start(output)
        try:
            process.wait(wait)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        process.communicate()
        killed = process.returncode == -signal.SIGKILL
        complaint = _damage(output) if killed else ", ".join(differences(reference, output))
        done.append(Kill(wait, killed, complaint))
        if not killed:
            shutil.rmtree(output)
    return done


def spread(seconds: float, count: int, rng: random.Random) -> list[float]:
    """Return a random moment in each of ``count`` equal parts of a time, in random order."""
    moments = [seconds * (number + rng.random()) / count for number in range(count)]
    rng.shuffle(moments)
    return moments


def _damage(output: Path) -> str:
    """Say what lies under its final name and is not whole."""
    try:
        if (output / "report.json").exists():
            json.loads((output / "report.json").read_text())
        if (output / "report.html").exists():
            whole = (output / "report.html").read_text().rstrip().endswith("</html>")
            if not whole:
                return "report.html is cut short"
        if (output / "model").exists():
            load_model(output / "model")
    except (ValueError, ModelError) as error:
        return str(error)
    return ""


def differences(first: Path, second: Path) -> list[str]:
    """Name what differs between two finished runs: report, model, answers; times aside."""
    reports = [json.loads((output / "report.json").read_text()) for output in (first, second)]
    found = [f"report.json: {name}" for name in _differing(*map(_without_times, reports))]
    models = [json.loads((o / "model" / "model.json").read_text()) for o in (first, second)]
    found += [f"model.json: {name}" for name in _differing(*models)]
    left = [path.name for path in second.glob(".*")]
    return found + [f"left over: {name}" for name in left] + _answers(first, second, reports[0])


def _without_times(report: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in report.items() if name not in _MEASURED}
    kept["candidates"] = [{**row, "seconds_per_clip": 0} for row in report["candidates"]]
    return kept


def _differing(first: dict[str, Any], second: dict[str, Any]) -> list[str]:
    return [name for name in {**first, **second} if first.get(name) != second.get(name)]


def _answers(first: Path, second: Path, report: dict[str, Any]) -> list[str]:
    """Ask both models about some clips."""
    clips = [result["clip"]["path"] for result in report["clips"]]
    chosen = [clips[i] for i in np.unique(np.linspace(0, len(clips) - 1, _ANSWERS).astype(int))]
    try:
        models = [load(output / "model") for output in (first, second)]
        pairs = [[run_predict(model, clip).windows for model in models] for clip in chosen]
    except VidfitError as error:
        return [f"the models cannot be asked: {error}"]
    return [
        f"answers to {Path(clip).name}"
        for clip, (one, other) in zip(chosen, pairs, strict=True)
        if one != other
    ]


def main() -> None:
    """Kill, go on, compare."""
    parser = arguments(__doc__)
    parser.add_argument("--clips", type=Path, default=SURVEILLANCE, help="folder of classes")
    parser.add_argument("--count", type=int, default=40, help="clips to use")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--backbone", action="append", help="default: efficientnet-lite0, motion")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.quick:
        options.kills, options.count = min(options.kills, 4), min(options.count, 16)
    start = environment()
    with tempfile.TemporaryDirectory() as scratch:
        figures = _measure(options, Path(scratch))
    harm = [kill for kill in figures["kills"] if kill["complaint"]]
    headline = (
        f"{sum(kill['killed'] for kill in figures['kills'])} of {options.kills} runs were killed: "
        f"{len(harm)} left damage, {len(figures['differences'])} differences (bar: {BAR})"
    )
    finish(options, figures, start, headline, met=not harm and not figures["differences"])


def _measure(options: Any, scratch: Path) -> dict[str, Any]:
    clips = _some(options.clips, options.count, scratch / "clips")
    run = Run(clips, tuple(options.backbone or ("efficientnet-lite0", "motion")))
    undisturbed(run, scratch / "first")  # exports networks for this machine, once
    seconds = undisturbed(run, scratch / "reference")
    moments = spread(seconds, options.kills, random.Random(options.seed))
    kills = disturb(run, scratch / "killed", scratch / "reference", moments)
    last = undisturbed(run, scratch / "killed")
    found = differences(scratch / "reference", scratch / "killed")
    rows = [
        [str(i + 1), f"{k.seconds:.1f} s", "killed" if k.killed else "ended", k.complaint or "none"]
        for i, k in enumerate(kills)
    ]
    table(["kill", "after", "process", "damage"], rows)
    print(f"undisturbed {seconds:.1f} s; last run, after the kills, {last:.1f} s")
    print("differences: " + (", ".join(found) or "none"))
    return {
        "clips": options.count,
        "undisturbed_seconds": seconds,
        "last_seconds": last,
        "kills": [vars(kill) for kill in kills],
        "differences": found,
    }


def _some(source: Path, count: int, target: Path) -> Path:
    """Link some clips of a folder of classes, with what says which recording they are from."""
    for path in folder(source, count):
        link = target / path.relative_to(source)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(path.resolve())
    for name in ("videos.txt", "groups.csv"):
        if (source / name).is_file():
            (target / name).symlink_to((source / name).resolve())
    return target


if __name__ == "__main__":
    main()

"""What all benchmarks share: measuring, repeating, and saying what was measured where."""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from vidfit.documents import json_in, to_json
from vidfit.hardware import describe

PACKAGES = ("vidfit", "av", "numpy", "onnxruntime", "opencv-python-headless", "pyarrow", "torch")


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run took: time on the clock, and time of the processor in all threads."""

    wall_seconds: float
    cpu_seconds: float


def measure(work: Callable[[], object]) -> Cost:
    """Run once and take the time."""
    cpu = time.process_time()
    started = time.perf_counter()
    work()
    wall_seconds = time.perf_counter() - started
    return Cost(wall_seconds, time.process_time() - cpu)


def interleaved(
    stages: Mapping[str, Callable[[], Cost]], rounds: int, report: Callable[[str], None] = print
) -> dict[str, list[Cost]]:
    """Run every stage once a round, so that what disturbs the machine disturbs all of them."""
    costs: dict[str, list[Cost]] = {name: [] for name in stages}
    for number in range(rounds):
        for name, stage in stages.items():
            costs[name].append(stage())
        report(f"  round {number + 1} of {rounds}, {load()}")
    return costs


def median_wall(costs: Sequence[Cost]) -> float:
    """Return the median time on the clock, in seconds."""
    return statistics.median(cost.wall_seconds for cost in costs)


def median_cpu(costs: Sequence[Cost]) -> float:
    """Return the median time of the processor, in seconds."""
    return statistics.median(cost.cpu_seconds for cost in costs)


def median_ratio(over: Sequence[float], under: Sequence[float]) -> float:
    """Return the median of the ratios of figures that were taken in the same round."""
    return statistics.median(a / b for a, b in zip(over, under, strict=True))


def walls(costs: Sequence[Cost]) -> list[float]:
    """Return the times on the clock, round by round."""
    return [cost.wall_seconds for cost in costs]


def cpus(costs: Sequence[Cost]) -> list[float]:
    """Return the times of the processor, round by round."""
    return [cost.cpu_seconds for cost in costs]


class Kept:
    """Rows of figures by name, in a file from which an interrupted benchmark goes on.

    Parameters
    ----------
    path
        A line of JSON for each row; ``None`` keeps rows in memory alone.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.rows: dict[str, dict[str, Any]] = {}
        if path is not None and path.exists():
            for line in path.read_text().splitlines():
                self.rows |= json_in(line)

    def add(self, name: str, row: dict[str, Any]) -> None:
        """Add a row and write it at once."""
        self.rows[name] = row
        if self.path is not None:
            with self.path.open("a") as stream:
                stream.write(to_json({name: row}) + "\n")


def load() -> str:
    """Return how busy the machine is, this benchmark included."""
    one, five, _ = os.getloadavg()
    return f"load {one:.2f} over 1 min, {five:.2f} over 5 min"


def environment() -> dict[str, Any]:
    """Return versions, the machine and its load, which every figure is tied to."""
    versions = {name: metadata.version(name) for name in PACKAGES}
    versions["python"] = platform.python_version()
    return {"machine": describe(), "load": load(), "versions": versions}


def arguments(description: str | None) -> argparse.ArgumentParser:
    """Return the options that every benchmark has."""
    parser = argparse.ArgumentParser(description=(description or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a smaller run, to try it out")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write all figures here")
    return parser


def table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under their headers; the first column to the left, figures to the right."""
    lines = [list(headers), *[list(row) for row in rows]]
    widths = [max(len(line[i]) for line in lines) for i in range(len(headers))]
    for number, line in enumerate(lines):
        cells = [line[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)]
        print("  ".join(cells))
        if number == 0:
            print("  ".join("-" * width for width in widths))


def finish(
    options: argparse.Namespace,
    figures: dict[str, Any],
    start: dict[str, Any],
    headline: str,
    *,
    met: bool | None,
) -> None:
    """Write the figures where they are wanted; print headline and verdict as the last line.

    Parameters
    ----------
    headline
        What was found, each figure that has a bar with its bar.
    met
        Whether all bars are met; ``None`` where the benchmark has none.

    Raises
    ------
    SystemExit
        With status 1, where a bar is not met.
    """
    said = "no bar" if met is None else "bar met" if met else "bar NOT met"
    headline = f"{headline}: {said}"
    if options.json:
        document = {"headline": headline, "figures": figures, "load at end": load(), **start}
        options.json.write_text(to_json(document, indent=1))
        print(f"all figures: {options.json}")
    print(headline)
    if met is False:
        raise SystemExit(1)

"""UCSD Ped2 as benchmarks see it: where it lies, which frames are unusual; figures in words."""

from __future__ import annotations

import csv
from collections import defaultdict

from benchmarks._clips import SURVEILLANCE
from vidfit.metrics import Scored

PED2 = SURVEILLANCE.parent / "ucsd_ped2"

Figure = tuple[float, float, float]
"""A value, and the ends of its interval over recordings."""


def flags_of_frames() -> dict[str, list[int]]:
    found = defaultdict(list)
    with (PED2 / "frames.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            found[row["clip"]].append(int(row["anomalous"]))
    return found


def estimate_of(scored: Scored, which: int) -> Figure:
    one = scored.interval(which)
    return one.value, one.low, one.high


def shown(figure: Figure) -> str:
    return f"{figure[0]:.3f} [{figure[1]:.3f}, {figure[2]:.3f}]"


def signed(figure: Figure) -> str:
    return f"{figure[0]:+.3f} [{figure[1]:+.3f}, {figure[2]:+.3f}]"

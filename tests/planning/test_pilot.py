"""A job is taken with a few steps in a process of its own; what it refuses comes back."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from vidfit.errors import BudgetError, NotEnoughDataError
from vidfit.planning.pilot import STEPS, pilot

HELD = 2**28


@dataclass(frozen=True)
class Asked:
    groups: Path | None = None
    names: tuple[str, ...] = ()
    steps: int | None = None
    what: str = "hold"


@dataclass(frozen=True)
class Told:
    learning_seconds: float


def job(source: str, output: Path, options: Asked) -> Told:
    if options.what == "refuse":
        raise NotEnoughDataError(f"{source}: one clip")
    if options.what == "die":
        raise MemoryError
    assert options == Asked(Path("a.csv"), ("x", "y"), STEPS)
    held = bytearray(b"\1") * HELD
    until = time.process_time() + 0.2
    while time.process_time() < until:
        pass
    output.mkdir()
    return Told(0.1 * len(held) / HELD)


def _piloted(tmp_path: Path, **change: object):
    asked = Asked(**{"groups": Path("a.csv"), "names": ("x", "y"), **change})
    return pilot(f"{__name__}:job", asked, "clips", tmp_path / "out")


def test_memory_and_time_are_those_of_the_process(tmp_path):
    took = _piloted(tmp_path)
    assert HELD < took.peak_bytes < HELD + 2**30
    assert took.learning_cpu_seconds == 0.1
    assert took.cpu_seconds >= 0.2 and took.clock_seconds >= 0.2
    assert (tmp_path / "out").is_dir()


def test_what_the_job_refuses_is_refused_here(tmp_path):
    with pytest.raises(NotEnoughDataError, match="clips: one clip"):
        _piloted(tmp_path, what="refuse")


def test_a_process_that_comes_to_no_end_is_a_matter_of_memory(tmp_path):
    with pytest.raises(BudgetError, match="came to no end: MemoryError"):
        _piloted(tmp_path, what="die")

"""The job before learning on frames: what it will hold and take, by a trial of a few steps."""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vidfit.documents import to_json
from vidfit.errors import BudgetError, VidfitError, not_known
from vidfit.files import claimed, write_whole
from vidfit.hardware import hardware
from vidfit.jobs.plan.write import duration, size
from vidfit.planning.pilot import STEPS, Piloted, pilot
from vidfit.progress import SILENT, Progress

PIXEL_TASKS = {name: f"vidfit.jobs.{name}.run:run_{name}" for name in
               ("restore", "forecast", "generate")}  # fmt: skip

FREE_SHARE = 0.25
"""Of the memory, left free: more steps leave more holes in the heap (see docs/plan.md)."""


@dataclass(frozen=True)
class PixelPlan:
    """What a job that learns on frames will hold and take on this machine.

    Parameters
    ----------
    learning_cpu_seconds
        Of the processor, for steps of training, as was asked for.
    learning_seconds, other_seconds
        By the clock: those steps; reading, choosing, measuring and writing.
    peak_bytes
        The most memory that the process will hold, libraries and all.
    memory_bytes
        That it may hold; 0 where that is not known.
    """

    task: str
    learning_cpu_seconds: float
    learning_seconds: float
    other_seconds: float
    peak_bytes: int
    memory_bytes: int

    @property
    def total_seconds(self) -> float:
        """From the start to the end, by the clock."""
        return self.learning_seconds + self.other_seconds


def run_pixel_plan(
    task: str,
    source: str | Path,
    output: Path,
    options: Any,  # noqa: ANN401  (those of the task)
    memory_bytes: int | None = None,
    progress: Progress | None = None,
) -> PixelPlan:
    """Plan a job that learns on frames; ``output`` gets ``plan.json``.

    The job is taken whole in a process of its own, with `STEPS` steps a network; the rest of the
    steps is added by what these took of the processor.

    Parameters
    ----------
    task
        A key of `PIXEL_TASKS`.
    source
        Clips, as the job takes them.
    options
        `RestoreOptions`, `ForecastOptions` or `GenerateOptions`, as the job will get them.
    memory_bytes
        That it may hold; what is free on this machine where it is not given.

    Raises
    ------
    BudgetError
        If it would hold more than it may.
    VidfitError
        If there is no such task, or what the job itself refuses.
    """
    if task not in PIXEL_TASKS:
        raise VidfitError(not_known("task on frames", task, tuple(PIXEL_TASKS)))
    options.check()
    progress = progress or SILENT
    progress.start(f"plan, a trial of {STEPS} steps", 1)
    room = memory_bytes or hardware().memory_bytes
    with claimed(output):
        trial = output / "trial"
        try:
            took = pilot(PIXEL_TASKS[task], options, str(source), trial)
        finally:
            shutil.rmtree(trial, ignore_errors=True)
        progress.advance()
        plan = _planned(task, options, took, room)
        if room and plan.peak_bytes > (1 - FREE_SHARE) * room:
            raise BudgetError(
                f"it would hold {size(plan.peak_bytes)}, and {size(room)} are there, of which "
                f"{FREE_SHARE:.0%} are left free. Give more memory, fewer clips or smaller frames."
            )
        write_whole(output / "plan.json", f"{to_json(_facts(plan), indent=2)}\n".encode())
    return plan


def _planned(
    task: str,
    options: Any,  # noqa: ANN401  (those of the task)
    took: Piloted,
    room_bytes: int,
) -> PixelPlan:
    """Add the steps that the trial left out, by the cores that it kept busy."""
    cores = max(took.cpu_seconds / took.clock_seconds, 0.1)
    learning = options.cpu_seconds
    if options.steps is not None:
        learning = took.learning_cpu_seconds * options.steps / STEPS
    return PixelPlan(
        task,
        learning,
        learning / cores,
        max(0.0, took.clock_seconds - took.learning_cpu_seconds / cores),
        took.peak_bytes,
        room_bytes,
    )


def pixel_plan_lines(plan: PixelPlan) -> list[str]:
    """Return a plan as a person reads it."""
    of = f" of {size(plan.memory_bytes)}" if plan.memory_bytes else ""
    return [
        f"Learn    {duration(plan.learning_seconds)} "
        f"({plan.learning_cpu_seconds:.0f} s of the processor)",
        f"Else     {duration(plan.other_seconds)}: reading, choosing, measuring",
        f"Memory   {size(plan.peak_bytes)}{of}",
    ]


def _facts(plan: PixelPlan) -> dict[str, Any]:
    return {"format": "vidfit.pixelplan/1", **asdict(plan), "total_seconds": plan.total_seconds}

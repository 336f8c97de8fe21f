"""The chosen layout, really run where it lies near the limit, within a budget of time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from vidfit.errors import BackboneError
from vidfit.planning.child import Question, Real, real_run
from vidfit.planning.choice import Setting, choose
from vidfit.planning.halving import largest_alive
from vidfit.planning.measured import as_run, small_layouts
from vidfit.plans import Layout, PlanOption

BUDGET_SECONDS = 60.0
"""Of all runs with numbers of one plan."""

ROOMY = 0.6
"""Share of the memory below which a layout is not run: nothing nears the limit."""

Run = Callable[[Layout], Real | None]
"""Takes steps of a layout under the limit; ``None`` when it dies, TimeoutError when time is up."""


@dataclass
class Budget:
    """Seconds that are left for runs with numbers, and what runs near the limit came to."""

    left_seconds: float = BUDGET_SECONDS
    seen: dict[str, Real | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trials:
    """Runs of a subject with numbers, in child processes, until the time is up.

    Parameters
    ----------
    folder
        Of answers that are kept; those near the limit are not, as they depend on it.
    """

    question: Question
    folder: Path
    budget: Budget

    def small(self, layout: Layout) -> Real:
        """Run without a limit, or read what it came to within the last day."""
        return self._run(layout, 0, self.folder)

    def under(self, layout: Layout, limit_bytes: int) -> Real | None:
        """Run under a limit; ``None`` when it dies: it has run with fewer clips."""
        seen, key = self.budget.seen, repr((self.question, layout, limit_bytes))
        if key not in seen:
            try:
                seen[key] = self._run(layout, limit_bytes, None)
            except BackboneError:
                seen[key] = None
        return seen[key]

    def _run(self, layout: Layout, limit_bytes: int, folder: Path | None) -> Real:
        left = self.budget.left_seconds
        if left <= 0:
            raise TimeoutError(f"the {BUDGET_SECONDS:.0f} s for runs are over")
        started = time.monotonic()
        try:
            return real_run(self.question, layout, limit_bytes, left, folder)[1]
        finally:
            self.budget.left_seconds -= time.monotonic() - started


def choose_tried(setting: Setting, trials: Trials) -> tuple[Setting, tuple[PlanOption, ...]]:
    """Time small runs, choose, and run what is chosen near the limit.

    Returns
    -------
    tuple
        The setting, with laws that fit the runs, and the options as of `choose`.

    Raises
    ------
    BudgetError
        If none fits.
    """
    setting, most_bytes = _timed(setting, trials, checkpointing=False), int(setting.most_bytes)
    if choose(setting)[0].layout.checkpointing:
        setting = _timed(setting, trials, checkpointing=True)
    while True:
        options = choose(setting)
        layout = options[0].layout
        held = setting.base_bytes + options[0].predicted.peak_bytes
        roomy = held < ROOMY * setting.machine.memory_bytes
        if roomy or layout.checkpointing in setting.alive:
            return setting, options
        setting = searched(setting, layout, lambda run: trials.under(run, most_bytes))


def _timed(setting: Setting, trials: Trials, *, checkpointing: bool) -> Setting:
    """Return a setting whose laws fit small runs; as it is where no clip fits."""
    way = Layout(precision=setting.precision, checkpointing=checkpointing)
    runs: list[tuple[Layout, Real]] = []
    try:
        for layout in small_layouts(setting.known, way, setting.batch_clips, setting.room_bytes):
            runs.append((layout, trials.small(layout)))
    except TimeoutError:
        missing = "how memory grows is an estimate"
        if not runs:
            missing = "times are estimates from operations and traffic"
        setting = _noted(setting, missing)
    return replace(setting, known=setting.known.with_runs(runs)) if runs else setting


def searched(setting: Setting, layout: Layout, run: Run) -> Setting:
    """Return a setting that allows the largest micro-batch that was seen to live."""
    seen: dict[int, Real | None] = {}
    share = layout.micro_batch * layout.accumulation

    def of(micro_batch: int) -> Layout:
        accumulation = -(-share // micro_batch)
        dealt = replace(layout, micro_batch=micro_batch, accumulation=accumulation)
        return as_run(setting.computed(dealt))

    def lives(micro_batch: int) -> bool:
        seen[micro_batch] = run(of(micro_batch))
        return seen[micro_batch] is not None

    try:
        largest_alive(share, layout.micro_batch, lives)
    except TimeoutError:
        setting = _noted(setting, "the largest micro-batch is not fully confirmed")
    known = setting.known
    alive = max((b for b, real in seen.items() if real), default=0)
    real = seen.get(alive)
    if real:
        known = known.with_runs([(of(alive), real)])
    elif not seen:  # time was up before the first: the prediction stands
        alive = layout.micro_batch
    return replace(setting, known=known, alive={**setting.alive, layout.checkpointing: alive})


def _noted(setting: Setting, what: str) -> Setting:
    note = f"The {BUDGET_SECONDS:.0f} s for trial runs were over: {what}."
    known = setting.known
    return replace(setting, known=replace(known, notes=(*known.notes, note)))

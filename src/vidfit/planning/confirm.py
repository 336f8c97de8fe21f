"""The chosen layout, found by really running what lies near the limit.

What the allocator loses beside tensors is not a line, and differs between networks. Laws say
where to look; what survives a run of its own is what is offered.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from vidfit.planning.choice import CONFIRMED_MARGIN, Setting, choose, even
from vidfit.planning.memory import Resident
from vidfit.plans import Layout, PlanOption

ROOMY = 0.6
"""Share of the memory below which a layout needs no confirming run."""

RUNS = 8
"""Most runs for one way to save memory."""

CLOSE = 0.02
"""Share of the memory that a confirmed layout may leave free beside the margin."""

NEAR = 0.05
"""Share of a micro-batch by which the largest that survives need not be known better."""

_RETREAT = 0.6
"""Share of a micro-batch that did not survive at which the search goes on."""

_FACTORS = (0.5, 4.0)
"""Of what a process holds over tensors, between two runs."""


def held_twice(held: Callable[[int], float], memory_bytes: int) -> float:
    """Return what a process holds that survives with all of the memory, and with a bit less.

    One run proves little: where the heap cannot grow the allocator takes another way, and steps
    that survive under one limit may die under a slightly larger one.

    Parameters
    ----------
    held
        Runs under a limit in bytes; infinite when it dies.
    """
    least = held(int(memory_bytes * (1 - CONFIRMED_MARGIN)))
    return least if math.isfinite(least) and math.isfinite(held(memory_bytes)) else math.inf


def choose_confirmed(setting: Setting) -> tuple[Setting, tuple[PlanOption, ...]]:
    """Return the layouts as `choose` does, the chosen one confirmed by really running it.

    A layout that leaves much memory free is not run.

    Returns
    -------
    tuple
        The setting with laws that fit the runs, and the options.

    Raises
    ------
    BudgetError
        If none fits.
    """
    searched: set[bool] = set()
    while True:
        options = choose(setting)
        layout, peak = options[0].layout, options[0].predicted.peak_bytes
        expected = setting.held_bytes(peak, layout.checkpointing)
        roomy = expected < ROOMY * setting.machine.memory_bytes
        if setting.confirm is None or roomy or layout.checkpointing in searched:
            return setting, options
        searched.add(layout.checkpointing)
        setting = _searched(setting, layout, setting.confirm)


def _searched(setting: Setting, layout: Layout, confirm: Callable[[Layout], float]) -> Setting:
    """Return a setting whose law allows the largest micro-batch that was seen to survive."""
    search = _Search(setting, layout, confirm)
    micro_batch: int | None = layout.micro_batch
    for _ in range(RUNS):
        if micro_batch is None:
            break
        search.run(micro_batch)
        micro_batch = search.next_micro_batch()
    law = setting.known.resident(layout.checkpointing)
    # Without a survivor even one clip is too much.
    peak = search.peak(search.low) if search.low else 0.0
    base = setting.most_bytes - law.factor * peak - (1.0 if search.low else -1.0)
    residents = {**setting.known.residents, layout.checkpointing: replace(law, base_bytes=base)}
    return replace(setting, exact=None, known=replace(setting.known, residents=residents))


@dataclass
class _Search:
    """The largest micro-batch of a way that survives: between ``low`` and ``high``.

    ``seen`` are peaks of tensors and what the process held, of runs that came to their end.
    """

    setting: Setting
    layout: Layout
    confirm: Callable[[Layout], float]
    low: int = 0
    high: int = 0
    seen: list[tuple[float, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.high = self.layout.micro_batch * self.layout.accumulation + 1

    def peak(self, micro_batch: int) -> float:
        """Return the peak of tensors, by the law."""
        return self.setting.known.peak_bytes(self._even(micro_batch))

    def run(self, micro_batch: int) -> None:
        """Run a layout, and move the bounds."""
        held = self.confirm(self._even(micro_batch))
        if math.isfinite(held):
            self.seen.append((self.peak(micro_batch), held))
        if held <= self.setting.most_bytes:
            self.low = max(self.low, micro_batch)
        else:
            self.high = min(self.high, micro_batch)

    def next_micro_batch(self) -> int | None:
        """Return what to run next; ``None`` when the largest is known well enough."""
        gap = self.high - self.low
        if gap <= max(1, NEAR * self.low) or self._is_close():
            return None
        wanted = self._by_law()
        if wanted >= self.high or not self.seen:
            middle = (self.low + self.high) // 2
            wanted = middle if self.low else int(_RETREAT * self.high)
        wanted = self._even(min(max(wanted, self.low + 1), self.high - 1)).micro_batch
        return wanted if wanted > self.low else None

    def _is_close(self) -> bool:
        most, memory = self.setting.most_bytes, self.setting.machine.memory_bytes
        survived = [held for _, held in self.seen if held <= most]
        return bool(survived) and most - max(survived) < CLOSE * memory

    def _by_law(self) -> int:
        """Return the largest micro-batch below ``high`` that fits by what was seen."""
        room = self._law().room(self.setting.most_bytes)
        low, high = 0, self.high
        while high - low > 1:  # peaks rise with the micro-batch
            middle = (low + high) // 2
            low, high = (middle, high) if self.peak(middle) <= room else (low, middle)
        # All below fit: what is known not to fit is the bound, and a middle is tried.
        return self.high if low == self.high - 1 else low

    def _law(self) -> Resident:
        law = self.setting.known.resident(self.layout.checkpointing)
        if not self.seen:
            return law
        runs = sorted(self.seen)
        factor = law.factor
        if runs[-1][0] > runs[0][0]:
            slope = (runs[-1][1] - runs[0][1]) / (runs[-1][0] - runs[0][0])
            factor = min(max(slope, _FACTORS[0]), _FACTORS[1])
        return Resident(runs[-1][1] - factor * runs[-1][0], factor)

    def _even(self, micro_batch: int) -> Layout:
        share = self.layout.micro_batch * self.layout.accumulation
        return even(self.layout, micro_batch, share)

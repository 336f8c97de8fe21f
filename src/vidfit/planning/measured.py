"""What a plan knows of a subject: laws of memory and time, from a few runs in child processes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from vidfit.errors import BackboneError
from vidfit.planning.child import Dry, Effort, Question, Real, dry_runs, real_runs
from vidfit.planning.memory import (
    Line,
    Resident,
    Sizes,
    keep_pairs,
    learned_resident,
    line,
    read_pairs,
    tells_factor,
)
from vidfit.plans import Layout, Precision

FEW, MANY = 1, 8
"""Micro-batches that are run without numbers, to draw a line through."""

PROBED, PROBED_SMALL = (1, 4), (4, 32)
"""Micro-batches that are run with numbers; the second of a subject that is `SMALL_BYTES` there."""

SMALL_BYTES = 256 * 2**20
"""Of a head over tokens, say: of its small tensors and short steps few clips tell little."""

_NOTHING, _USUAL = Line(0.0, 0.0), Resident()


@dataclass(frozen=True)
class Known:
    """Laws of one subject under one recipe and precision.

    Parameters
    ----------
    peaks
        By checkpointing, peak bytes of tensors over the micro-batch, gradients kept.
    flops_a_clip
        By checkpointing, operations of forward and backward.
    beside_real
        By micro-batch, the same layouts without numbers as are run with them.
    hidden
        Bytes over the micro-batch that kernels take within an operation.
    micro_seconds, update_seconds
        Of a plain micro-batch, and of an update, on this machine; ``None`` when not run.
    residents
        By checkpointing, what the system counts for a process.
    """

    sizes: Sizes
    peaks: Mapping[bool, Line]
    flops_a_clip: Mapping[bool, float]
    beside_real: Mapping[int, Dry] = field(default_factory=dict)
    hidden: Line = _NOTHING
    micro_seconds: Line | None = None
    update_seconds: float = 0.0
    residents: Mapping[bool, Resident] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def resident(self, checkpointing: bool) -> Resident:
        """Return what the system counts; as is usual where nothing was run."""
        return self.residents.get(checkpointing, _USUAL)

    def peak_bytes(self, layout: Layout) -> float:
        """Return the peak of tensors in one process that stands alone."""
        return self.peaks[layout.checkpointing].at(layout.micro_batch) + self.beside(layout)

    def beside(self, layout: Layout) -> float:
        """Return what a run without numbers of two micro-batches a step does not see.

        Kernels' own memory, and the inputs of further micro-batches: a step loads them all.
        """
        further = max(0, layout.accumulation - 2) * layout.micro_batch * self.sizes.clip_bytes
        return self.hidden.at(layout.micro_batch) + further

    def seconds(self, layout: Layout) -> float | None:
        """Return a step's seconds on this machine; recomputing costs by its operations."""
        if self.micro_seconds is None:
            return None
        again = self.flops_a_clip[layout.checkpointing] / self.flops_a_clip[False]
        micro = self.micro_seconds.at(layout.micro_batch) * again
        return layout.accumulation * micro + self.update_seconds


def look(question: Question, precision: Precision, folder: Path, room_bytes: float | None) -> Known:
    """Run a subject without numbers and, on this machine, a few steps with them.

    Parameters
    ----------
    folder
        Where answers, and what runs came to, are kept.
    room_bytes
        Peak of tensors that this machine has room for; ``None`` runs nothing with numbers, as
        the machine is another one.

    Raises
    ------
    BackboneError
        If the subject cannot be made or run.
    """
    try:
        known = _without_numbers(question, precision, folder)
    except BackboneError as error:
        if room_bytes is None:
            raise
        known = _by_numbers_alone(question, precision, str(error))
    if room_bytes is None:
        return known
    fitting = [b for b in probed(known) if known.peak_bytes(Layout(b)) <= room_bytes]
    if not fitting:
        return known  # nothing fits: the choice says so
    layouts = [
        Layout(b, precision=precision, checkpointing=again)
        for again in sorted(known.peaks)
        for b in fitting
    ]
    return _with_numbers(known, question, layouts, folder)


def probed(known: Known) -> tuple[int, int]:
    """Return the micro-batches that are worth running with numbers."""
    few, many = PROBED_SMALL
    return (few, many) if known.peaks[False].at(many) <= SMALL_BYTES else PROBED


def exactly(known: Known, question: Question, layout: Layout, folder: Path | None) -> float:
    """Return the peak of one layout from a run of its own without numbers."""
    run = replace(layout, accumulation=min(layout.accumulation, 2), processes=1, sharding="none")
    _, (dry,) = dry_runs(question, [run], folder)
    return dry.peak_bytes + known.beside(layout)


def held(question: Question, layout: Layout, limit_bytes: int) -> float:
    """Return what a process comes to hold that really runs a layout; infinite when it dies.

    Parameters
    ----------
    limit_bytes
        The child may hold no more, so that it fails alone and not with the machine.
    """
    alone = replace(layout, accumulation=min(layout.accumulation, 2), processes=1, sharding="none")
    effort = Effort(steps=2, traced=False, limit_bytes=limit_bytes)
    try:
        _, (run,) = real_runs(question, [alone], effort)
    except BackboneError:  # it has run with fewer clips: what it lacks is memory
        return math.inf
    return float(run.resident_bytes)


def _without_numbers(question: Question, precision: Precision, folder: Path) -> Known:
    layouts = [
        Layout(b, accumulation=2, precision=precision, checkpointing=again)
        for again in (False, True)
        for b in (FEW, MANY)
    ]
    # The same process also runs what `_with_numbers` will compare with.
    both = sorted({*PROBED, *PROBED_SMALL})
    beside = [Layout(b, precision=precision) for b in both]
    facts, runs = dry_runs(question, [*layouts, *beside], folder)
    pairs = {False: runs[:2], True: runs[2:4]} if facts["blocks"] else {False: runs[:2]}
    return Known(
        Sizes(**facts),
        {again: _peaks(two) for again, two in pairs.items()},
        {again: two[0].flops_a_clip for again, two in pairs.items()},
        dict(zip(both, runs[4:], strict=True)),
    )


def _peaks(runs: list[Dry]) -> Line:
    return line((FEW, MANY), [run.peak_bytes for run in runs])


def _by_numbers_alone(question: Question, precision: Precision, why: str) -> Known:
    """Return the laws of a network that does not run on shapes: from real steps of 1 and 2."""
    layouts = [Layout(b, accumulation=2, precision=precision) for b in (1, 2)]
    facts, runs = real_runs(question, layouts)
    peaks = line((1, 2), [run.peak_bytes for run in runs])
    note = f"Memory was measured at micro-batches of 1 and 2 and extended from there: {why}"
    return Known(Sizes(**facts), {False: peaks}, {False: 1.0}, notes=(note,))


def _with_numbers(known: Known, question: Question, layouts: list[Layout], folder: Path) -> Known:
    """Run a few steps, and add what they tell."""
    _, runs = real_runs(question, layouts, Effort())
    every, residents = read_pairs(folder), {}
    for again in known.peaks:
        own = [
            (float(run.peak_bytes), float(run.resident_bytes))
            for layout, run in zip(layouts, runs, strict=True)
            if layout.checkpointing == again
        ]
        every += own
        # What the allocator loses depends on the network; others' runs are better than none.
        residents[again] = learned_resident(own if tells_factor(own) else every)
    keep_pairs(folder, every)
    plain = [layout.micro_batch for layout in layouts if not layout.checkpointing]
    found = with_runs(known, plain, runs[: len(plain)])
    return replace(found, residents=residents)


def with_runs(known: Known, batches: list[int], runs: list[Real]) -> Known:
    """Add times, and what kernels take by themselves: runs with numbers and without, side by side.

    Parameters
    ----------
    batches
        Micro-batch of each run with numbers, rising, of `probed`.
    """
    dry = [known.beside_real[b] for b in batches if b in known.beside_real]
    seconds = [run.micro_seconds for run in runs]
    law = line(batches, seconds) if len(runs) > 1 else Line(0.0, seconds[0] / batches[0])
    return replace(
        known,
        hidden=_hidden(batches, runs, dry) if dry else known.hidden,
        micro_seconds=law if law.start >= 0 else Line(0.0, seconds[-1] / batches[-1]),
        update_seconds=min(run.update_seconds for run in runs),
    )


def _hidden(batches: list[int], runs: list[Real], dry: list[Dry]) -> Line:
    """Return the allocator's peak less that of the tensors, which is never negative."""
    more = [max(0, r.peak_bytes - d.peak_bytes) for r, d in zip(runs, dry, strict=True)]
    if len(more) == 1:
        return Line(float(more[0]), 0.0)
    return line(batches, more)

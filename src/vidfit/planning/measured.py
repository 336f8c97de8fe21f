"""What a plan knows of a subject: laws of memory and time, from a few runs in child processes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from vidfit.errors import BackboneError
from vidfit.planning.child import Question, Real, dry_runs, real_run
from vidfit.planning.memory import LOST, Line, Resident, Sizes, line
from vidfit.plans import Layout, Precision

FEW, MANY = 2, 32
"""Micro-batches that are run without numbers, to draw a line through."""

SMALL_BYTES = 512 * 2**20
"""Tensors of the runs that are timed: the whole batch of a small network, few clips of a large."""


@dataclass(frozen=True)
class Known:
    """Laws of one subject under one recipe and precision.

    Parameters
    ----------
    peaks
        By checkpointing, peak bytes of tensors over the micro-batch, where a step has two.
    alone
        The same where a step has one: no gradients of another are kept.
    flops_a_clip
        By checkpointing, operations of forward and backward.
    clip_seconds, update_seconds
        Of a plain micro-batch by its clips, and of an update, on this machine; ``None`` when
        nothing was run.
    resident
        By checkpointing, what a process was measured to hold; what is left away is usual.
    """

    sizes: Sizes
    peaks: Mapping[bool, Line]
    alone: Mapping[bool, Line]
    flops_a_clip: Mapping[bool, float]
    clip_seconds: float | None = None
    update_seconds: float = 0.0
    resident: Mapping[bool, Resident] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def base_bytes(self) -> float:
        """What a process holds before it trains."""
        return self._resident(False).base_bytes

    def taken(self, peak_bytes: float, checkpointing: bool) -> float:
        """Return what training takes on this machine, from the peak of its tensors."""
        return self._resident(checkpointing).taken(peak_bytes)

    def _resident(self, checkpointing: bool) -> Resident:
        """Return what was measured; else what is usual, from what the network holds at rest."""
        if checkpointing in self.resident:
            return self.resident[checkpointing]
        other = self.resident.get(not checkpointing, Resident())
        rest_bytes = self.peaks[checkpointing].start if checkpointing in self.peaks else 0.0
        return other.turned(rest_bytes, LOST[checkpointing])

    def peak_bytes(self, layout: Layout) -> float:
        """Return the peak of tensors in one process that stands alone."""
        if layout.accumulation == 1:
            return self.alone[layout.checkpointing].at(layout.micro_batch)
        return self.peaks[layout.checkpointing].at(layout.micro_batch)

    def seconds(self, layout: Layout, answered: float = 1.0) -> float | None:
        """Return a step's seconds on this machine; recomputing costs by its operations.

        Parameters
        ----------
        answered
            What a clip costs where some are answered by a teacher first, 1 where none is.
        """
        if self.clip_seconds is None:
            return None
        again = self.flops_a_clip[layout.checkpointing] / self.flops_a_clip[False]
        clips = layout.accumulation * layout.micro_batch
        return clips * self.clip_seconds * again * answered + self.update_seconds

    def with_runs(self, runs: Sequence[tuple[Layout, Real]]) -> Known:
        """Add what runs with numbers tell of this machine.

        Parameters
        ----------
        runs
            Of one way, the largest last: two tell how resident memory grows, one how much it is.
        """
        layout, run = runs[-1]
        way, peak = layout.checkpointing, self.peak_bytes(layout)
        again = self.flops_a_clip[way] / self.flops_a_clip[False]
        lost = self._resident(way).lost
        less, few = runs[0]
        grown = peak - self.peak_bytes(less)
        if grown > 0:
            lost = max(1.0, (run.taken_bytes - few.taken_bytes) / grown)
        held = Resident(run.base_bytes, run.taken_bytes - lost * peak, lost)
        return replace(
            self,
            clip_seconds=run.micro_seconds / layout.micro_batch / again,
            update_seconds=run.update_seconds,
            resident={**self.resident, way: held},
        )


def look(question: Question, precision: Precision, folder: Path, *, here: bool) -> Known:
    """Run a subject on shapes alone; where that fails, with numbers.

    Parameters
    ----------
    folder
        Where answers are kept.
    here
        Whether it may be run with numbers, as it is planned for this machine.

    Raises
    ------
    BackboneError
        If the subject cannot be made or run.
    """
    try:
        return _by_shapes(question, precision, folder)
    except BackboneError as error:
        if not here:
            raise
        return _by_numbers(question, precision, folder, str(error))


def small_layouts(known: Known, way: Layout, share_clips: int, room_bytes: float) -> list[Layout]:
    """Return what is run to time a step and to see memory grow: some clips, and twice as many.

    Parameters
    ----------
    way
        Its precision and checkpointing are taken.
    share_clips
        Clips of a step: the most.
    room_bytes
        What training may take; where the tensors of one clip take more, nothing is returned.
    """
    found: list[Layout] = []
    micro_batch = 1
    while micro_batch <= share_clips:
        layout = Layout(micro_batch, precision=way.precision, checkpointing=way.checkpointing)
        peak = known.peak_bytes(layout)
        if (known.taken(peak, way.checkpointing) if found else peak) > room_bytes:
            break
        found.append(layout)
        if peak > SMALL_BYTES:
            break
        micro_batch *= 2
    return found[-2:]


def as_run(layout: Layout) -> Layout:
    """Return what is really run of a layout: a process alone, two micro-batches at most."""
    accumulation = min(layout.accumulation, 2)
    return Layout(
        layout.micro_batch, accumulation, layout.precision, checkpointing=layout.checkpointing
    )


def _by_shapes(question: Question, precision: Precision, folder: Path) -> Known:
    layouts = [
        Layout(b, accumulation=accumulation, precision=precision, checkpointing=again)
        for again in (False, True)
        for accumulation in (2, 1)
        for b in (FEW, MANY)
    ]
    facts, runs = dry_runs(question, layouts, folder)
    lines = [
        line((FEW, MANY), [few.peak_bytes, many.peak_bytes])
        for few, many in zip(runs[::2], runs[1::2], strict=True)
    ]
    ways = (False, True) if facts["blocks"] else (False,)
    return Known(
        Sizes(**facts),
        {again: lines[2 * again] for again in ways},
        {again: lines[2 * again + 1] for again in ways},
        {again: runs[4 * again].flops_a_clip for again in ways},
    )


def _by_numbers(question: Question, precision: Precision, folder: Path, why: str) -> Known:
    """Return the laws of a network that does not run on shapes: from real steps of 1 and 2."""
    found = [
        real_run(question, Layout(b, accumulation=2, precision=precision), folder=folder)
        for b in (1, 2)
    ]
    peaks = {False: line((1, 2), [run.taken_bytes for _, run in found])}
    note = f"Memory was measured at micro-batches of 1 and 2 and extended from there: {why}"
    return Known(Sizes(**found[0][0]), peaks, peaks, {False: 1.0}, notes=(note,))
